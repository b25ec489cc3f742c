//! Sections of other names, and keys that restrict in a way that does not exist here.

use super::*;
use crate::settings::schema::{IGNORED, RESTRICTING, SECTION_KEYS};

fn named<const N: usize>(
    section: &str,
    text: &str,
    variables: [(&str, &str); N],
) -> Result<Settings, SettingsError> {
    Settings::section_from_parts(section, Some(("appsettings.json", text)), env(variables))
}

#[test]
fn a_section_of_another_name_is_read_alone() {
    let other = "33333333-3333-4333-8333-333333333333";
    let text = format!(
        r#"{{"entraid":{{"TenantId":"{TENANT}","ClientId":"{API}","CallbackPath":"/x"}},"AzureAd":{{"TennantId":5}},"EntraIdX":[]}}"#
    );
    let settings = named("EntraId", &text, [("EntraId__Audience", "a")]).unwrap();
    assert!(settings.b2c.is_none());
    assert_eq!(
        settings.warnings(),
        ["EntraId:CallbackPath (appsettings.json) is ignored: it means nothing here"]
    );
    assert_eq!(settings.entra.unwrap().authority.audiences, ["a"]);

    let line = one_line(named("EntraId", &text, [("ENTRAID__CLIENTID", "x")]).unwrap_err());
    assert!(
        line.starts_with(
            "EntraId:ClientId = \"x\" (environment variable ENTRAID__CLIENTID): expected a GUID"
        ),
        "{line}"
    );
    let line = one_line(named("Entra", &text, [("AzureAd__ClientId", other)]).unwrap_err());
    assert_eq!(
        line,
        "Entra is not given: expected a section with TenantId, ClientId and the like"
    );
    let missing = Settings::load_section("EntraId", None).unwrap_err();
    assert!(one_line(missing).starts_with("EntraId is not given"));
    assert!(Settings::load_section("EntraId", Some(Path::new("no/such/file"))).is_err());
    let line = one_line(named("EntraId", r#"{"EntraId":"x"}"#, []).unwrap_err());
    assert!(
        line.starts_with("EntraId = \"x\" (appsettings.json): expected an object"),
        "{line}"
    );
}

#[test]
fn a_section_may_lie_deeper_and_its_neighbours_are_left_alone() {
    let nested = format!(
        r#"{{"Authentication":{{"Schemes":{{"a":1,"A":2}},"EntraId":{{"TenantId":"{TENANT}"}}}},"authentication:ENTRAID":{{"ClientId":"{API}"}}}}"#
    );
    let section = "Authentication:EntraId";
    let settings = named(section, &nested, [("Authentication__Schemes", "x")]).unwrap();
    assert_eq!(settings.entra.unwrap().authority.client_id, API);
    let variables = [("AUTHENTICATION__EntraId__TenantId", "comon")];
    let line = one_line(named(section, &nested, variables).unwrap_err());
    assert!(
        line.starts_with("Authentication:EntraId:TenantId = \"comon\""),
        "{line}"
    );
    // A value in the way is no section.
    assert!(named(section, r#"{"Authentication":"x"}"#, []).is_err());
}

#[test]
fn a_section_that_names_a_policy_is_b2c_as_in_microsoft_identity_web() {
    let text = |policy: &str| {
        format!(
            r#"{{"Customers":{{"Instance":"https://contoso.b2clogin.com","Domain":"contoso.onmicrosoft.com","ClientId":"{API}",{policy}}}}}"#
        )
    };
    let b2c = |policy: &str| named("Customers", &text(policy), []).map(|own| own.b2c.is_some());
    assert!(b2c(r#""SignUpSignInPolicyId":"B2C_1_susi""#).unwrap());
    assert!(b2c(r#""Policies":["B2C_1_susi"]"#).unwrap());
    let entra = format!(r#""SignUpSignInPolicyId":"","TenantId":"{TENANT}""#);
    assert!(!b2c(&entra).unwrap());
    let line = one_line(b2c(r#""SignUpSignInPolicyId":"a/b""#).unwrap_err());
    assert!(
        line.starts_with("Customers:SignUpSignInPolicyId = "),
        "{line}"
    );
}

#[test]
fn the_guards_that_errors_name_are_there_to_be_written() {
    // What is public stands in these lines, and a guard of an older name does not.
    let public: Vec<&str> = include_str!("../../guard/mod.rs")
        .lines()
        .filter(|line| line.starts_with("pub use "))
        .flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric()))
        .collect();
    let words = RESTRICTING
        .iter()
        .flat_map(|(_, expected)| expected.split(|letter: char| !letter.is_alphanumeric()));
    let named: Vec<&str> = words.filter(|word| word.starts_with("Require")).collect();
    assert!(named.contains(&"RequireClientId") && named.contains(&"RequireMaxAge"));
    for guard in named {
        assert!(public.contains(&guard), "{guard}");
    }
}

#[test]
fn keys_that_restrict_are_errors_that_say_what_to_write() {
    for (key, expected) in RESTRICTING {
        for value in ["[\"x\"]", "{\"a\":\"b\"}", "\"x\"", "true", "[]"] {
            let line = entra_error(&format!(r#""{}":{value}"#, key.to_lowercase()));
            assert!(line.starts_with(&format!("AzureAd:{key} = ")), "{line}");
            assert!(line.ends_with(expected), "{line}");
        }
        // Null is nothing.
        let settings = load(&file(&format!(r#""{key}":null"#)), []).unwrap();
        assert!(settings.warnings().is_empty(), "{:?}", settings.warnings());

        let variable = format!("AzureAd__{key}__0");
        let line = one_line(load(&file(""), [(variable.as_str(), "x")]).unwrap_err());
        assert!(line.starts_with(&format!("AzureAd:{key} = ")), "{line}");
    }
    let both = RESTRICTING
        .iter()
        .map(|(key, _)| *key)
        .chain(SECTION_KEYS.iter().copied());
    for key in both {
        assert!(!IGNORED.contains(&key), "{key} is ignored and is not");
    }
}

#[test]
fn scopes_and_permissions_are_looked_up_by_their_path() {
    let settings = load(
        &file(r#""Scopes":{"Read":["a"],"Write":"b  c","None":null},"AppPermissions":{"Read":["A.All"]}"#),
        [("AzureAd__Scopes__Read__1", "d"), ("AzureAd__AppPermissions__Write", "B")],
    )
    .unwrap();
    assert!(settings.entra.as_ref().unwrap().lists.needed.is_empty());
    let list = |path: &str| settings.list(path).map(<[String]>::to_vec);
    let words = |text: &str| Some(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
    assert_eq!(list("AzureAd:Scopes:Read"), words("a d"));
    assert_eq!(list("AZUREAD:scopes:write"), words("b c"));
    assert_eq!(list("AzureAd:AppPermissions:Read"), words("A.All"));
    assert_eq!(list("AzureAd:AppPermissions:Write"), words("B"));
    for nothing in [
        "AzureAd:Scopes",
        "AzureAd:Scopes:None",
        "Scopes:Read",
        "AzureAdB2C:Scopes:Read",
    ] {
        assert_eq!(list(nothing), None, "{nothing}");
    }
    let demanded = load(&file(r#""Scopes":["a","b"],"AppPermissions":"""#), []).unwrap();
    assert_eq!(demanded.list("AzureAd:Scopes").unwrap(), ["a", "b"]);
    assert_eq!(demanded.entra.unwrap().lists.needed, ["a", "b"]);
}

#[test]
fn a_managed_identity_is_named_in_one_of_three_ways() {
    use crate::settings::credential::ManagedIdentityName as Name;
    let id = uuid::Uuid::parse_str(API).unwrap();
    let resource = "/subscriptions/1/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
    for (members, expected) in [
        (String::new(), Name::System),
        (
            format!(r#","ManagedIdentityClientId":"{API}""#),
            Name::ClientId(id),
        ),
        (
            format!(r#","ManagedIdentityObjectId":"{API}""#),
            Name::ObjectId(id),
        ),
        (
            format!(r#","ManagedIdentityResourceId":"{resource}""#),
            Name::ResourceId(resource.to_owned()),
        ),
    ] {
        let section = entra(&format!(
            r#""ClientCredentials":[{{"SourceType":"SignedAssertionFromManagedIdentity"{members}}}]"#
        ));
        let [Credential::ManagedIdentity { identity, .. }] = &section.credentials[..] else {
            panic!("{members}");
        };
        assert_eq!(*identity, expected);
    }
}

#[test]
fn a_client_id_is_used_in_lower_case() {
    let text = format!(
        r#"{{"AzureAd":{{"TenantId":"{TENANT}","ClientId":"ABCDEF22-2222-4222-8222-222222222222"}}}}"#
    );
    let section = load(&text, []).unwrap().entra.unwrap();
    let resolved = section.authority.resolve().unwrap();
    assert_eq!(resolved.client_id, "abcdef22-2222-4222-8222-222222222222");
}
