//! Trouble from the very beginning.

use std::time::{Duration, Instant};

use axum_entra::JwksRefresh;

use crate::authority::{Authority, BOTH, BadAnswer, Document, FAULTS, in_the_end, outcome};

async fn starts_with(fault: BadAnswer, document: Document) {
    let what = format!("{fault:?} of {document:?}");
    let authority = Authority::start().await;
    authority.fault(fault, document);
    let freshness = JwksRefresh::default().timeout(Duration::from_millis(300));
    let entra = authority.entra(freshness);
    let token = authority.first_token();
    let start = Instant::now();
    let first = outcome(&entra, &token).await;
    if (fault, document) == (BadAnswer::OtherTenant, Document::Keys) {
        // A key of another tenant is a good key, for that tenant.
        assert_eq!(first, "issuer", "{what}");
    } else {
        assert_eq!(first, "keys_unavailable", "{what}");
        assert!(!entra.is_ready(), "{what}");
    }
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{what}: a stuck request"
    );
    let error = entra.status()[0].keys[0].last_error.clone();
    assert_eq!(error.is_none(), first == "issuer", "{what}: {error:?}");
    authority.repair();
    if first != "issuer" {
        in_the_end(&entra, &token, "in", &what).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_in_trouble_at_the_start_is_picked_up_later_without_a_restart() {
    let mut cases = tokio::task::JoinSet::new();
    for fault in FAULTS {
        for document in BOTH {
            cases.spawn(starts_with(fault, document));
        }
    }
    let mut survived = 0;
    while let Some(case) = cases.join_next().await {
        case.unwrap();
        survived += 1;
    }
    println!("{survived} faults at the start survived");
    assert_eq!(survived, 34);
}
