//! Keys of a v1.0 document, which name no issuer, bound by the v2.0 document of their authority.
//!
//! Contract section 6, "`issuer` member of a key".

use serde_json::{Value, json};
use std::time::Duration;

use super::jwk;
use crate::authority::issuer::IssuerPattern;
use crate::authority::{Authority, Document};
use crate::jwks::KeySet;
use crate::jwks::snapshot::{FetchOutcome, KeyPublisher, KeyReader, patience, refreshing};
use crate::{AllowedTenants, JwksRefresh, Tenant};

const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const COMPANY: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const V1: &str = "https://sts.windows.net/{tenantid}/";
const V2: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

/// Both documents of `common`.
struct Both {
    documents: Vec<Document>,
    publishers: Vec<KeyPublisher>,
    readers: Vec<KeyReader>,
}

impl Both {
    /// `required`: the v1.0 keys are in use only after the v2.0 document was read.
    fn new(required: bool) -> Self {
        let trust = Authority::entra(Tenant::Common, "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
            .allowed_tenants(AllowedTenants::Any)
            .resolve()
            .unwrap();
        let pairs = (0..2).map(|_| refreshing(&JwksRefresh::default()));
        let (publishers, mut readers): (Vec<_>, Vec<KeyReader>) = pairs.unzip();
        let (first, second) = readers.split_at_mut(1);
        first[0].bind_to(&second[0], required);
        Self {
            documents: trust.documents,
            publishers,
            readers,
        }
    }

    fn answers(&self, document: usize, keys: &[Value]) {
        let json = json!({ "keys": keys }).to_string();
        let stated = IssuerPattern::new([V1, V2][document]);
        let keys = KeySet::read(json.as_bytes(), stated, &self.documents[document]).unwrap();
        let publisher = &self.publishers[document];
        publisher.fetched(keys, Duration::from_secs(7_200), publisher.forgets());
    }

    /// Whether the v1.0 key of an id is for a tenant's tokens.
    fn is_for(&self, kid: &str, tenant: &str) -> bool {
        let keys = self.readers[0].keys().unwrap();
        let issuer = V1.replace("{tenantid}", tenant);
        keys.with_id(kid).iter().any(|key| key.is_for(&issuer))
    }
}

fn first(kid: &str) -> Value {
    jwk(kid, 0xfe)
}

fn second(kid: &str, tenant: &str) -> Value {
    let mut key = first(kid);
    key["issuer"] = json!(V2.replace("{tenantid}", tenant));
    key
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_v2_document_binds_to_a_tenant_is_for_no_other_in_whatever_order() {
    for (v2_first, required) in [(true, true), (false, true), (true, false), (false, false)] {
        let both = Both::new(required);
        let one = || both.answers(0, &[first("bound"), first("free"), first("v1 only")]);
        let two = || {
            let free = second("free", "{tenantid}");
            both.answers(1, &[second("bound", CONSUMERS), free]);
        };
        if v2_first {
            two();
            one();
        } else {
            one();
            let before = both.readers[0].generation();
            if required {
                assert!(both.readers[0].keys().is_none(), "no tenant is known yet");
                assert_eq!(before, None);
            } else {
                assert!(both.is_for("bound", COMPANY), "one tenant has no other");
            }
            two();
            let after = both.readers[0].generation();
            assert!(
                after.is_some() && after != before,
                "cached tokens are checked again"
            );
        }
        assert!(both.is_for("bound", CONSUMERS) && !both.is_for("bound", COMPANY));
        for kid in ["free", "v1 only"] {
            assert!(
                both.is_for(kid, CONSUMERS) && both.is_for(kid, COMPANY),
                "{kid}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_binds_a_key_holds_until_the_v2_document_says_otherwise() {
    let both = Both::new(true);
    both.answers(0, &[first("k")]);
    both.answers(1, &[second("k", CONSUMERS), second("other", "{tenantid}")]);
    // The v2.0 document loses the key for good, or all of its keys.
    both.answers(1, &[second("other", "{tenantid}")]);
    both.readers[1].forget_withdrawn();
    assert!(!both.is_for("k", COMPANY) && both.is_for("k", CONSUMERS));
    both.publishers[1].drop_stale();
    both.answers(0, &[first("k"), first("new")]);
    assert!(!both.is_for("k", COMPANY) && both.is_for("k", CONSUMERS));
    assert!(both.is_for("new", COMPANY));
    // While it has no keys in use, what it said last holds for keys that come anew.
    both.answers(1, &[second("new", CONSUMERS)]);
    both.publishers[1].drop_stale();
    both.answers(0, &[first("k")]);
    both.readers[0].forget_withdrawn();
    both.answers(0, &[first("new")]);
    assert!(!both.is_for("new", COMPANY));
    // It says otherwise.
    both.answers(1, &[second("k", COMPANY), second("new", "{tenantid}")]);
    both.answers(0, &[first("k"), first("new")]);
    assert!(both.is_for("k", COMPANY) && !both.is_for("k", CONSUMERS));
    assert!(both.is_for("new", OTHER));
}

#[tokio::test(start_paused = true)]
async fn two_tenants_of_one_id_are_two_and_another_cloud_is_none() {
    let both = Both::new(true);
    both.answers(0, &[first("two"), first("elsewhere"), first("no tenant")]);
    let mut elsewhere = second("elsewhere", "{tenantid}");
    elsewhere["cloud_instance_name"] = json!("microsoftonline.us");
    let mut without = second("no tenant", COMPANY);
    without["issuer"] = json!("https://login.microsoftonline.com/v2.0");
    both.answers(
        1,
        &[
            second("two", CONSUMERS),
            second("two", COMPANY),
            elsewhere,
            without,
        ],
    );
    assert!(both.is_for("two", CONSUMERS) && both.is_for("two", COMPANY));
    assert!(!both.is_for("two", OTHER));
    for kid in ["elsewhere", "no tenant"] {
        assert!(!both.is_for(kid, COMPANY), "{kid}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_the_first_fetch_of_both_documents() {
    let both = Both::new(true);
    let waiting = || both.readers[0].first_attempt();
    assert!(waiting().is_some());
    both.answers(0, &[first("k")]);
    both.publishers[0].answer(None, true);
    let second = waiting().expect("the v2.0 document is on its way");
    both.answers(1, &[second_of_all("k")]);
    both.publishers[1].answer(None, true);
    assert_eq!(second.arrival(patience()).await, FetchOutcome::Updated);
    assert!(waiting().is_none() && both.is_for("k", COMPANY));
    // One tenant's v1.0 keys wait for their own document only.
    let one = Both::new(false);
    one.answers(0, &[first("k")]);
    one.publishers[0].answer(None, true);
    assert!(one.readers[0].first_attempt().is_none() && one.is_for("k", COMPANY));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_new_in_the_v1_document_has_the_v2_document_read_again() {
    for required in [true, false] {
        let mut both = Both::new(required);
        both.answers(0, &[first("old")]);
        both.answers(1, &[second_of_all("old"), second_of_all("v2 first")]);
        both.answers(0, &[first("old"), first("v2 first")]);
        assert!(!asked(&mut both).await, "every key is known");
        both.answers(0, &[first("old"), first("new")]);
        assert_eq!(asked(&mut both).await, required);
        both.answers(0, &[first("old"), first("new")]);
        assert!(!asked(&mut both).await, "once for each new key");
    }
}

/// Whether the v2.0 document is to be fetched.
async fn asked(both: &mut Both) -> bool {
    let asked = both.publishers[1].asked();
    let asked = tokio::time::timeout(Duration::from_secs(1), asked).await;
    asked.is_ok_and(|ticket| ticket.is_some())
}

fn second_of_all(kid: &str) -> Value {
    second(kid, "{tenantid}")
}
