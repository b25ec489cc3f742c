//! Several authorities in one service: what they share (nothing) and what clashes.

use std::collections::BTreeSet;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use axum_entra::{AllowedTenants, Authority, ConfigError, Entra, Tenant, UnixTime};
use entra_emulator::{API_ID, CONSUMERS, CONTOSO, Emulator, FABRIKAM, Fault};
use uuid::Uuid;

use super::{at, has_all_keys, outcome, together};
use crate::clock::{StoppedClock, eventually};
use crate::signer::key;
use crate::token::{good, good_header, text};

#[tokio::test]
async fn an_authority_out_of_reach_leaves_the_others_alone() {
    let clock = StoppedClock::new();
    let (one, two) = (
        Emulator::start().await.unwrap(),
        Emulator::start().await.unwrap(),
    );
    two.inject_fault(Fault::Status(500));
    let contoso = |emulator: &Emulator| at(emulator, Tenant::new(CONTOSO), API_ID);
    let entra = together([contoso(&one), contoso(&two)]);
    eventually("the first's keys", || {
        entra.status()[0].jwks.iter().all(|keys| keys.key_count > 0)
    })
    .await;
    eventually("the second's failure", || {
        entra.status()[1]
            .jwks
            .iter()
            .all(|keys| keys.last_error.is_some())
    })
    .await;
    assert_eq!(outcome(&entra, &one.token().mint()).await, "in");
    assert_eq!(outcome(&entra, &one.token().v1().mint()).await, "in");
    assert_eq!(
        outcome(&entra, &two.token().mint()).await,
        "keys_unavailable"
    );
    assert!(!entra.is_ready(), "ready are all or none");
    let status = entra.status();
    assert!(status[0].is_ready() && !status[1].is_ready());
    assert_eq!(status[0].name, format!("{}/{CONTOSO}", one.url()));
    assert!(status[0].jwks.iter().all(|keys| keys.last_error.is_none()));
    let documents: Vec<_> = status[1]
        .jwks
        .iter()
        .map(|keys| keys.name.as_str())
        .collect();
    assert_eq!(documents, ["1.0", "2.0"]);
    two.clear_faults();
    clock
        .pass_until("recovery", Duration::from_secs(5), || {
            entra.status()[1].is_ready()
        })
        .await;
    assert!(entra.is_ready());
    assert_eq!(outcome(&entra, &two.token().mint()).await, "in");
}

#[tokio::test]
async fn an_unknown_key_of_one_authority_uses_up_no_other_ones_cooldown() {
    let _clock = StoppedClock::new();
    let (one, two) = (
        Emulator::start().await.unwrap(),
        Emulator::start().await.unwrap(),
    );
    let contoso = |emulator: &Emulator| at(emulator, Tenant::new(CONTOSO), API_ID);
    let entra = together([contoso(&one), contoso(&two)]);
    has_all_keys(&entra).await;
    let fetches = two.request_counts().keys;
    let unknown = one.token().header("kid", "unknown-kid").mint();
    assert_eq!(outcome(&entra, &unknown).await, "unknown_key");
    assert_eq!(two.request_counts().keys, fetches);
    one.rotate_keys();
    two.rotate_keys();
    assert_eq!(
        outcome(&entra, &one.token().mint()).await,
        "unknown_key",
        "within its cooldown"
    );
    assert_eq!(outcome(&entra, &two.token().mint()).await, "in");
}

#[tokio::test]
async fn two_authorities_cannot_claim_one_issuer() {
    let emulator = Emulator::start().await.unwrap();
    let contoso = || at(&emulator, Tenant::new(CONTOSO), API_ID);
    let many = || at(&emulator, Tenant::Common, API_ID).allowed_tenants(AllowedTenants::Any);
    let policy = |name: &str| Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, [name]);
    let clash = |one: Authority, other: Authority| {
        matches!(
            Entra::builder_for(one).authority(other).build(),
            Err(ConfigError::DuplicateIssuer { .. })
        )
    };
    assert!(clash(contoso(), contoso().audience("api://other")));
    assert!(clash(many(), many()));
    let organizations = at(&emulator, Tenant::Organizations, API_ID);
    assert!(clash(
        many(),
        organizations.allowed_tenants(AllowedTenants::Any)
    ));
    assert!(clash(policy("B2C_1_a"), policy("B2C_1_b")));
    assert!(clash(
        at(&emulator, Tenant::Consumers, API_ID),
        at(&emulator, Tenant::new(CONSUMERS), API_ID)
    ));
    // A tenant beside many is no clash: it is the more exact of the two.
    assert!(!clash(contoso(), many()));
    assert!(!clash(contoso(), policy("B2C_1_a")));
    let domain = |name: &str| at(&emulator, Tenant::new(name), API_ID);
    assert!(!clash(
        domain("contoso.onmicrosoft.com"),
        domain("fabrikam.onmicrosoft.com")
    ));
}

#[tokio::test]
async fn a_tenant_beside_many_is_judged_by_its_own_rules_in_either_order() {
    let emulator = Emulator::start().await.unwrap();
    let many = at(&emulator, Tenant::Common, API_ID)
        .allowed_tenants(AllowedTenants::Any)
        .audience("api://many");
    let by_id = at(&emulator, Tenant::new(CONTOSO), API_ID).audience("api://contoso");
    let by_domain = at(&emulator, Tenant::new("contoso.onmicrosoft.com"), API_ID);
    let by_domain = by_domain.audience("api://contoso");
    for one in [by_id, by_domain] {
        for authorities in [[one.clone(), many.clone()], [many.clone(), one]] {
            let entra = together(authorities);
            has_all_keys(&entra).await;
            let token = |tenant: &str, audience: &str| {
                emulator.token().tenant(tenant).audience(audience).mint()
            };
            for (tenant, audience, expected) in [
                (CONTOSO, "api://contoso", "in"),
                (CONTOSO, "api://many", "audience"),
                (FABRIKAM, "api://many", "in"),
                (FABRIKAM, "api://contoso", "audience"),
            ] {
                let found = outcome(&entra, &token(tenant, audience)).await;
                assert_eq!(found, expected, "{tenant} {audience}");
            }
        }
    }
}

#[tokio::test]
async fn many_tenants_are_a_choice_and_personal_accounts_another() {
    let emulator = Emulator::start().await.unwrap();
    let common = || at(&emulator, Tenant::Common, API_ID);
    assert!(
        Entra::builder_for(common()).build().is_err(),
        "a choice must be made"
    );
    let organizations = at(&emulator, Tenant::Organizations, API_ID);
    assert!(Entra::builder_for(organizations).build().is_err());
    let only_contoso = || AllowedTenants::only([CONTOSO.parse::<Uuid>().unwrap()]);
    assert!(
        Entra::builder_for(common().allowed_tenants(AllowedTenants::only([])))
            .build()
            .is_err()
    );
    for (authority, contoso, fabrikam, personal) in [
        (
            common().allowed_tenants(AllowedTenants::Any),
            "in",
            "in",
            "tenant_not_allowed",
        ),
        (
            common().allowed_tenants(only_contoso()),
            "in",
            "tenant_not_allowed",
            "tenant_not_allowed",
        ),
        (
            common()
                .allowed_tenants(only_contoso())
                .allow_personal_accounts(),
            "in",
            "tenant_not_allowed",
            "in",
        ),
    ] {
        let entra = together([authority]);
        has_all_keys(&entra).await;
        let of = |tenant: &str| emulator.token().tenant(tenant).mint();
        assert_eq!(outcome(&entra, &of(CONTOSO)).await, contoso);
        assert_eq!(outcome(&entra, &of(FABRIKAM)).await, fabrikam);
        assert_eq!(outcome(&entra, &of(CONSUMERS)).await, personal);
        let v1 = emulator.token().tenant(FABRIKAM).v1().mint();
        assert_eq!(outcome(&entra, &v1).await, fabrikam);
    }
}

#[tokio::test]
async fn a_tenant_list_of_the_application_decides_for_known_tokens_too() {
    let emulator = Emulator::start().await.unwrap();
    let customers = Arc::new(RwLock::new(BTreeSet::<Uuid>::new()));
    let known = Arc::clone(&customers);
    let tenants = AllowedTenants::from_fn(move |tenant| known.read().unwrap().contains(&tenant));
    let entra = together([at(&emulator, Tenant::Organizations, API_ID).allowed_tenants(tenants)]);
    has_all_keys(&entra).await;
    let of = |tenant: &str| emulator.token().tenant(tenant).mint();
    let (contoso, fabrikam) = (of(CONTOSO), of(FABRIKAM));
    assert_eq!(outcome(&entra, &contoso).await, "tenant_not_allowed");
    for _ in 0..2 {
        customers.write().unwrap().insert(CONTOSO.parse().unwrap());
        // The second time the token is in the cache.
        assert_eq!(outcome(&entra, &contoso).await, "in");
        assert_eq!(outcome(&entra, &contoso).await, "in");
        assert_eq!(outcome(&entra, &fabrikam).await, "tenant_not_allowed");
        customers.write().unwrap().clear();
        assert_eq!(outcome(&entra, &contoso).await, "tenant_not_allowed");
    }
}

/// An authority is found by its issuer, in the same time however many there are.
#[tokio::test]
async fn a_thousand_authorities_are_as_quick_as_one() {
    let jwks = key(0).jwks("k").to_string();
    let tenant = |number: u128| Uuid::from_u128(0x4000_8000_0000_0000_0000 + number);
    let token = |number: u128| {
        let (mut header, mut claims) = (good_header(), good());
        header.insert("kid".into(), "k".into());
        let issuer = format!("https://login.microsoftonline.com/{}/v2.0", tenant(number));
        claims.insert("iss".into(), issuer.into());
        claims.insert("tid".into(), tenant(number).to_string().into());
        claims.insert("aud".into(), API_ID.into());
        key(0).sign(&text(&header), &text(&claims))
    };
    let mut times = Vec::new();
    for count in [1, 10, 1_000] {
        let entra = together((0..count).map(|number| {
            Authority::entra(Tenant::Id(tenant(number)), API_ID).static_jwks(jwks.clone())
        }));
        let own = token(count - 1);
        assert!(
            entra
                .validate_at(&own, UnixTime::from_secs(crate::token::T0))
                .is_ok()
        );
        let unconfigured = token(count);
        let start = Instant::now();
        for _ in 0..500 {
            let refused = entra
                .validate_at(&unconfigured, UnixTime::from_secs(crate::token::T0))
                .unwrap_err();
            assert_eq!(refused.reason(), "issuer");
        }
        times.push((count, start.elapsed() / 500));
    }
    println!("a token of no authority, refused: {times:?}");
    assert!(times[2].1 < times[0].1 * 10 + Duration::from_millis(1));
}
