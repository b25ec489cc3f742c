//! The file and the environment above it, read as .NET reads them.

use super::*;

#[test]
fn the_environment_wins_key_by_key_and_element_by_element() {
    let text = file(
        r#""Audiences":["a","b"],"AllowedTenants":"any","Keys":{"RefreshSeconds":60,"CooldownSeconds":7}"#,
    );
    let section = load(
        &text,
        [
            ("AZUREAD__CLIENTID", "33333333-3333-4333-8333-333333333333"),
            ("AzureAd__Audiences__0", "c"),
            ("azuread__audiences__7", "d"),
            ("AzureAd__AllowedTenants__0", TENANT),
            ("AzureAd__Keys__RefreshSeconds", "120"),
            ("AzureAd:AllowPersonalAccounts", "True"),
            ("AzureAd__TokenVersions__0", "1.0"),
        ],
    );
    let section = section.unwrap().entra.unwrap();
    assert_eq!(
        section.authority.client_id,
        "33333333-3333-4333-8333-333333333333"
    );
    assert_eq!(section.authority.audiences, ["c", "b", "d"]);
    assert!(
        matches!(section.authority.allowed_tenants, Some(AllowedTenants::Only(only)) if only.len() == 1)
    );
    assert_eq!(
        (
            section.authority.freshness.interval,
            section.authority.freshness.unknown_kid_cooldown
        ),
        (Duration::from_secs(120), Duration::from_secs(7))
    );
    assert!(section.authority.personal_accounts);
    assert_eq!(section.authority.versions, [TokenVersion::V1]);

    let any = load(
        &file(&format!(r#""AllowedTenants":["{TENANT}"]"#)),
        [("AzureAd__AllowedTenants", "any")],
    )
    .unwrap();
    assert_eq!(
        any.entra.unwrap().authority.allowed_tenants,
        Some(AllowedTenants::Any)
    );
}

#[test]
fn a_list_put_together_from_file_and_environment_is_shown() {
    let other = "44444444-4444-4444-8444-444444444444";
    let text = file(&format!(
        r#""AllowedTenants":["{TENANT}","{other}"],"Audiences":["a","b"],"Policies":["p"],"TokenVersions":["1.0"]"#
    ));
    let third = "33333333-3333-4333-8333-333333333333";
    let settings = load(
        &text,
        [
            ("AzureAd__AllowedTenants__0", third),
            ("AzureAd__Audiences__7", "c"),
            ("AzureAd__Policies__0", "q"),
            ("AzureAd__TokenVersions__1", "2.0"),
        ],
    )
    .unwrap();
    let merged = |key: &str, shown: &str| {
        format!(
            "AzureAd:{key} is put together from the file and the environment, element by element as in .NET: {shown}"
        )
    };
    let told: Vec<&String> = settings
        .warnings()
        .iter()
        .filter(|line| line.contains("put together"))
        .collect();
    assert_eq!(
        told,
        [
            &merged("AllowedTenants", &format!("\"{third}\", \"{other}\"")),
            &merged("Audiences", "\"a\", \"b\", \"c\""),
            &merged("Policies", "\"q\""),
        ]
    );

    // One layer by itself, or a whole replacement, is what it looks like.
    for variables in [
        [("AzureAd__AllowedTenants", "any")],
        [("AzureAd__ClockSkewSeconds", "1")],
    ] {
        let settings = load(
            &file(&format!(r#""AllowedTenants":["{TENANT}"]"#)),
            variables,
        );
        assert!(settings.unwrap().warnings().is_empty());
    }
}

#[test]
fn the_environment_alone_is_enough() {
    let settings = Settings::from_parts(
        None,
        env([
            ("AzureAd__TenantId", "common"),
            ("AzureAd__ClientId", API),
            ("AzureAd__AllowedTenants", "any"),
            (
                "AzureAd__ClientCredentials__0__SourceType",
                "SignedAssertionFilePath",
            ),
            ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/token"),
        ]),
    );
    let section = settings.unwrap().entra.unwrap();
    assert_eq!(tenant(&section), Tenant::Common);
    assert!(
        matches!(&section.credentials[..], [Credential::AssertionFile { path }] if path.ends_with("token"))
    );
    assert!(section.graph.resolve_groups);
}

#[test]
fn list_elements_stand_in_the_order_of_their_numbers() {
    let variables: Vec<(String, String)> = (0..12)
        .map(|n| (format!("AzureAd__Audiences__{n}"), format!("a{n}")))
        .collect();
    let audiences = Settings::from_parts(Some(("f", &file(""))), variables)
        .unwrap()
        .entra
        .unwrap()
        .authority
        .audiences;
    assert_eq!(
        audiences,
        (0..12).map(|n| format!("a{n}")).collect::<Vec<_>>()
    );

    let line = one_line(
        load(
            &file(r#""Audiences":["a"]"#),
            [("AzureAd__Audiences__x", "b")],
        )
        .unwrap_err(),
    );
    assert!(line.starts_with("AzureAd:Audiences:x = \"b\" (environment variable AzureAd__Audiences__x): expected a list"), "{line}");
}

#[test]
fn an_empty_variable_is_a_value() {
    let line = one_line(load(&file(""), [("AzureAd__ClientId", "")]).unwrap_err());
    assert!(
        line.starts_with(
            "AzureAd:ClientId = \"\" (environment variable AzureAd__ClientId): expected a GUID"
        ),
        "{line}"
    );
    let text = file(r#""ClientSecret":"hush","Scopes":"a b""#);
    let section = load(
        &text,
        [("AzureAd__ClientSecret", ""), ("AzureAd__Scopes", "")],
    )
    .unwrap()
    .entra
    .unwrap();
    assert!(section.credentials.is_empty() && section.lists.needed.is_empty());
}

#[test]
fn the_last_letter_case_in_sorted_order_wins_with_a_warning() {
    let twice = [
        ("AzureAd__Audience", "late"),
        ("AZUREAD__AUDIENCE", "early"),
    ];
    let settings = load(&file(""), twice).unwrap();
    assert_eq!(
        settings.warnings(),
        [
            "environment variable AZUREAD__AUDIENCE is ignored: environment variable AzureAd__Audience is the same key in another letter case and wins"
        ]
    );
    assert_eq!(settings.entra.unwrap().authority.audiences, ["late"]);

    let same = load(
        &file(""),
        [
            ("AzureAd__Audience", "a"),
            ("AZUREAD__AUDIENCE", "a"),
            ("AZUREAD", "x"),
        ],
    )
    .unwrap();
    assert_eq!(same.warnings().len(), 1, "{:?}", same.warnings());

    let both = load(
        &file(""),
        [
            ("AzureAd__AllowedTenants", "any"),
            ("AZUREAD__ALLOWEDTENANTS__0", TENANT),
        ],
    );
    assert!(one_line(both.unwrap_err()).contains("a value and keys under it"));
}

#[test]
fn a_key_given_twice_in_the_file_is_named() {
    for (members, key) in [
        (r#""clientid":"x""#, "AzureAd:clientid"),
        (r#""Audience":"a","Audience":"a""#, "AzureAd:Audience"),
        (
            r#""Audiences":["a"],"AUDIENCES":["b"]"#,
            "AzureAd:AUDIENCES",
        ),
        (
            r#""Keys":{"MaxBytes":1},"keys:maxbytes":1"#,
            "AzureAd:keys:maxbytes",
        ),
    ] {
        let line = entra_error(members);
        assert!(
            line.starts_with(&format!("{key} (appsettings.json) is given twice")),
            "{line}"
        );
    }
    let parts = format!(
        r#"{{"azuread":{{"tenantid":"{TENANT}"}},"AzureAd":{{"Keys":{{"MaxBytes":2}}}},"AZUREAD:ClientId":"{API}"}}"#
    );
    assert_eq!(
        load(&parts, [])
            .unwrap()
            .entra
            .unwrap()
            .authority
            .freshness
            .max_document_size,
        2
    );
}

#[test]
fn a_broken_or_missing_file_is_named() {
    for text in [
        "",
        "[]",
        "5",
        "{",
        r#"{"AzureAd":{}} {}"#,
        "{'AzureAd':{}}",
        "{AzureAd:{}}",
        r#"{"a":1 "b":2}"#,
        r#"{"a":0x1}"#,
        r#"{"a":NaN}"#,
    ] {
        let line = one_line(load(text, []).expect_err(text));
        assert!(
            line.starts_with("the settings file appsettings.json is broken at line 1, column "),
            "{line}"
        );
        assert!(line.ends_with("expected a JSON object"), "{line}");
    }
    let secret =
        one_line(load("{\"AzureAd\":\n {\"ClientSecret\": \"hush\" \"x\"}}", []).unwrap_err());
    assert!(
        secret.contains("line 2") && !secret.contains("hush"),
        "{secret}"
    );
    assert!(load(&"[".repeat(100_000), []).is_err());

    let missing =
        one_line(Settings::load(Some(Path::new("no/such/appsettings.json"))).unwrap_err());
    assert!(
        missing.starts_with("the settings file no/such/appsettings.json cannot be read ("),
        "{missing}"
    );
    let section = one_line(load(r#"{"AzureAd":["x"]}"#, []).unwrap_err());
    assert!(
        section.starts_with("AzureAd = a list (appsettings.json): expected an object"),
        "{section}"
    );
}

#[test]
fn no_settings_of_ours_is_empty_and_no_error() {
    for text in [
        "{}",
        r#"{"Logging":{"a":1,"A":2},"AllowedHosts":"*"}"#,
        r#"{"AzureAd":{}}"#,
        r#"{"AzureAd":null}"#,
        "\u{feff}{}",
    ] {
        let settings = load(text, [("PATH", "/bin"), ("AzureAdX__TenantId", "x")]).expect(text);
        assert!(
            settings.is_empty() && settings.warnings().is_empty(),
            "{text}"
        );
    }
    assert!(Settings::from_parts(None, []).unwrap().is_empty());
}

#[test]
fn a_section_that_is_no_section_is_named() {
    for (text, found) in [("\"x\"", "\"x\""), ("5", "5"), ("[]", "an empty list")] {
        for name in ["AzureAd", "AzureAdB2C"] {
            let file = format!(r#"{{"{name}":{text}}}"#);
            let line = one_line(load(&file, []).expect_err(&file));
            assert!(line.contains(name) && line.contains(found), "{line}");
            // The environment does not hide it either, unless it gives the section itself.
            let other = [("Logging__Level", "x")];
            assert!(load(&file, other).is_err(), "{file}");
        }
    }
}
