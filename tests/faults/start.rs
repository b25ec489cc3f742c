//! Trouble from the very beginning.

use std::time::{Duration, Instant};

use axum_entra::{Entra, JwksRefresh, Tenant};

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
    let error = entra.status()[0].jwks[0].last_error.clone();
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

/// Runs in a process of its own, whose environment names no root certificates.
#[test]
#[ignore = "run by static_keys_need_no_root_certificates"]
fn builds_without_root_certificates() {
    const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    let tenant = || Tenant::new("11111111-1111-4111-8111-111111111111");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let emulator = entra_emulator::Emulator::start().await.unwrap();
        let keys = emulator.keys_document().to_string();
        let of_keys = axum_entra::Authority::entra(tenant(), API).static_jwks(keys);
        let entra = Entra::builder_for(of_keys).build().unwrap();
        assert!(entra.is_ready());
        // Its counterpart fetches its keys over TLS.
        let refused = Entra::builder(tenant(), API).build().map(drop).unwrap_err();
        assert!(
            refused.to_string().contains("no root certificates"),
            "{refused}"
        );
    });
}

#[test]
fn static_keys_need_no_root_certificates() {
    let test = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "start::builds_without_root_certificates",
            "--ignored",
        ])
        .env("SSL_CERT_FILE", "/nonexistent/roots.pem")
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&test.stdout);
    assert!(test.status.success() && said.contains("1 passed"), "{said}");
}
