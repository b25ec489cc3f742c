//! Which Microsoft Graph is asked: that of the authority's own cloud, or none.

use axum_entra::graph::{ClientCredential, GraphConfig};
use axum_entra::settings::Settings;
use axum_entra::{Authority, Cloud, ConfigError, Entra, EntraBuilder, Tenant, TokenVersion};
use serde_json::{Value, json};

const TENANT: &str = "11111111-1111-4111-8111-111111111111";
const API: &str = "6e74172b-be56-4843-9ff4-e66a39bb12e3";

/// Settings with a secret for an authority that is never reached.
fn built(section: &str, more: Value) -> Result<(), String> {
    let mut own = json!({
        "TenantId": TENANT, "ClientId": API, "ClientSecret": "s",
        "Domain": "contoso.onmicrosoft.com",
    });
    for (name, value) in more.as_object().unwrap() {
        own[name] = value.clone();
    }
    if section == "AzureAdB2C" {
        own["SignUpSignInPolicyId"] = json!("b2c_1_susi");
    }
    let text = json!({ section: own }).to_string();
    let settings = Settings::from_parts(Some(("file", &text)), []).unwrap();
    let built = EntraBuilder::from_settings(&settings).and_then(EntraBuilder::build);
    built
        .map(drop)
        .map_err(|error: ConfigError| error.to_string())
}

#[tokio::test]
async fn an_instance_of_no_known_cloud_needs_its_graph_named_and_known_ones_do_not() {
    let missing = "Graph:BaseUrl: missing, expected the URL of the tenant's Microsoft Graph, since \
                   Instance does not tell its cloud";
    let instance = |host: &str| json!({ "Instance": format!("https://{host}/") });
    for known in [
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.sovcloud-identity.fr",
        "login.sovcloud-identity.de",
        "login.sovcloud-identity.sg",
        "contoso.ciamlogin.com",
        "contoso.b2clogin.com",
    ] {
        assert_eq!(built("AzureAd", instance(known)), Ok(()), "{known}");
    }
    for unknown in ["login.contoso.example", "login.sovcloud-identity.example"] {
        let refused = built("AzureAd", instance(unknown));
        assert_eq!(refused, Err(missing.to_owned()), "{unknown}");
        let mut named = instance(unknown);
        named["Graph"] = json!({ "BaseUrl": "https://graph.contoso.example/v1.0" });
        assert_eq!(built("AzureAd", named), Ok(()), "{unknown}");
        // Who asks nothing needs no Graph.
        let mut silent = instance(unknown);
        silent["ClientSecret"] = Value::Null;
        assert_eq!(built("AzureAd", silent), Ok(()), "{unknown}");
        // The B2C section belongs to the public cloud.
        assert_eq!(built("AzureAdB2C", instance(unknown)), Ok(()), "{unknown}");
    }
}

#[tokio::test]
async fn a_cloud_that_is_told_in_code_has_its_graph() {
    let authority = || {
        Authority::entra(Tenant::new(TENANT), API)
            .instance("https://login.contoso.example/")
            .token_versions([TokenVersion::V2])
    };
    let access = || GraphConfig::new(ClientCredential::secret("s"));
    let build = |authority: Authority| Entra::builder_for(authority).graph(access()).build();
    assert!(build(authority()).is_err());
    assert!(build(authority().cloud(Cloud::UsGovernmentDod)).is_ok());
}
