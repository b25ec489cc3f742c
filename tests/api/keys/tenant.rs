//! A tenant known by its domain, whose id the first good document tells.

use std::time::Duration;

use axum_entra::{AllowedTenants, Authority, Clock, Entra, Tenant, TokenVersion, UnixTime};
use entra_emulator::{CONTOSO, Emulator, FABRIKAM, Fault};

use super::{API, HOUR, ask, at_once, client, issuer, jwks, last_error, ready, started};
use crate::clock::{StoppedClock, eventually};
use crate::documents::Page;
use crate::documents::{Documents, discovery_path};
use crate::signer::key;
use crate::token::{KID, OTHER, T0, TENANT, good, good_header, text};

fn by_domain(emulator: &Emulator, domain: &str) -> Entra {
    let authority = Authority::entra(Tenant::new(domain), entra_emulator::API_ID)
        .instance(emulator.url())
        .sts_instance(emulator.url());
    Entra::builder_for(authority).build().unwrap()
}

#[tokio::test]
async fn the_tenant_of_a_domain_is_resolved_and_no_other_is_accepted() {
    let emulator = Emulator::start().await.unwrap();
    let contoso = by_domain(&emulator, "contoso.onmicrosoft.com");
    let of = |tenant: &str| emulator.token().tenant(tenant);
    // The first request waits for the document that tells the tenant.
    for token in [of(CONTOSO).mint(), of(CONTOSO).v1().mint()] {
        assert_eq!(ask(&contoso, &token).await.status, 200);
    }
    for token in [of(FABRIKAM).mint(), of(FABRIKAM).v1().mint()] {
        assert_eq!(ask(&contoso, &token).await.brief(), (401, "issuer".into()));
    }
    let fabrikam = by_domain(&emulator, "Fabrikam.onmicrosoft.com");
    assert_eq!(ask(&fabrikam, &of(FABRIKAM).mint()).await.status, 200);
    assert_eq!(
        ask(&fabrikam, &of(CONTOSO).mint()).await.brief(),
        (401, "issuer".into())
    );
}

#[tokio::test]
async fn before_the_tenant_is_resolved_the_answer_is_503() {
    let clock = StoppedClock::new();
    let emulator = Emulator::start().await.unwrap();
    emulator.inject_fault(Fault::Status(500));
    let entra = by_domain(&emulator, "contoso.onmicrosoft.com");
    let ours = emulator.token().mint();
    let theirs = emulator.token().tenant(FABRIKAM).mint();
    let unavailable = (503, "keys_unavailable".to_owned());
    assert_eq!(ask(&entra, &ours).await.brief(), unavailable);
    assert_eq!(ask(&entra, &theirs).await.brief(), unavailable);
    let strange = emulator.token().issuer("https://evil.example/v2.0").mint();
    assert_eq!(ask(&entra, &strange).await.brief(), (401, "issuer".into()));
    emulator.clear_faults();
    clock
        .pass_until("recovery", Duration::from_secs(5), || {
            entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
        })
        .await;
    assert_eq!(ask(&entra, &ours).await.status, 200);
    assert_eq!(ask(&entra, &theirs).await.brief(), (401, "issuer".into()));
}

/// Contract §7: until a domain's tenant is resolved, any of the many could match.
#[tokio::test]
async fn before_the_tenant_is_resolved_no_other_authority_decides() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let template = "https://login.microsoftonline.com/{tenantid}/v2.0";
    let of = |tenant: &str| template.replace("{tenantid}", tenant);
    let mut jwk = key(0).jwk(KID);
    jwk["issuer"] = template.into();
    documents.put_authority("/common", template, &jwks(&[jwk]));
    let v2_at = |tenant: Tenant, at: &str, audience: &str| {
        Authority::entra(tenant, API)
            .token_versions([TokenVersion::V2])
            .metadata_address(documents.discovery(at))
            .audience(audience)
            .clock_skew(Duration::ZERO)
    };
    let common =
        v2_at(Tenant::Common, "/common", "api://many").allowed_tenants(AllowedTenants::Any);
    let contoso = v2_at(
        Tenant::new("contoso.onmicrosoft.com"),
        "/contoso",
        "api://one",
    );
    let token = |tenant: &str, audience: &str| {
        let mut claims = good();
        claims.insert("iss".into(), of(tenant).into());
        claims.insert("tid".into(), tenant.into());
        claims.insert("aud".into(), audience.into());
        key(0).sign(&text(&good_header()), &text(&claims))
    };
    for [one, other] in [
        [common.clone(), contoso.clone()],
        [contoso.clone(), common.clone()],
    ] {
        documents.put(&discovery_path("/contoso"), Page::status(500));
        let builder = Entra::builder_for(one).authority(other);
        let entra = builder
            .clock(Clock::from_fn(|| UnixTime::from_secs(T0)))
            .http_client(client())
            .build()
            .unwrap();
        let usable = || entra.status().iter().filter(|one| one.is_ready()).count();
        eventually("the keys of common", || usable() == 1).await;
        assert!(!entra.is_ready());
        for tenant in [TENANT, OTHER] {
            for audience in ["api://many", "api://one"] {
                let answer = ask(&entra, &token(tenant, audience)).await;
                assert_eq!(answer.brief(), (503, "keys_unavailable".into()));
            }
        }
        documents.put_authority("/contoso", &of(TENANT), &key(0).jwks(KID));
        clock
            .pass_until("the tenant", Duration::from_secs(2), || usable() == 2)
            .await;
        for (tenant, audience, expected) in [
            (TENANT, "api://one", "in"),
            (TENANT, "api://many", "audience"),
            (OTHER, "api://many", "in"),
            (OTHER, "api://one", "audience"),
        ] {
            let found = at_once(&entra, &token(tenant, audience));
            assert_eq!(found, expected, "{tenant} {audience}");
        }
    }
}

#[tokio::test]
async fn a_resolved_tenant_is_fixed() {
    let (clock, documents) = (StoppedClock::new(), Documents::start().await);
    let of = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let authority = Authority::entra(Tenant::new("contoso.onmicrosoft.com"), API)
        .token_versions([TokenVersion::V2])
        .metadata_address(documents.discovery("/v2"));
    documents.put_authority("/v2", &issuer(), &key(0).jwks(KID));
    let entra = ready(authority.clone()).await;
    let token = key(0).sign(&text(&good_header()), &text(&good()));
    assert_eq!(at_once(&entra, &token), "in");

    documents.put_authority("/v2", &of(OTHER), &key(0).jwks(KID));
    clock.pass(2 * HOUR).await;
    clock
        .pass_until("a refused document", Duration::from_secs(60), || {
            last_error(&entra).is_some()
        })
        .await;
    assert!(last_error(&entra).unwrap().contains("it states the issuer"));
    assert_eq!(at_once(&entra, &token), "in");

    // A template would be every tenant there is.
    documents.put_authority("/v2", &of("{tenantid}"), &key(0).jwks(KID));
    let entra = started(authority);
    eventually("a refused document", || last_error(&entra).is_some()).await;
    assert_eq!(ask(&entra, &token).await.status.as_u16(), 503);
    documents.put(&discovery_path("/v2"), Page::status(404));
}
