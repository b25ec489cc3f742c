//! Every kind of authority, side by side, with nothing mixed up.

mod clouds;
mod matrix;
mod together;

use std::time::Duration;

use axum_entra::{AllowedTenants, Authority, Entra, Tenant, TokenVersion};
use entra_emulator::{API_ID, App, B2C_POLICY, CONSUMERS, CONTOSO, Emulator, FABRIKAM, NORTHWIND};
use serde_json::json;

use crate::clock::eventually;
use crate::documents::client;
use crate::signer::key;

/// The API whose tokens are signed with keys of its own.
const OWN_KEYS: &str = "dddddddd-1111-4111-8111-111111111111";
/// A tenant that no emulator knows.
const STATIC: &str = "55555555-5555-4555-8555-555555555555";

/// The emulators of one test; two of them have the same tenants and the same keys.
struct World {
    one: Emulator,
    two: Emulator,
    many: Emulator,
    tfp: Emulator,
    custom: Emulator,
}

/// An authority, and a token of its own.
struct Kind {
    name: &'static str,
    authority: Authority,
    token: String,
}

impl World {
    async fn start() -> Self {
        let start = Emulator::start;
        let custom = App::api("own-keys", OWN_KEYS)
            .with_scope("access_as_user")
            .with_custom_keys();
        Self {
            one: start().await.unwrap(),
            two: start().await.unwrap(),
            many: start().await.unwrap(),
            tfp: Emulator::builder().tfp_issuer(true).start().await.unwrap(),
            custom: Emulator::builder().app(custom).start().await.unwrap(),
        }
    }

    fn kinds(&self) -> Vec<Kind> {
        let Self {
            one,
            two,
            many,
            tfp,
            custom,
        } = self;
        let kind = |name, authority, token: String| Kind {
            name,
            authority,
            token,
        };
        let tenant = |emulator: &Emulator, tenant: &str| at(emulator, Tenant::new(tenant), API_ID);
        let b2c = |emulator: &Emulator, policy: &str| {
            Authority::b2c(emulator.url(), Tenant::new(CONTOSO), API_ID, [policy])
        };
        let only = |version| [version];
        let fabrikam = AllowedTenants::only([FABRIKAM.parse().unwrap()]);
        // The same key id as the first emulator's key, and another key.
        let same_id = one.signing_key_id();
        vec![
            kind(
                "contoso v2.0",
                tenant(one, CONTOSO).token_versions(only(TokenVersion::V2)),
                one.token().mint(),
            ),
            kind(
                "contoso v1.0",
                tenant(one, CONTOSO).token_versions(only(TokenVersion::V1)),
                one.token().v1().mint(),
            ),
            kind(
                "fabrikam",
                tenant(one, FABRIKAM),
                one.token().tenant(FABRIKAM).mint(),
            ),
            kind(
                "personal accounts",
                at(one, Tenant::Consumers, API_ID),
                one.token().tenant(CONSUMERS).user("pat").mint(),
            ),
            kind(
                "policy 1",
                b2c(one, B2C_POLICY),
                one.token().policy(B2C_POLICY).mint(),
            ),
            kind(
                "policy 2",
                b2c(one, "b2c_1_EDIT"),
                one.token().policy("B2C_1_edit").mint(),
            ),
            kind(
                "policy in the issuer",
                b2c(tfp, B2C_POLICY),
                tfp.token().policy(B2C_POLICY).mint(),
            ),
            kind(
                "External ID",
                tenant(one, NORTHWIND)
                    .issuer(format!(
                        "https://{NORTHWIND}.ciamlogin.com/{NORTHWIND}/v2.0"
                    ))
                    .token_versions(only(TokenVersion::V2)),
                one.token().user("nina").mint(),
            ),
            kind(
                "contoso in another cloud",
                tenant(two, CONTOSO),
                two.token().mint(),
            ),
            kind(
                "a domain in another cloud",
                at(two, Tenant::new("fabrikam.onmicrosoft.com"), API_ID),
                two.token().tenant(FABRIKAM).v1().mint(),
            ),
            kind(
                "many tenants, of which one",
                at(many, Tenant::Common, API_ID).allowed_tenants(fabrikam),
                many.token().tenant(FABRIKAM).mint(),
            ),
            kind(
                "keys of its own",
                at(custom, Tenant::new(CONTOSO), OWN_KEYS).application_signing_keys(),
                custom.token().audience(OWN_KEYS).mint(),
            ),
            kind(
                "keys available, an id in use elsewhere",
                Authority::entra(Tenant::new(STATIC), API_ID)
                    .static_jwks(key(0).jwks(&same_id).to_string()),
                statically_signed(one, &same_id, 0),
            ),
        ]
    }
}

/// A tenant of an emulator.
fn at(emulator: &Emulator, tenant: Tenant, client: &str) -> Authority {
    Authority::entra(tenant, client)
        .instance(emulator.url())
        .sts_instance(emulator.url())
}

/// The emulator's claims for the tenant with static keys.
fn statically_signed(emulator: &Emulator, kid: &str, number: usize) -> String {
    let claims = emulator
        .token()
        .tenant(STATIC)
        .issuer(format!("https://login.microsoftonline.com/{STATIC}/v2.0"))
        .claims();
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": kid });
    key(number).sign(
        &header.to_string(),
        &serde_json::Value::Object(claims).to_string(),
    )
}

fn together(authorities: impl IntoIterator<Item = Authority>) -> Entra {
    let mut authorities = authorities.into_iter();
    let first = Entra::builder_for(authorities.next().unwrap()).http_client(client());
    let builder = authorities.fold(first, axum_entra::EntraBuilder::authority);
    builder.build().unwrap()
}

async fn has_all_keys(entra: &Entra) {
    eventually("all keys", || {
        let mut keys = entra.status().into_iter().flat_map(|status| status.jwks);
        keys.all(|keys| keys.key_count > 0)
    })
    .await;
}

/// `in`, or the reason of the refusal.
async fn outcome(entra: &Entra, token: &str) -> &'static str {
    let validated = tokio::time::timeout(Duration::from_secs(5), entra.validate(token)).await;
    match validated.expect("an answer within two seconds") {
        Ok(_) => "in",
        Err(rejection) => rejection.reason(),
    }
}
