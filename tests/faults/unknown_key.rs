//! Trouble while a token with a new key id waits.

use std::time::{Duration, Instant};

use axum_entra::JwksRefresh;

use crate::authority::{Authority, BOTH, BadAnswer, Document, FAULTS, in_the_end, outcome};

async fn rolls_over_with(fault: BadAnswer, document: Document) {
    let what = format!("{fault:?} of {document:?}");
    let authority = Authority::start().await;
    let freshness = JwksRefresh::default()
        .timeout(Duration::from_millis(300))
        .unknown_kid_cooldown(Duration::from_secs(1))
        .withdrawal_grace(Duration::ZERO);
    let entra = authority.entra(freshness);
    let (known, unknown) = (authority.first_token(), authority.second_token());
    in_the_end(&entra, &known, "in", &what).await;
    authority.roll_over();
    authority.fault(fault, document);
    let start = Instant::now();
    let answer = outcome(&entra, &unknown).await;
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "{what}: a stuck request"
    );
    if (fault, document) == (BadAnswer::OtherTenant, Document::Keys) {
        // The fetch was good, and so is the key, for another tenant; a busy machine may need two.
        in_the_end(&entra, &unknown, "issuer", &what).await;
        return;
    }
    // What cannot be decided is no 401, which would make clients throw a good token away.
    assert_eq!(answer, "keys_unavailable", "{what}");
    // Known keys are none of this trouble's business.
    let start = Instant::now();
    assert_eq!(outcome(&entra, &known).await, "in", "{what}");
    assert!(
        start.elapsed() < Duration::from_millis(250),
        "{what}: waited"
    );
    authority.repair();
    in_the_end(&entra, &unknown, "in", &what).await;
    // Behind the cooldown this asks again, and on a busy machine it may ask without success.
    in_the_end(&entra, &known, "unknown_key", &what).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authority_in_trouble_at_a_rollover_costs_no_good_token() {
    let mut cases = tokio::task::JoinSet::new();
    for fault in FAULTS {
        for document in BOTH {
            cases.spawn(rolls_over_with(fault, document));
        }
    }
    let mut survived = 0;
    while let Some(case) = cases.join_next().await {
        case.unwrap();
        survived += 1;
    }
    println!("{survived} faults at a rollover survived");
    assert_eq!(survived, 34);
}
