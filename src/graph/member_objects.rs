//! Everything an account is a member of, for handlers that want all of it.
//!
//! Sources: Microsoft Graph, "directoryObject: getMemberObjects" and "List a user's transitive
//! memberships".

use std::sync::Arc;

use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::client::Connection;
use super::error::GraphError;
use super::principal::Requester;
use super::request_error::GraphRequestError;
use super::shared_answers::ask_with;

#[derive(Deserialize)]
struct Ids {
    value: Vec<String>,
}

#[derive(Deserialize)]
struct Page {
    value: Vec<Object>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Object {
    id: String,
}

impl Connection {
    /// The ids of all groups, directory roles and administrative units of the asker, nested ones
    /// too; one question for all who ask at a time.
    pub(crate) async fn member_objects(
        self: &Arc<Self>,
        asker: &Requester,
    ) -> Result<Arc<[String]>, GraphError> {
        let (connection, who) = (Arc::clone(self), asker.clone());
        let (shared, account) = (self.shared.clone(), asker.account);
        let ask = |open| async move {
            let ask = |_| async move {
                let ids = connection.get_member_objects(&who).await?;
                Ok(vec![((), Arc::from(ids), connection.options.cache)])
            };
            ask_with(shared.as_ref(), account, open, ask).await
        };
        let answers = self
            .member_objects
            .resolve(&asker.account, &[()], ask)
            .await?;
        Ok(answers
            .into_iter()
            .next()
            .ok_or(GraphRequestError::Cancelled)?)
    }

    async fn get_member_objects(
        self: &Arc<Self>,
        asker: &Requester,
    ) -> Result<Vec<String>, GraphError> {
        const CALL: &str = "getMemberObjects";
        let [kind, id] = asker.account.path();
        let address = self.graph().await?.address([&*kind, &*id, CALL]);
        let body = json!({ "securityEnabledOnly": false });
        let answer = self.post_as(asker, CALL, address, Some(body)).await?;
        if answer.is_missing() {
            return Err(GraphError::AccountNotFound);
        }
        if answer.status == StatusCode::BAD_REQUEST
            && answer.error_code().as_deref() == Some(TOO_MANY)
        {
            return self.transitive_member_of(asker).await;
        }
        Ok(answer.json::<Ids>(CALL)?.value)
    }

    /// The same, page by page: for more ids than one answer may hold.
    async fn transitive_member_of(
        self: &Arc<Self>,
        asker: &Requester,
    ) -> Result<Vec<String>, GraphError> {
        const CALL: &str = "transitiveMemberOf";
        let [kind, id] = asker.account.path();
        let graph = self.graph().await?;
        let mut address = graph.address([&*kind, &*id, CALL]);
        address.set_query(Some("$select=id&$top=999"));
        let mut ids = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.get_as(asker, CALL, address).await?;
            if answer.is_missing() {
                return Err(GraphError::AccountNotFound);
            }
            let page: Page = answer.json(CALL)?;
            ids.extend(page.value.into_iter().map(|object| object.id));
            let Some(next) = page.next else {
                return Ok(ids);
            };
            // The next call carries a token, so it goes to Graph and nowhere else.
            address = Url::parse(&next)
                .ok()
                .filter(|next| graph.owns(next))
                .ok_or(GraphRequestError::InvalidNextLink { call: CALL })?;
        }
        Err(GraphRequestError::InvalidNextLink { call: CALL }.into())
    }
}

/// Graph's code where an account has more than 11,000 memberships.
const TOO_MANY: &str = "Directory_ResultSizeLimitExceeded";

/// Of 999 ids each; no account has so many, so a list that goes on is a circle.
const MOST_PAGES: usize = 200;
