//! Every row of `tests/vectors/callers.toml`: who is calling, and which principal guards let them in.

use axum_entra::guard::{
    Caller, DenyAgents, DenyGuests, Guard, RequireAccountId, RequireAgent, RequireAppOnly,
    RequireUser,
};
use axum_entra::{AccountId, Authority, Claims, Clock, Entra, Tenant, UnixTime};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::signer::key;
use crate::token::{API, EXP, KID, T0, TENANT, mint};

const OID: &str = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const POLICY: &str = "B2C_1_susi";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    kind: String,
    source: String,
    #[serde(default = "entra")]
    authority: String,
    versions: Vec<String>,
    claims: String,
    optional: String,
    with: Expected,
    without: Expected,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Expected {
    Refused {
        refused: String,
    },
    Accepted {
        principal: String,
        agent: String,
        guest: bool,
        identity: String,
        passes: Vec<String>,
    },
}

fn entra() -> String {
    "entra".to_owned()
}

/// One token, in which one sign decides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sign {
    kind: String,
    #[serde(default = "entra")]
    authority: String,
    #[serde(default = "v2")]
    version: String,
    claims: String,
    expected: Expected,
}

fn v2() -> String {
    "2.0".to_owned()
}

#[derive(Deserialize)]
struct Table {
    caller: Vec<Row>,
    sign: Vec<Sign>,
}

fn table() -> Table {
    toml::from_str(include_str!("../vectors/callers.toml")).unwrap()
}

fn rows() -> Vec<Row> {
    table().caller
}

fn members(text: &str) -> Map<String, Value> {
    let words = [
        ("$client", "75dbe77f-10a3-4e59-85fd-8c127544f17c"),
        ("$agent", "a9e00000-1111-4111-8111-111111111111"),
        ("$blueprint", "b1e00000-1111-4111-8111-111111111111"),
        ("$oid", OID),
        ("$tid", TENANT),
    ];
    let filled = words.iter().fold(text.to_owned(), |text, (word, value)| {
        text.replace(word, value)
    });
    serde_json::from_str(&filled).unwrap()
}

/// The issuer and the tenant of an authority's tokens.
fn home(authority: &str, version: &str) -> (String, &'static str) {
    match (authority, version) {
        ("entra", "1.0") => (format!("https://sts.windows.net/{TENANT}/"), TENANT),
        ("entra", _) => (
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            TENANT,
        ),
        ("consumers", _) => (
            format!("https://login.microsoftonline.com/{CONSUMERS}/v2.0"),
            CONSUMERS,
        ),
        ("external", _) => (
            format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
            TENANT,
        ),
        ("b2c", _) => (
            format!("https://contoso.b2clogin.com/{TENANT}/v2.0/"),
            TENANT,
        ),
        other => panic!("{other:?}"),
    }
}

fn accepting(authority: &str) -> Entra {
    let keys = json!({ "keys": [key(0).jwk(KID)] }).to_string();
    let tenant = Tenant::new(TENANT);
    let authority = match authority {
        "entra" => Authority::entra(tenant, API),
        "consumers" => Authority::entra(Tenant::new(CONSUMERS), API).allow_personal_accounts(),
        "external" => Authority::external_id("contoso", tenant, API),
        "b2c" => Authority::b2c("https://contoso.b2clogin.com", tenant, API, [POLICY]),
        other => panic!("{other}"),
    };
    // One kind has no permissions, which the layer would refuse before any guard.
    let authority = authority
        .static_jwks(keys)
        .danger_allow_tokens_without_permissions();
    let builder = Entra::builder_for(authority).clock(Clock::from_fn(|| UnixTime::from_secs(T0)));
    builder.build().unwrap()
}

fn token(row: &Row, version: &str, has_optional: bool) -> String {
    let mut claims = members(&row.claims);
    if has_optional {
        claims.extend(members(&row.optional));
    }
    token_of(&row.kind, &row.authority, version, claims)
}

fn token_of(kind: &str, authority: &str, version: &str, mut claims: Map<String, Value>) -> String {
    let (issuer, tenant) = home(authority, version);
    let audience = match (authority, version) {
        ("entra", "1.0") if kind != "ID token" => format!("api://{API}"),
        _ => API.to_owned(),
    };
    let common = json!({
        "aud": audience, "iss": issuer, "ver": version,
        "iat": T0 - 300, "nbf": T0 - 300, "exp": EXP,
    });
    claims.extend(common.as_object().unwrap().clone());
    if authority != "b2c" {
        claims.insert("tid".to_owned(), json!(tenant));
        if version == "1.0" {
            for (old, new) in [("appid", "azp"), ("appidacr", "azpacr")] {
                if let Some(value) = claims.remove(new) {
                    claims.insert(old.to_owned(), value);
                }
            }
        }
    }
    mint(&claims)
}

/// What a caller turns out to be.
fn found(entra: &Entra, token: &str) -> Expected {
    let claims = match entra.validate_at(token, UnixTime::from_secs(T0)) {
        Ok(claims) => claims,
        Err(refused) => {
            return Expected::Refused {
                refused: refused.reason().to_owned(),
            };
        }
    };
    let caller = Caller::at(&claims, UnixTime::from_secs(T0));
    let guards: [(&str, &dyn Guard); 7] = [
        ("user", &RequireUser),
        ("app", &RequireAppOnly),
        ("no_agents", &DenyAgents),
        ("no_known_agents", &DenyAgents::known_only()),
        ("agent", &RequireAgent),
        ("no_guests", &DenyGuests),
        ("account", &RequireAccountId),
    ];
    let passes = guards
        .iter()
        .filter(|(_, guard)| guard.check(&caller).is_ok());
    Expected::Accepted {
        principal: claims.principal().as_str().to_owned(),
        agent: agent(&claims).to_owned(),
        guest: claims.is_guest(),
        identity: match claims.account_id() {
            Some(AccountId::Entra { .. }) => "oid",
            Some(AccountId::Subject { .. }) => "sub",
            _ => "none",
        }
        .to_owned(),
        passes: passes.map(|(name, _)| (*name).to_owned()).collect(),
    }
}

fn agent(claims: &Claims) -> &'static str {
    claims.agent().map_or("none", |agent| agent.kind().as_str())
}

#[tokio::test]
async fn each_kind_of_caller_is_told_and_let_in_as_the_table_says() {
    let rows = rows();
    assert_eq!(rows.len(), 13);
    let mut ran = 0;
    let mut wrong = Vec::new();
    for row in &rows {
        assert!(!row.source.is_empty());
        let entra = accepting(&row.authority);
        for version in &row.versions {
            for (has_optional, expected) in [(true, &row.with), (false, &row.without)] {
                let found = found(&entra, &token(row, version, has_optional));
                if found != *expected {
                    let kind = &row.kind;
                    wrong.push(format!("{kind} {version} {has_optional}: {found:?}"));
                }
                ran += 1;
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(ran, 44);
    println!("{ran} kinds of callers");
}

#[tokio::test]
async fn each_sign_by_itself_and_against_the_others_decides_as_the_table_says() {
    let signs = table().sign;
    assert!(signs.len() >= 40, "{}", signs.len());
    let authorities = ["entra", "external", "b2c"].map(|name| (name, accepting(name)));
    let mut wrong = Vec::new();
    for sign in &signs {
        let entra = authorities.iter().find(|(name, _)| *name == sign.authority);
        let claims = members(&sign.claims);
        let token = token_of(&sign.kind, &sign.authority, &sign.version, claims);
        let found = found(&entra.unwrap().1, &token);
        if found != sign.expected {
            wrong.push(format!("{}: {found:?}", sign.kind));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn a_blueprint_is_for_logs_and_no_guard_takes_it() {
    let rows = rows();
    let row = rows
        .iter()
        .find(|row| row.kind == "autonomous agent")
        .unwrap();
    let claims = accepting("entra")
        .validate_at(&token(row, "2.0", true), UnixTime::from_secs(T0))
        .unwrap();
    let agent = claims.agent().unwrap();
    assert_eq!(
        agent.blueprint_id(),
        Some("b1e00000-1111-4111-8111-111111111111")
    );
    assert_eq!(
        agent.application_id(),
        Some("a9e00000-1111-4111-8111-111111111111")
    );
    let caller = Caller::at(&claims, UnixTime::from_secs(T0));
    let by_client = axum_entra::guard::RequireClientId("b1e00000-1111-4111-8111-111111111111");
    assert!(by_client.check(&caller).is_err());
}
