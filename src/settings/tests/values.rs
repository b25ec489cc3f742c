//! Each value by itself: its form, its bounds, its name in an error.

use super::*;
use crate::StoreFailurePolicy;

#[test]
fn every_range_holds_at_its_edges() {
    let whole: [(&str, u64, u64); 10] = [
        ("ClockSkewSeconds", 0, 600),
        ("MaxTokenBytes", 1_024, 262_144),
        ("Keys:RefreshSeconds", 60, 86_400),
        ("Keys:CooldownSeconds", 1, 3_600),
        ("Keys:MaxStaleSeconds", 7_200, 604_800),
        ("Keys:WithdrawalGraceSeconds", 0, 86_400),
        ("Keys:TimeoutMillis", 1, 600_000),
        ("Keys:MaxBytes", 1, 1 << 30),
        ("TokenCache:MaxBytes", 0, 1 << 40),
        ("Graph:CacheSeconds", 0, 86_400),
    ];
    for (key, least, most) in whole {
        let with = |value: String| load(&file(&format!(r#""{key}":{value}"#)), []);
        for good in [least, most] {
            assert!(with(good.to_string()).is_ok(), "{key} = {good}");
            assert!(
                with(format!("\"{good}\"")).is_ok(),
                "{key} = {good} as a string"
            );
        }
        let below = least
            .checked_sub(1)
            .map_or("-1".to_owned(), |below| below.to_string());
        for bad in [
            below,
            (most + 1).to_string(),
            "1e3".into(),
            "300.0".into(),
            "\"\"".into(),
            "\"ten\"".into(),
            "true".into(),
            "[5]".into(),
            "99999999999999999999".into(),
        ] {
            let line = one_line(with(bad.clone()).expect_err(&bad));
            assert!(line.starts_with(&format!("AzureAd:{key} = ")), "{line}");
            assert!(
                line.contains("a whole number from ") && line.contains(&most.to_string()),
                "{line}"
            );
        }
    }
}

#[test]
fn a_wrong_value_is_named_with_its_key_and_what_is_expected() {
    let table = [
        (
            r#""Keys":{"RefreshSeconds":5}"#,
            "AzureAd:Keys:RefreshSeconds = 5 (appsettings.json): expected a whole number from 60 to 86400 (time",
        ),
        (
            r#""Instance":"http://login.microsoftonline.com/""#,
            r#"AzureAd:Instance = "http://login.microsoftonline.com/" (appsettings.json): expected an https URL"#,
        ),
        (
            r#""Instance":"login.microsoftonline.com""#,
            "AzureAd:Instance = ",
        ),
        (
            r#""Instance":"https:/login.microsoftonline.com""#,
            "AzureAd:Instance = ",
        ),
        (
            r#""Instance":"https://login.microsoftonline.com/?a=b""#,
            "AzureAd:Instance = ",
        ),
        (
            r#""Instance":"https://user:hunter2@login.microsoftonline.com/""#,
            "AzureAd:Instance = (not shown)",
        ),
        (
            r#""StsInstance":"ftp://sts.windows.net/""#,
            "AzureAd:StsInstance = ",
        ),
        (r#""Issuer":"urn:issuer""#, "AzureAd:Issuer = "),
        (
            r#""Issuer":" https://login.contoso.com/""#,
            "AzureAd:Issuer = ",
        ),
        (
            r#""MetadataAddress":"http://192.168.1.1/meta""#,
            "AzureAd:MetadataAddress = ",
        ),
        (
            r#""MetadataAddress":"https://{policy}.contoso.com/meta","Policies":["a"]"#,
            "AzureAd:MetadataAddress = ",
        ),
        (
            r#""MetadataAddress":"https://contoso.com/{tenant}/meta""#,
            "AzureAd:MetadataAddress = ",
        ),
        (
            r#""MetadataAddressV1":"https://contoso.com/{policy}/meta""#,
            "AzureAd:MetadataAddressV1 = ",
        ),
        (
            r#""Resource":"https://api.contoso.com/#a""#,
            "AzureAd:Resource = ",
        ),
        (
            r#""Graph":{"BaseUrl":"http://graph.microsoft.com/v1.0"}"#,
            "AzureAd:Graph:BaseUrl = ",
        ),
        (
            r#""Audience":["a"]"#,
            "AzureAd:Audience = a list (appsettings.json): expected a string",
        ),
        (r#""Audience":{"a":"b"}"#, "AzureAd:Audience = an object"),
        (r#""Audience":"""#, "AzureAd:Audience = \"\""),
        (r#""Audience":5"#, "AzureAd:Audience = 5"),
        (r#""Audience":" a""#, "AzureAd:Audience = "),
        (
            r#""Audiences":"a""#,
            "AzureAd:Audiences = \"a\" (appsettings.json): expected a list",
        ),
        (r#""Audiences":[]"#, "AzureAd:Audiences = an empty list"),
        (r#""Audiences":["a",null]"#, "AzureAd:Audiences:1 = null"),
        (r#""Audiences":["a",["b"]]"#, "AzureAd:Audiences:1 = a list"),
        (
            r#""AllowedTenants":[]"#,
            "AzureAd:AllowedTenants = an empty list (appsettings.json): expected a list of GUIDs, or \"any\"",
        ),
        (
            r#""AllowedTenants":"all""#,
            "AzureAd:AllowedTenants = \"all\"",
        ),
        (
            r#""AllowedTenants":["any"]"#,
            "AzureAd:AllowedTenants:0 = \"any\"",
        ),
        (
            r#""AllowedTenants":["11111111111141118111111111111111"]"#,
            "AzureAd:AllowedTenants:0 = ",
        ),
        (
            r#""AllowPersonalAccounts":"yes""#,
            "AzureAd:AllowPersonalAccounts = \"yes\" (appsettings.json): expected true or false",
        ),
        (
            r#""AllowPersonalAccounts":1"#,
            "AzureAd:AllowPersonalAccounts = 1",
        ),
        (
            r#""TokenVersions":["3.0"]"#,
            "AzureAd:TokenVersions:0 = \"3.0\"",
        ),
        (
            r#""TokenVersions":"2.0""#,
            "AzureAd:TokenVersions = \"2.0\"",
        ),
        (
            r#""TokenVersions":[]"#,
            "AzureAd:TokenVersions = an empty list",
        ),
        (
            r#""Instance":"https://login.microsoftonline.com/common""#,
            r#"AzureAd:Instance = "https://login.microsoftonline.com/common" (appsettings.json): expected the address of a cloud, without a path"#,
        ),
        (r#""Policies":["B2C_1_a/../b"]"#, "AzureAd:Policies:0 = "),
        (
            r#""Scopes":[]"#,
            "AzureAd:Scopes = an empty list (appsettings.json): expected a string with spaces between its words, a list",
        ),
        (r#""Scopes":["a b"]"#, "AzureAd:Scopes:0 = \"a b\""),
        (r#""Scopes":["a",5]"#, "AzureAd:Scopes:1 = 5"),
        (r#""Scopes":"a\"b""#, "AzureAd:Scopes = "),
        (r#""Scopes":5"#, "AzureAd:Scopes = 5"),
        (
            r#""Scopes":{"Read":[]}"#,
            "AzureAd:Scopes:Read = an empty list (appsettings.json): expected a list of words",
        ),
        (
            r#""Scopes":{"Read":{"a":"b"}}"#,
            "AzureAd:Scopes:Read = an object",
        ),
        (
            r#""Scopes":{"Read":["ä"]}"#,
            "AzureAd:Scopes:Read:0 = \"ä\"",
        ),
        (
            r#""AppPermissions":{"Read":[["a"]]}"#,
            "AzureAd:AppPermissions:Read:0 = a list",
        ),
        (
            r#""PopTokens":"Accept""#,
            "AzureAd:PopTokens = \"Accept\" (appsettings.json): expected refuse, accept or require",
        ),
        (r#""PopTokens":true"#, "AzureAd:PopTokens = true"),
        (
            r#""ClientCertificates":"hush""#,
            "AzureAd:ClientCertificates = (not shown)",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"SignedAssertionFromManagedIdentity","ManagedIdentityObjectId":"x"}]"#,
            "AzureAd:ClientCredentials:0:ManagedIdentityObjectId = \"x\"",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"SignedAssertionFromManagedIdentity","ManagedIdentityResourceId":"/subscriptions/a","ManagedIdentityObjectId":"33333333-3333-4333-8333-333333333333"}]"#,
            "AzureAd:ClientCredentials:0:ManagedIdentityResourceId = \"/subscriptions/a\" (appsettings.json): expected one managed identity",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"SignedAssertionFromManagedIdentity","TokenExchangeAuthority":"https://login.microsoftonline.us/x"}]"#,
            "AzureAd:ClientCredentials:0:TokenExchangeAuthority = ",
        ),
        (r#""CaFile":"""#, "AzureAd:CaFile = "),
        (
            r#""ClientCredentials":[]"#,
            "AzureAd:ClientCredentials = an empty list",
        ),
        (
            r#""ClientCredentials":["x"]"#,
            "AzureAd:ClientCredentials:0 = (not shown)",
        ),
        (
            r#""ClientCredentials":[{"ClientSecret":"x"}]"#,
            "AzureAd:ClientCredentials:0:SourceType is not given: expected ClientSecret, Path",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"Magic"}]"#,
            "AzureAd:ClientCredentials:0:SourceType = \"Magic\"",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"Path"}]"#,
            "AzureAd:ClientCredentials:0:CertificateDiskPath is not given",
        ),
        (
            r#""Redis":{"Url":"http://127.0.0.1/"}"#,
            "AzureAd:Redis:Url = (not shown)",
        ),
        (
            r#""Redis":{"OnLoss":"allow_younger_than:soon"}"#,
            "AzureAd:Redis:OnLoss = \"allow_younger_than:soon\" (appsettings.json): expected fail_closed, ",
        ),
        (
            r#""Keys":5"#,
            "AzureAd:Keys = 5 (appsettings.json): expected an object with Keys:RefreshSeconds, ",
        ),
        (
            r#""Audience":"line\nbreak""#,
            "AzureAd:Audience = \"line\\u{a}break\"",
        ),
    ];
    for (members, expected) in table {
        let line = entra_error(members);
        assert!(line.starts_with(expected), "{members}\n{line}");
    }
    let long = entra_error(&format!(r#""Instance":"{}""#, "x".repeat(5_000)));
    assert!(long.len() < 400, "{long}");
}

#[test]
fn http_is_for_loopback_addresses_only() {
    for good in [
        "http://127.0.0.1:8080",
        "http://127.9.9.9/",
        "http://[::1]:1/",
        "http://localhost:4000/x",
        "https://login.microsoftonline.us",
    ] {
        let members = format!(
            r#""Instance":"{good}","StsInstance":"{good}","Issuer":"{good}","MetadataAddress":"{good}","Resource":"{good}","Graph":{{"BaseUrl":"{good}"}}"#
        );
        assert_eq!(entra(&members).authority.issuer.as_deref(), Some(good));
    }
    for key in [
        "Instance",
        "Authority",
        "StsInstance",
        "Issuer",
        "MetadataAddress",
        "MetadataAddressV1",
        "Resource",
        "Graph:BaseUrl",
    ] {
        for bad in [
            "http://128.0.0.1/t",
            "http://localhost.contoso.com/t",
            "http://[::2]/t",
            "http://10.0.0.1/t",
            "http://login.microsoftonline.com/t",
        ] {
            let line = entra_error(&format!(r#""{key}":"{bad}""#));
            assert!(
                line.starts_with(&format!("AzureAd:{key} = \"{bad}\"")),
                "{line}"
            );
        }
    }
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_key() {
    let table = [
        (
            r#""Tenant_Id":"x""#,
            "AzureAd:Tenant_Id",
            "AzureAd:TenantId",
        ),
        (r#""Audiance":"x""#, "AzureAd:Audiance", "AzureAd:Audience"),
        (
            r#""AllowedTenant":"x""#,
            "AzureAd:AllowedTenant",
            "AzureAd:AllowedTenants",
        ),
        (
            r#""RefreshSeconds":60"#,
            "AzureAd:RefreshSeconds",
            "AzureAd:Keys:RefreshSeconds",
        ),
        (
            r#""Keys":{"RefreshSecond":60}"#,
            "AzureAd:Keys:RefreshSecond",
            "AzureAd:Keys:RefreshSeconds",
        ),
        (r#""Key":{"RefreshSeconds":60}"#, "AzureAd:Key", "AzureAd:"),
        (r#""Grahp":{"BaseUrl":"x"}"#, "AzureAd:Grahp", "AzureAd:"),
        (
            r#""CalbackPath":"/x""#,
            "AzureAd:CalbackPath",
            "AzureAd:CallbackPath",
        ),
        (
            r#""ClientCredentials":[{"SourceType":"ClientSecret","ClientSecrt":"hush"}]"#,
            "AzureAd:ClientCredentials:0:ClientSecrt",
            "AzureAd:ClientCredentials:0:ClientSecret",
        ),
    ];
    for (members, key, nearest) in table {
        let line = entra_error(members);
        assert!(
            line.starts_with(&format!(
                "{key} (appsettings.json) is not a known key: expected one like {nearest}"
            )),
            "{line}"
        );
        assert!(!line.contains("hush"), "{line}");
    }
    let line = one_line(load(&file(""), [("AZUREAD__KEYS__REFRESH", "1")]).unwrap_err());
    assert!(
        line.contains("environment variable AZUREAD__KEYS__REFRESH")
            && line.contains("Keys:RefreshSeconds"),
        "{line}"
    );
}

#[test]
fn every_key_reads_as_the_contract_writes_it() {
    let section = entra(
        r#""AllowedTenants":"any","allowpersonalaccounts":"TRUE","TokenVersions":["2.0"],"AllowWebApiToBeAuthorizedByACL":true,
        "Scopes":" a  b ","CaFile":"ca.pem","Issuer":"https://x.ciamlogin.com/X/v2.0","CustomSigningKeys":true,"Audience":"api://x","Audiences":["api://x","y"],
        "TokenCache":{"MaxBytes":0},"Graph":{"ResolveGroups":true,"CheckSessions":"true"},"Redis":{"Url":"redis://127.0.0.1/","OnLoss":"allow_younger_than:60"}"#,
    );
    let own = &section.authority;
    assert!(own.personal_accounts && own.without_permissions && own.application_signing_keys);
    assert_eq!(own.allowed_tenants, Some(AllowedTenants::Any));
    assert_eq!(own.versions, [TokenVersion::V2]);
    assert_eq!(section.lists.needed, ["a", "b"]);
    assert_eq!(own.required_scopes, ["a", "b"]);
    assert_eq!(own.audiences, ["api://x", "y"]);
    assert_eq!(
        own.issuer.as_deref(),
        Some("https://x.ciamlogin.com/X/v2.0")
    );
    assert_eq!(section.token_cache_bytes, Some(0));
    assert!(section.graph.resolve_groups && section.graph.check_sessions);
    assert_eq!(
        section.on_loss,
        StoreFailurePolicy::AllowIssuedWithin(Duration::from_secs(60))
    );
}

#[test]
fn an_address_and_an_app_id_uri_may_be_one_or_a_list() {
    let section = |text: &str| load(&file(text), []).map(|loaded| loaded.entra.unwrap());
    let lists = |text: &str| {
        let section = section(text).unwrap();
        (section.resources, section.authority.app_id_uris)
    };
    let one = r#""Resource":"https://x.example/mcp","AppIdUri":"api://x""#;
    let pair = |a: &[&str], b: &[&str]| {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        (owned(a), owned(b))
    };
    assert_eq!(lists(one), pair(&["https://x.example/mcp"], &["api://x"]));
    let two = r#""Resource":["https://x.example/a","https://x.example/b"],"AppIdUri":["api://x","https://x.example/b"]"#;
    let both = pair(
        &["https://x.example/a", "https://x.example/b"],
        &["api://x", "https://x.example/b"],
    );
    assert_eq!(lists(two), both);
    assert_eq!(lists(""), pair(&[], &[]));
    for (text, key) in [
        (r#""Resource":[]"#, "AzureAd:Resource = "),
        (
            r#""Resource":["https://x.example","http://x.example"]"#,
            "AzureAd:Resource:1 = ",
        ),
        (
            r#""Resource":{"a":"https://x.example"}"#,
            "AzureAd:Resource = ",
        ),
        (r#""AppIdUri":"x""#, "AzureAd:AppIdUri = "),
        (r#""AppIdUri":"""#, "AzureAd:AppIdUri = "),
        (r#""AppIdUri":"api://a b""#, "AzureAd:AppIdUri = "),
        (r#""AppIdUri":["api://x",5]"#, "AzureAd:AppIdUri:1 = "),
    ] {
        let line = one_line(section(text).expect_err(text));
        assert!(line.starts_with(key), "{line}");
        assert!(line.contains("or a list of such"), "{line}");
    }
}

#[test]
fn file_and_code_agree_on_what_a_domain_a_policy_a_guid_and_an_address_are() {
    let long = format!("{}.example", "a".repeat(64));
    let tenants = [
        (TENANT, true),
        ("contoso.onmicrosoft.com", true),
        ("common.example", true),
        ("contoso", false),
        ("-a.example", false),
        ("a-.example", false),
        ("11111111111141118111111111111111", false),
        ("{11111111-1111-4111-8111-111111111111}", false),
        (&long, false),
    ];
    for (name, valid) in tenants {
        let text = format!(r#"{{"AzureAd":{{"TenantId":"{name}","ClientId":"{API}"}}}}"#);
        assert_eq!(load(&text, []).is_ok(), valid, "{name}");
        let code = Authority::entra(Tenant::new(name), API).resolve();
        assert_eq!(code.is_ok(), valid, "{name}");
    }
    let long = "a".repeat(129);
    let policies = [
        ("B2C_1_susi", true),
        ("b2c_1a_sign-up.v2", true),
        (".a", false),
        ("a/b", false),
        ("ä", false),
        (&long, false),
    ];
    for (name, valid) in policies {
        let text = b2c_file(&format!(r#""Policies":["{name}"]"#));
        assert_eq!(load(&text, []).is_ok(), valid, "{name}");
        let domain = Tenant::new("contoso.onmicrosoft.com");
        let code = Authority::b2c("https://contoso.b2clogin.com", domain, API, [name]);
        assert_eq!(code.resolve().is_ok(), valid, "{name}");
    }
    let addresses = [
        ("https://login.contoso.example", true),
        ("http://127.0.0.1:8080/", true),
        ("https://login.microsoftonline.com/", true),
        ("https://login.microsoftonline.com/common", false),
        ("https:/login.contoso.example", false),
        ("https://login.contoso.example/#a", false),
        ("https://user:hush@login.contoso.example", false),
        ("https://login.contoso.example/a b", false),
        ("http://login.contoso.example", false),
    ];
    for (address, valid) in addresses {
        let loaded = load(&file(&format!(r#""Instance":"{address}""#)), []);
        assert_eq!(loaded.is_ok(), valid, "{address}");
        let code = Authority::entra(Tenant::new(TENANT), API).instance(address);
        assert_eq!(code.resolve().is_ok(), valid, "{address}");
    }
}
