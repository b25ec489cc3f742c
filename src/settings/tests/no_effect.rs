//! Keys that are set and decide nothing are named in a warning; where they decide, nothing is said.

use super::*;

const TENANTS: &str = r#""AllowedTenants":"any""#;

/// Warnings of a section with `members`, whose `TenantId` is another.
fn warned(tenant: &str, members: &str) -> Vec<String> {
    let file = format!(
        r#"{{"AzureAd":{{"TenantId":"{tenant}","ClientId":"{API}",{TENANTS},{members}}}}}"#
    );
    load(&file, []).unwrap().warnings().to_vec()
}

#[test]
fn a_key_without_effect_beside_the_others_is_named() {
    let secret = r#""ClientSecret":"hush""#;
    // The tenant; what is without effect; what gives it effect in place of a member before it.
    let table = [
        (
            TENANT,
            "Redis:OnLoss",
            r#""Redis":{"OnLoss":"fail_closed"}"#,
            r#""Redis":{"OnLoss":"fail_closed","Url":"redis://127.0.0.1/"}"#.to_owned(),
        ),
        (
            TENANT,
            "Graph:BaseUrl",
            r#""Graph":{"BaseUrl":"https://graph.microsoft.us/v1.0"}"#,
            format!(r#""Graph":{{"BaseUrl":"https://graph.microsoft.us/v1.0"}},{secret}"#),
        ),
        (
            TENANT,
            "Graph:CacheSeconds",
            r#""Graph":{"CacheSeconds":60}"#,
            format!(r#""Graph":{{"CacheSeconds":60}},{secret}"#),
        ),
        (
            TENANT,
            "Graph:SharedAnswersKey",
            r#""Graph":{"SharedAnswersKey":"aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ggISE="}"#,
            format!(
                r#""Graph":{{"SharedAnswersKey":"aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ggISE="}},{secret}"#
            ),
        ),
        (
            TENANT,
            "Graph:SharedAnswersKey",
            r#""Graph":{"SharedAnswersKey":"aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ggISE=","CacheSeconds":0},"ClientSecret":"hush""#,
            format!(
                r#""Graph":{{"SharedAnswersKey":"aHVzaCBodXNoIGh1c2ggaHVzaCBodXNoIGh1c2ggISE="}},{secret}"#
            ),
        ),
        (
            TENANT,
            "Graph:ResolveGroups",
            r#""Graph":{"ResolveGroups":true}"#,
            r#""Graph":{"ResolveGroups":false}"#.to_owned(),
        ),
        (
            TENANT,
            "StsInstance",
            r#""StsInstance":"https://sts.windows.net/","TokenVersions":["2.0"]"#,
            r#""StsInstance":"https://sts.windows.net/""#.to_owned(),
        ),
        (
            TENANT,
            "MetadataAddressV1",
            r#""MetadataAddressV1":"https://x.example/d","TokenVersions":["2.0"]"#,
            r#""MetadataAddressV1":"https://x.example/d""#.to_owned(),
        ),
        (
            TENANT,
            "MetadataAddress",
            r#""MetadataAddress":"https://x.example/d","TokenVersions":["1.0"]"#,
            r#""MetadataAddress":"https://x.example/d""#.to_owned(),
        ),
        (
            TENANT,
            "Issuer",
            r#""Issuer":"https://x.example/v2.0","TokenVersions":["1.0"]"#,
            r#""Issuer":"https://x.example/v2.0""#.to_owned(),
        ),
        (
            TENANT,
            "AllowPersonalAccounts",
            r#""AllowPersonalAccounts":true"#,
            r#""AllowPersonalAccounts":false"#.to_owned(),
        ),
        (
            "consumers",
            "AllowPersonalAccounts",
            r#""AllowPersonalAccounts":false"#,
            r#""AllowPersonalAccounts":true"#.to_owned(),
        ),
    ];
    for (tenant, key, without, with) in table {
        let said = warned(tenant, without);
        let start = format!("AzureAd:{key} has no effect w");
        assert!(
            said.len() == 1 && said[0].starts_with(&start),
            "{without}: {said:?}"
        );
        assert_eq!(warned(tenant, &with), [""; 0], "{with}");
    }
    // The v2.0 document of many tenants says whose tokens their v1.0 keys verify.
    let first = r#""MetadataAddress":"https://x.example/d","TokenVersions":["1.0"]"#;
    for (tenant, said) in [("common", 0), ("organizations", 0), ("consumers", 1)] {
        let of_address = warned(tenant, first);
        let of_address = of_address
            .iter()
            .filter(|line| line.contains("MetadataAddress "));
        assert_eq!(of_address.count(), said, "{tenant}");
    }
    assert_eq!(warned("common", r#""AllowPersonalAccounts":true"#), [""; 0]);
}

#[test]
fn a_list_of_tenants_without_the_sections_own_is_named() {
    let of = |tenants: &str| {
        let settings = load(&file(&format!(r#""AllowedTenants":[{tenants}]"#)), []).unwrap();
        settings.warnings().to_vec()
    };
    let other = format!("\"{API}\"");
    let said = of(&other);
    assert!(
        said.len() == 1 && said[0].starts_with("AzureAd:AllowedTenants lacks"),
        "{said:?}"
    );
    assert_eq!(of(&format!(r#"{other},"{TENANT}""#)), [""; 0]);
}

#[test]
fn of_b2c_the_keys_of_entra_id_are_named() {
    for (members, key) in [
        (r#""TokenVersions":["2.0"]"#, "TokenVersions"),
        (r#""StsInstance":"https://sts.windows.net/""#, "StsInstance"),
        (r#""AllowPersonalAccounts":true"#, "AllowPersonalAccounts"),
    ] {
        let members = format!(r#""SignUpSignInPolicyId":"b2c_1_susi",{members}"#);
        let settings = load(&b2c_file(&members), []).unwrap();
        let said = settings.warnings();
        let start = format!("AzureAdB2C:{key} has no effect in a section of B2C");
        assert!(said.len() == 1 && said[0] == start, "{said:?}");
    }
}

#[test]
fn what_both_sections_give_and_the_process_has_once_is_named_where_it_differs() {
    let both = |one: &str, other: &str| {
        let file = format!(
            r#"{{"AzureAd":{{"TenantId":"{TENANT}","ClientId":"{API}",{one}}},
                "AzureAdB2C":{{"Instance":"https://contoso.b2clogin.com","Domain":"contoso.onmicrosoft.com",
                "ClientId":"{API}","SignUpSignInPolicyId":"b2c_1_susi",{other}}}}}"#
        );
        load(&file, []).unwrap().warnings().to_vec()
    };
    for (key, one, other) in [
        (
            "Resource",
            r#""Resource":"https://a.example/""#,
            r#""Resource":"https://b.example/""#,
        ),
        (
            "MaxTokenBytes",
            r#""MaxTokenBytes":2000"#,
            r#""MaxTokenBytes":3000"#,
        ),
        (
            "TokenCache:MaxBytes",
            r#""TokenCache":{"MaxBytes":0}"#,
            r#""TokenCache":{"MaxBytes":5}"#,
        ),
    ] {
        let said = both(one, other);
        let start = format!("AzureAd:{key} and AzureAdB2C:{key} differ");
        assert!(said.len() == 1 && said[0].starts_with(&start), "{said:?}");
        assert_eq!(both(one, one), [""; 0]);
    }
}

#[test]
fn a_value_of_the_file_that_an_empty_variable_replaces_is_named_and_not_shown() {
    let text =
        file(r#""ClientSecret":"hush","Scopes":"access_as_user","AppPermissions":{"Read":["A"]}"#);
    for key in ["ClientSecret", "Scopes", "AppPermissions"] {
        let variable = format!("AzureAd__{key}");
        let settings = load(&text, [(variable.as_str(), "")]).unwrap();
        let expected = format!(
            "AzureAd:{key} of appsettings.json has no effect: environment variable {variable} is empty and replaces it"
        );
        assert_eq!(settings.warnings(), [expected]);
    }
    // A value in its place, a value that was empty before, and none at all.
    for (members, value) in [
        (r#""Scopes":"access_as_user""#, "Other.Scope"),
        (r#""Scopes":"""#, ""),
        (r#""Audience":"x""#, ""),
    ] {
        let settings = load(&file(members), [("AzureAd__Scopes", value)]).unwrap();
        assert_eq!(settings.warnings(), [""; 0], "{members}");
    }
}

#[test]
fn a_scope_that_no_token_carries_is_named() {
    let of = |scopes: &str| {
        let settings = load(&file(&format!(r#""Scopes":{scopes}"#)), []).unwrap();
        settings.warnings().to_vec()
    };
    for (scopes, name) in [
        (r#""access_as_user api://x/Todo.Read""#, "api://x/Todo.Read"),
        (
            r#"["https://graph.microsoft.com/.default"]"#,
            "https://graph.microsoft.com/.default",
        ),
        (r#"["/"]"#, "/"),
    ] {
        let said = of(scopes);
        let start = format!("AzureAd:Scopes has {name}, which can never match");
        assert!(said.len() == 1 && said[0].starts_with(&start), "{said:?}");
    }
    assert_eq!(of(r#""access_as_user Todo.Read""#), [""; 0]);
}
