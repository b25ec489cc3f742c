//! What a valid token says through the typed claims, where no guard asks for it.

use std::time::Duration;

use axum_entra::{AuthenticationMethod, Claims, UnixTime};
use serde_json::{Value, json};

use crate::token::{EXP, T0, TENANT, authority, built, mint, with};

fn claims(changes: Value) -> Claims {
    built(authority())
        .validate_at(&mint(&with(changes)), UnixTime::from_secs(T0))
        .unwrap()
}

#[tokio::test]
async fn claims_of_v1_tokens_are_read_where_they_are() {
    let full = claims(json!({
        "ver": "1.0",
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "ipaddr": "192.0.2.7",
        "onprem_sid": "S-1-5-21-1-2-3-1001",
        "pwd_exp": 3_600,
        "pwd_url": "https://portal.example/password",
        "in_corp": true,
        "nickname": "abe",
        "family_name": "Lincoln",
        "given_name": "Abe",
        "upn": "abe@contoso.example",
        "unique_name": "abe@contoso.example",
    }));
    assert_eq!(full.ip_address(), Some("192.0.2.7"));
    assert_eq!(full.on_premises_sid(), Some("S-1-5-21-1-2-3-1001"));
    assert_eq!(full.password_expiry(), Some(3_600));
    assert_eq!(full.password_url(), Some("https://portal.example/password"));
    assert!(full.in_corporate_network());
    assert_eq!(full.profile().nickname(), Some("abe"));
    assert_eq!(full.profile().family_name(), Some("Lincoln"));
    assert_eq!(full.profile().given_name(), Some("Abe"));
    assert_eq!(full.profile().upn(), Some("abe@contoso.example"));
    assert_eq!(full.profile().unique_name(), Some("abe@contoso.example"));

    // As a v2.0 token comes unless they are asked for.
    let usual = claims(json!({}));
    assert_eq!(usual.ip_address(), None);
    assert_eq!(usual.on_premises_sid(), None);
    assert_eq!(usual.password_expiry(), None);
    assert_eq!(usual.password_url(), None);
    assert!(!usual.in_corporate_network());
    assert_eq!(usual.profile().nickname(), None);
    assert_eq!(usual.profile().upn(), None);

    // They inform; an odd one is no reason to refuse.
    let odd = claims(json!({ "ipaddr": 7, "pwd_exp": "soon", "in_corp": 1, "upn": [] }));
    assert_eq!(odd.ip_address(), None);
    assert_eq!(odd.password_expiry(), None);
    assert!(!odd.in_corporate_network());
    assert_eq!(odd.profile().upn(), None);
}

#[tokio::test]
async fn an_unknown_method_is_kept_as_it_is() {
    let several = claims(json!({ "amr": ["wia", "foo", "mfa"] }));
    let methods: Vec<_> = several.authentication_methods().collect();
    assert_eq!(
        methods,
        [
            AuthenticationMethod::WindowsIntegrated,
            AuthenticationMethod::Other("foo"),
            AuthenticationMethod::MultiFactor,
        ]
    );
}

#[tokio::test]
async fn a_personal_account_is_known_by_its_tenant_or_its_identity_provider() {
    let consumers = "9188040d-6c67-4c5b-b112-36a304b66dad";
    for (provider, personal) in [
        ("live.com".to_owned(), true),
        (format!("https://sts.windows.net/{consumers}/"), true),
        (
            format!("https://login.microsoftonline.com/{consumers}/v2.0"),
            true,
        ),
        ("https://sts.windows.net/other/".to_owned(), false),
        ("google.com".to_owned(), false),
    ] {
        let guest = claims(json!({ "idp": provider }));
        assert!(guest.is_guest(), "{provider}");
        assert_eq!(guest.is_personal_account(), personal, "{provider}");
    }
    assert!(!claims(json!({})).is_personal_account());
}

#[tokio::test]
async fn no_lifetime_is_too_long() {
    let day_and_more = 28 * 3_600;
    let long = claims(json!({ "exp": T0 - 100 + day_and_more }));
    let lifetime = long.expires_at().duration_since(long.issued_at().unwrap());
    assert_eq!(lifetime, Some(Duration::from_secs(day_and_more)));
    assert!(long.expires_at().as_secs() > EXP);
}

#[tokio::test]
async fn both_versions_name_the_client_in_the_same_place() {
    let v2 = claims(json!({}));
    let v1 = claims(json!({
        "ver": "1.0",
        "iss": format!("https://sts.windows.net/{TENANT}/"),
        "azp": null,
        "azpacr": null,
        "appid": "75dbe77f-10a3-4e59-85fd-8c127544f17c",
        "appidacr": "0",
    }));
    assert_eq!(v1.client_id(), v2.client_id());
    assert_eq!(v1.client_auth_method(), v2.client_auth_method());
    assert!(v1.client_id().is_some() && v1.client_auth_method().is_some());
}
