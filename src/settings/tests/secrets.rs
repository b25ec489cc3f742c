//! What must never be shown.

use super::*;
use crate::StoreFailurePolicy;

#[test]
fn secrets_appear_in_no_debug_and_no_error() {
    let members = r#""ClientSecret":"hush-1","Redis":{"Url":"rediss://:hush-2@cache.contoso.com:6380/0","OnLoss":"fail_closed"},
        "Graph":{"SharedAnswersKey":["hush0123456789abcdefghijklmnopqrstuvwxyz+/8=","hush"]},
        "ClientCredentials":[
            {"SourceType":"ClientSecret","ClientSecret":"hush-3"},
            {"SourceType":"path","CertificateDiskPath":"/etc/cert.pem","CertificatePassword":"hush-4"},
            {"SourceType":"Base64Encoded","Base64EncodedValue":"hush-5"},
            {"SourceType":"KeyVault","KeyVaultUrl":"https://contoso.vault.azure.net","KeyVaultCertificateName":"x"},
            {"SourceType":"SignedAssertionFromManagedIdentity","ManagedIdentityClientId":"33333333-3333-4333-8333-333333333333"},
            {"SourceType":"ClientSecret","ClientSecret":"hush-6","Skip":true}]"#;
    let settings = load(&file(members), []).unwrap();
    assert_eq!(settings.warnings().len(), 2);
    assert_eq!(
        settings.warnings()[1],
        "AzureAd:ClientCredentials:5 is left out: Skip is true"
    );
    assert!(
        settings.warnings()[0]
            .starts_with("AzureAd:ClientCredentials:3 is ignored: KeyVault cannot be used here")
    );
    assert!(!format!("{settings:?}").contains("hush"));
    let section = settings.entra.unwrap();
    assert_eq!(section.credentials.len(), 5);
    assert!(
        matches!(section.credentials.last(), Some(Credential::Secret(secret)) if secret.expose() == "hush-1")
    );
    assert_eq!(section.on_loss, StoreFailurePolicy::Deny);
    assert_eq!(section.graph.shared_answers_keys.len(), 2);

    for members in [
        r#""ClientSecret":["hush"]"#,
        r#""ClientSecret":12345"#,
        r#""ClientSecrets":"hush""#,
        r#""Redis":{"Url":"hush"}"#,
        r#""Graph":{"SharedAnswersKey":"hush!"}"#,
        r#""Graph":{"SharedAnswersKey":["hush","hush!"]}"#,
        r#""Graph":{"SharedAnswersKey":{"hush":"hush"}}"#,
        r#""Graph":{"SharedAnswersKey":12345}"#,
        r#""ClientCredentials":"hush""#,
        r#""ClientCertificates":"hush""#,
        r#""ClientCertificates":["hush"]"#,
        r#""ClientCredentials":{"hush":"hush"}"#,
        r#""ClientCredentials":[{"SourceType":"ClientSecret","ClientSecret":["hush"]}]"#,
    ] {
        let error = load(&file(members), []).expect_err(members);
        let told = format!("{error} {error:?}").replace("AzureAd:ClientCredentials:hush", "");
        assert!(!told.contains("hush") && !told.contains("12345"), "{told}");
    }
}
