//! The acceptance cases about one account: its groups in Graph, its cut-off, its sign-out.

use std::time::{Duration, UNIX_EPOCH};

use axum_entra::graph::{ClientCredential, GraphConfig};
use axum_entra::{AccountId, Entra, UnixTime};
use serde_json::{Value, json};

use super::case::T0;
use super::scenarios::{damaged, noon};
use super::stage::{Stage, T_V2};
use super::way::Way;
use crate::clock::eventually;
use crate::documents::Page;
use crate::service::Answer;

const OID: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const ANOTHER: &str = "11111111-2222-4333-8444-555555555555";
const GROUP_ID: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// The v2.0 profile with a Graph that knows one group, on the server of the documents.
struct Account {
    stage: Stage,
    entra: Entra,
    way: Way,
    /// How often the handler had run before.
    ran: usize,
}

impl Account {
    async fn open(way: &Way) -> Self {
        let stage = Stage::set("P-V2", None).await;
        let documents = &stage.documents;
        let token = json!({ "access_token": "graph", "token_type": "Bearer", "expires_in": 3_600 });
        documents.put("/v2/token", Page::json(&token));
        for oid in [OID, ANOTHER] {
            documents.put(&question(oid), Page::json(&json!({ "value": [GROUP_ID] })));
        }
        let access = GraphConfig::new(ClientCredential::secret("test-secret"));
        let entra = stage
            .described(noon())
            .graph(access.graph_url(documents.url("/v1.0")))
            .build()
            .unwrap();
        eventually("keys", || entra.is_ready()).await;
        Self {
            stage,
            entra,
            way: way.clone(),
            ran: way.runs.count(),
        }
    }

    async fn get(&self, path: &str, header: Value, claims: Value) -> Answer {
        let token = damaged(0, header, claims);
        self.way.get(&self.entra, path, &token).await
    }

    fn runs(&self) -> usize {
        self.way.runs.count() - self.ran
    }

    async fn group(&self, claims: Value) -> Answer {
        self.get("/group", json!({}), claims).await
    }

    fn questions(&self, oid: &str) -> usize {
        self.stage.documents.count(&question(oid))
    }

    fn user(&self) -> AccountId {
        let claims = self
            .entra
            .validate_at(&damaged(0, json!({}), json!({})), UnixTime::from_secs(T0));
        claims.unwrap().account_id().unwrap()
    }
}

/// The contract asks `checkMemberGroups`, which answers for the groups that matter alone.
fn question(oid: &str) -> String {
    format!("/v1.0/users/{oid}/checkMemberGroups")
}

fn shape_a(endpoint: &str) -> Value {
    json!({
        "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": endpoint } },
    })
}

/// One question to Graph, at the address this crate makes, whatever the token says.
async fn resolved(way: &Way, claims: Value) {
    let account = Account::open(way).await;
    let before = account.stage.documents.seen().len();
    assert_eq!(account.group(claims).await.status, 200);
    let seen = account.stage.documents.seen().split_off(before);
    assert_eq!(seen, ["/v2/token".to_owned(), question(OID)]);
    assert_eq!(account.runs(), 1);
}

pub(super) async fn overage_by_names(way: &Way) {
    resolved(
        way,
        shape_a(&format!(
            "https://graph.windows.net/{T_V2}/users/{OID}/getMemberObjects"
        )),
    )
    .await;
}

pub(super) async fn overage_with_a_strange_address(way: &Way) {
    resolved(way, shape_a("https://evil.example/x")).await;
}

pub(super) async fn overage_by_hasgroups(way: &Way) {
    resolved(way, json!({ "hasgroups": true })).await;
}

pub(super) async fn overage_while_graph_is_down(way: &Way) {
    let account = Account::open(way).await;
    let down = Page::status(503).with("retry-after", "7");
    account.stage.documents.put(&question(OID), down);
    let answer = account.group(shape_a("https://graph.windows.net/x")).await;
    way.unavailable(&answer, "directory_unavailable", Some(7));
    assert_eq!(account.runs(), 0);
}

pub(super) async fn replay(way: &Way) {
    let account = Account::open(way).await;
    let nonce = |text: &str| json!({ "nonce": text });
    assert_eq!(
        account.get("/replay", nonce("n1"), json!({})).await.status,
        200
    );
    let again = account.get("/replay", nonce("n1"), json!({})).await;
    way.refused(&again, "replay");
    assert_eq!(
        account.get("/replay", nonce("n2"), json!({})).await.status,
        200
    );
    assert_eq!(account.runs(), 2);
}

/// Entra writes `iat` five minutes early.
const BACKDATE: u64 = 300;

/// A cut-off one second after the token was issued, also for a token that was accepted before.
pub(super) async fn cut_off_after(way: &Way) {
    let account = Account::open(way).await;
    assert_eq!(account.get("/me", json!({}), json!({})).await.status, 200);
    account
        .entra
        .revoke_tokens_issued_before(
            &account.user(),
            UNIX_EPOCH + Duration::from_secs(1_537_231_049 + BACKDATE),
        )
        .await
        .unwrap();
    let answer = account.get("/me", json!({}), json!({})).await;
    way.refused(&answer, "revoked");
    assert_eq!(account.runs(), 1);
}

pub(super) async fn cut_off_at(way: &Way) {
    let account = Account::open(way).await;
    account
        .entra
        .revoke_tokens_issued_before(
            &account.user(),
            UNIX_EPOCH + Duration::from_secs(1_537_231_048 + BACKDATE),
        )
        .await
        .unwrap();
    assert_eq!(account.get("/me", json!({}), json!({})).await.status, 200);
}

pub(super) async fn sign_out(way: &Way) {
    let account = Account::open(way).await;
    let ours = || json!({ "hasgroups": true });
    let theirs = || json!({ "hasgroups": true, "oid": ANOTHER });
    for claims in [ours(), ours(), theirs(), theirs()] {
        assert_eq!(account.group(claims).await.status, 200);
    }
    assert_eq!((account.questions(OID), account.questions(ANOTHER)), (1, 1));
    account.entra.remove_account(&account.user()).await;
    for claims in [ours(), theirs()] {
        assert_eq!(account.group(claims).await.status, 200);
    }
    assert_eq!((account.questions(OID), account.questions(ANOTHER)), (2, 1));
}
