//! A section as a whole: defaults, what is needed, what must fit together.

use super::*;
use crate::StoreFailurePolicy;

#[test]
fn an_appsettings_file_of_microsofts_template_loads_unchanged() {
    let text = r#"
/*
The following identity settings need to be configured
before the project can be successfully executed.
For more info see https://aka.ms/dotnet-template-ms-identity-platform
*/
{
  "AzureAd": {
    "Instance": "https://login.microsoftonline.com/",
    "Domain": "contoso.onmicrosoft.com",
    "TenantId": "11111111-1111-4111-8111-111111111111",
    "ClientId": "22222222-2222-4222-8222-222222222222",

    "CallbackPath": "/signin-oidc", // of web apps
    "SignedOutCallbackPath": "/signout-callback-oidc",
    "Scopes": "access_as_user",
    "ClientSecret": "",
    "ClientCertificates": [ { "SourceType": "KeyVault", "KeyVaultUrl": "https://contoso.vault.azure.net" } ],
    "ClientCapabilities": [ "cp1" ],
    "SendX5C": true,
  },
  "DownstreamApi": { "BaseUrl": "https://graph.microsoft.com/v1.0", "Scopes": "user.read" },
  "Logging": { "LogLevel": { "Default": "Information", "Microsoft.AspNetCore": "Warning" } },
  "AllowedHosts": "*"
}
"#;
    let settings = load(text, []).unwrap();
    assert!(!settings.is_empty() && settings.b2c.is_none());
    let warned: Vec<&str> = settings
        .warnings()
        .iter()
        .filter_map(|warning| warning.split(' ').next())
        .collect();
    let expected = [
        "CallbackPath",
        "ClientCapabilities",
        "SendX5C",
        "SignedOutCallbackPath",
        "ClientCertificates:0",
    ];
    assert_eq!(warned, expected.map(|key| format!("AzureAd:{key}")));

    let section = settings.entra.unwrap();
    assert_eq!(
        section.authority.instance.as_deref(),
        Some("https://login.microsoftonline.com/")
    );
    assert_eq!(tenant(&section), Tenant::new(TENANT));
    assert_eq!(section.authority.client_id, API);
    assert_eq!(section.lists.needed, ["access_as_user"]);
    assert!(section.credentials.is_empty());
}

#[test]
fn what_is_not_given_has_the_default_of_the_contract() {
    let section = entra("");
    let own = &section.authority;
    assert!(own.audiences.is_empty() && section.lists.needed.is_empty());
    assert!(
        own.instance.is_none()
            && own.issuer.is_none()
            && section.redis_url.is_none()
            && own.allowed_tenants.is_none()
    );
    assert!(!own.personal_accounts && !own.without_permissions && !own.application_signing_keys);
    assert_eq!(own.versions, [TokenVersion::V1, TokenVersion::V2]);
    let resolved = own.clone().resolve().unwrap();
    assert_eq!(resolved.clock_skew, 300);
    // Entra ID and External ID backdate `iat`, B2C does not.
    assert_eq!(resolved.backdate.seconds(), 300);
    let policy = r#""SignUpSignInPolicyId":"B2C_1_susi""#;
    let b2c = load(&b2c_file(policy), []).unwrap().b2c.unwrap();
    assert_eq!(b2c.authority.resolve().unwrap().backdate.seconds(), 0);
    assert_eq!(
        (section.max_token_bytes, section.token_cache_bytes),
        (None, None)
    );
    let keys = JwksRefresh::default()
        .interval(Duration::from_secs(3_600))
        .unknown_kid_cooldown(Duration::from_secs(30))
        .withdrawal_grace(Duration::from_secs(7_200))
        .timeout(Duration::from_secs(5))
        .max_document_size(1_048_576);
    assert_eq!(section.authority.freshness, keys);
    assert_eq!(keys.most_stale(), Duration::from_secs(86_400));
    assert!(section.graph.resolve_groups && !section.graph.check_sessions);
    assert_eq!(section.graph.cache, Duration::from_secs(300));
    assert_eq!(
        StoreFailurePolicy::default(),
        StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(600))
    );
}

#[test]
fn what_the_contract_needs_must_be_given() {
    let missing = |text: &str| one_line(load(text, []).expect_err(text));
    assert!(
        missing(&format!(r#"{{"AzureAd":{{"ClientId":"{API}"}}}}"#))
            .starts_with("AzureAd:TenantId is not given: expected a GUID, a domain")
    );
    assert!(
        missing(&format!(r#"{{"AzureAd":{{"TenantId":"{TENANT}"}}}}"#))
            .starts_with("AzureAd:ClientId is not given: expected a GUID")
    );
    for tenant in ["common", "Organizations"] {
        let open = |more: &str| {
            format!(r#"{{"AzureAd":{{"TenantId":"{tenant}","ClientId":"{API}"{more}}}}}"#)
        };
        assert!(missing(&open("")).starts_with(
            "AzureAd:AllowedTenants is not given: expected a list of GUIDs, or \"any\""
        ));
        assert!(load(&open(r#","AllowedTenants":"any""#), []).is_ok());
        assert!(load(&open(&format!(r#","AllowedTenants":["{TENANT}"]"#)), []).is_ok());
    }
    assert!(
        load(
            &format!(r#"{{"AzureAd":{{"TenantId":"consumers","ClientId":"{API}"}}}}"#),
            []
        )
        .is_ok()
    );
    assert!(
        missing(&format!(
            r#"{{"AzureAd":{{"TenantId":"comon","ClientId":"{API}"}}}}"#
        ))
        .starts_with("AzureAd:TenantId = \"comon\"")
    );
}

#[test]
fn stale_keys_are_as_old_as_two_refreshes_at_least() {
    assert!(
        entra_error(r#""Keys":{"RefreshSeconds":7200,"MaxStaleSeconds":14399}"#)
            .contains("from 14400, which is twice RefreshSeconds, to 604800")
    );
    let stale = |keys: &str| {
        let section = entra(&format!(r#""Keys":{{{keys}}}"#));
        section.authority.freshness.most_stale().as_secs()
    };
    assert_eq!(
        stale(r#""RefreshSeconds":7200,"MaxStaleSeconds":14400"#),
        14_400
    );
    // The default is a day, or more where that would be too little.
    assert_eq!(stale(r#""RefreshSeconds":43200"#), 86_400);
    assert_eq!(stale(r#""RefreshSeconds":86400"#), 172_800);
}

#[test]
fn b2c_alone_is_enough_and_needs_a_policy() {
    let b2c = |members: &str| load(&b2c_file(members), []);
    let settings =
        b2c(r#""SignUpSignInPolicyId":"B2C_1_susi","Policies":["b2c_1_SUSI","B2C_1_edit"]"#)
            .unwrap();
    assert!(settings.entra.is_none());
    assert_eq!(
        policies(&settings.b2c.unwrap()),
        ["B2C_1_susi", "B2C_1_edit"]
    );

    assert!(
        one_line(b2c("").unwrap_err()).starts_with("AzureAdB2C:SignUpSignInPolicyId is not given")
    );
    assert!(
        one_line(b2c(r#""SignUpSignInPolicyId":"""#).unwrap_err())
            .starts_with("AzureAdB2C:SignUpSignInPolicyId is not given")
    );
    assert!(
        one_line(b2c(r#""Policies":["a"],"TenantId":"common""#).unwrap_err())
            .starts_with("AzureAdB2C:TenantId = \"common\"")
    );
    let few = |members: &str| {
        one_line(
            load(
                &format!(r#"{{"AzureAdB2C":{{"Policies":["a"],{members}}}}}"#),
                [],
            )
            .unwrap_err(),
        )
    };
    assert!(few(&format!(r#""ClientId":"{API}""#)).starts_with("AzureAdB2C:Instance is not given"));
    assert!(few(r#""Domain":"contoso""#).starts_with("AzureAdB2C:Domain = \"contoso\""));
    // Of Entra ID it decides nothing.
    entra(r#""Domain":"[Enter the domain of your tenant]""#);
    assert!(
        few(&format!(
            r#""ClientId":"{API}","Instance":"https://contoso.b2clogin.com""#
        ))
        .starts_with("AzureAdB2C:Domain is not given")
    );
    assert!(
        few(&format!(
            r#""TenantId":"{TENANT}","Instance":"https://contoso.b2clogin.com""#
        ))
        .starts_with("AzureAdB2C:ClientId is not given")
    );
}

#[test]
fn several_policies_need_their_place_in_a_metadata_address() {
    let with = |address: &str, policies: &str| {
        load(
            &b2c_file(&format!(
                r#""MetadataAddress":"{address}","Policies":[{policies}]"#
            )),
            [],
        )
    };
    let place = "https://contoso.b2clogin.com/x/{policy}/v2.0/.well-known/openid-configuration";
    let settings = with(place, r#""a","b""#).unwrap();
    assert_eq!(
        settings.b2c.unwrap().authority.metadata.as_deref(),
        Some(place)
    );
    assert!(with("https://contoso.com/x?p={policy}", r#""a""#).is_ok());
    assert!(with("https://contoso.com/x", r#""a""#).is_ok());
    let line = one_line(with("https://contoso.com/x", r#""a","b""#).unwrap_err());
    assert!(
        line.starts_with("AzureAdB2C:MetadataAddress = \"https://contoso.com/x\"")
            && line.contains("{policy}"),
        "{line}"
    );
}

#[test]
fn an_authority_stands_for_instance_and_tenant_and_must_agree_with_them() {
    let only = |authority: &str| {
        load(
            &format!(r#"{{"AzureAd":{{"Authority":"{authority}","ClientId":"{API}"}}}}"#),
            [],
        )
        .map(|settings| settings.entra.unwrap())
    };
    let section = only("https://login.microsoftonline.us/contoso.com/v2.0").unwrap();
    assert_eq!(
        section.authority.instance.as_deref(),
        Some("https://login.microsoftonline.us/")
    );
    assert_eq!(tenant(&section), Tenant::Domain("contoso.com".to_owned()));
    let external = only("https://contoso.ciamlogin.com/").unwrap();
    assert_eq!(
        tenant(&external),
        Tenant::Domain("contoso.onmicrosoft.com".to_owned())
    );
    for bad in [
        "https://login.microsoftonline.com/",
        "https://login.microsoftonline.com/a.com/b/v2.0",
        "https://login.microsoftonline.com/comon",
    ] {
        assert!(
            one_line(only(bad).expect_err(bad)).contains("expected https://HOST/TENANT"),
            "{bad}"
        );
    }
    assert!(
        one_line(only("https://login.microsoftonline.com/common").unwrap_err())
            .starts_with("AzureAd:AllowedTenants is not given")
    );

    let agreeing = format!(
        r#""Authority":"https://login.microsoftonline.com/{TENANT}","Instance":"https://login.microsoftonline.com""#
    );
    entra(&agreeing);
    assert!(
        entra_error(r#""Authority":"https://login.microsoftonline.com/contoso.com""#)
            .starts_with("AzureAd:Authority = ")
    );
    let other_host = format!(
        r#""Authority":"https://login.microsoftonline.us/{TENANT}","Instance":"https://login.microsoftonline.com""#
    );
    assert!(entra_error(&other_host).contains("expected the host of Instance"));

    let b2c = |authority: &str, more: &str| {
        load(
            &b2c_file(&format!(
                r#""Authority":"https://contoso.b2clogin.com/{authority}"{more}"#
            )),
            [],
        )
    };
    assert_eq!(
        policies(
            &b2c("tfp/contoso.onmicrosoft.com/B2C_1_susi/v2.0", "")
                .unwrap()
                .b2c
                .unwrap()
        ),
        ["B2C_1_susi"]
    );
    assert!(
        b2c(
            "contoso.onmicrosoft.com/b2c_1_SUSI",
            r#","Policies":["B2C_1_susi"]"#
        )
        .is_ok()
    );
    assert!(
        b2c(
            "contoso.onmicrosoft.com/B2C_1_susi",
            &format!(r#","TenantId":"{TENANT}""#)
        )
        .is_ok()
    );
    assert!(
        b2c(
            "contoso.onmicrosoft.com/B2C_1_edit",
            r#","Policies":["B2C_1_susi"]"#
        )
        .is_err()
    );
}
