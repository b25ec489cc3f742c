//! Which of some groups an account is a member of.
//!
//! Source: Microsoft Graph, "directoryObject: checkMemberGroups", which looks through nested
//! groups and takes twenty ids at most.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::cache::{CacheLookup, Fresh};
use super::client::Connection;
use super::error::GraphError;
use super::principal::{Account, Requester};
use super::shared_answers::ask_with;
use crate::guard::Memberships;
use crate::guid::parse_guid;

#[derive(Deserialize)]
struct Members {
    value: Vec<String>,
}

impl Connection {
    /// What is known by now of an account and the groups that a guard names.
    pub(crate) fn look_up_memberships(
        &self,
        account: &Account,
        groups: &[&str],
    ) -> CacheLookup<Memberships> {
        let questions = questions(groups);
        if questions.is_empty() {
            return CacheLookup::Hit(Memberships::default());
        }
        match self.memberships.look(account, &questions) {
            CacheLookup::Hit(answers) => CacheLookup::Hit(together(questions, answers)),
            CacheLookup::Failed(error) => CacheLookup::Failed(error),
            CacheLookup::Miss => CacheLookup::Miss,
        }
    }

    /// Which of these groups the asker is a member of; one question for all who ask at a time.
    ///
    /// Groups that are not named by an object id stay open: Graph knows only ids.
    pub(crate) async fn memberships(
        self: &Arc<Self>,
        asker: &Requester,
        groups: &[String],
    ) -> Result<Memberships, GraphError> {
        let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
        let questions = questions(&groups);
        if questions.is_empty() {
            return Ok(Memberships::default());
        }
        let (connection, who) = (Arc::clone(self), asker.clone());
        let (shared, account) = (self.shared.clone(), asker.account);
        let ask = |open: Vec<Uuid>| async move {
            let ask = |open: Vec<Uuid>| async move {
                let mut answers = Vec::with_capacity(open.len());
                for few in open.chunks(MOST_IDS) {
                    answers.extend(connection.check_member_groups(&who, few).await?);
                }
                Ok(answers)
            };
            ask_with(shared.as_ref(), account, open, ask).await
        };
        let answers = self
            .memberships
            .resolve(&asker.account, &questions, ask)
            .await?;
        Ok(together(questions, answers))
    }

    async fn check_member_groups(
        self: &Arc<Self>,
        asker: &Requester,
        groups: &[Uuid],
    ) -> Result<Vec<Fresh<Uuid, bool>>, GraphError> {
        let [kind, id] = asker.account.path();
        let address = self
            .graph()
            .await?
            .address([&*kind, &*id, "checkMemberGroups"]);
        let ids: Vec<String> = groups.iter().map(Uuid::to_string).collect();
        let body = json!({ "groupIds": ids });
        let answer = self.post_as(asker, CALL, address, Some(body)).await?;
        let members = if answer.is_missing() {
            // An account that is not in the directory is in none of its groups.
            Vec::new()
        } else {
            answer.json::<Members>(CALL)?.value
        };
        let keep = self.options.cache;
        let members: Vec<Uuid> = members.iter().filter_map(|id| parse_guid(id)).collect();
        let fresh = |group: &Uuid| (*group, members.contains(group), keep);
        Ok(groups.iter().map(fresh).collect())
    }
}

/// The groups that can be asked for, each once.
fn questions(groups: &[&str]) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = groups
        .iter()
        .filter_map(|group| parse_guid(group))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn together(questions: Vec<Uuid>, answers: Vec<bool>) -> Memberships {
    let ids = questions.iter().map(Uuid::to_string);
    Memberships::new(ids.zip(answers))
}

const CALL: &str = "checkMemberGroups";

/// "You can check up to a maximum of 20 groups per request."
const MOST_IDS: usize = 20;
