//! Keys from files and from settings, and files that change.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum_entra::{Entra, TokenDecryptionKey};
use serde_json::json;

use crate::jwe::{Recipient, header, sealed, sealed_with};
use crate::world::{outcome, plain, signed};

const PEM: &str = include_str!("../vectors/jwe/key.pem");
/// SHA-1 of the certificate in `key.pem`: in hexadecimal digits, and as `x5t`.
const THUMBPRINT: &str = "DE73D62CF2093601F58DE7E2287D883154F633A5";
const X5T: &str = "3nPWLPIJNgH1jefiKH2IMVT2M6U";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/jwe")
        .join(name)
}

/// A token that is encrypted to the key of the fixtures.
fn token() -> String {
    let own = Recipient::from_pem(PEM);
    sealed(&own, "RSA-OAEP", "A256CBC-HS512", signed().as_bytes()).compact()
}

fn built(key: TokenDecryptionKey) -> Result<Entra, String> {
    let built = plain().token_decryption_key(key).build();
    built.map_err(|error| error.to_string())
}

/// A folder that is gone at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("axum-entra-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn pem_files_hold_a_key_in_either_form() {
    for name in ["key.pem", "pkcs1.pem"] {
        let entra = built(TokenDecryptionKey::file(fixture(name))).unwrap();
        assert_eq!(outcome(&entra, &token()), "in", "{name}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_used_stops_the_start_and_says_why() {
    let folder = Folder::new("unusable");
    let error = |key: TokenDecryptionKey| built(key).unwrap_err();
    let small = "-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n";
    for (key, part) in [
        (
            TokenDecryptionKey::file("/no/such/file.pem"),
            "entity not found), expected a readable",
        ),
        (
            TokenDecryptionKey::file(folder.file("empty", "")),
            "neither PEM nor PKCS#12",
        ),
        (
            TokenDecryptionKey::file(folder.file(
                "certificate",
                PEM.split("-----BEGIN PRIVATE").next().unwrap(),
            )),
            "no private key",
        ),
        (
            TokenDecryptionKey::bytes(small),
            "a key that cannot be used",
        ),
        (
            TokenDecryptionKey::file(fixture("encrypted.pem")),
            "whose key is encrypted",
        ),
        (
            TokenDecryptionKey::bytes(PEM).password("hush"),
            "a password for PEM",
        ),
    ] {
        let error = error(key);
        assert!(
            error.starts_with("TokenDecryptionCredentials: found "),
            "{error}"
        );
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
    }
}

#[cfg(feature = "pkcs12")]
#[tokio::test]
async fn pkcs12_files_of_today_and_of_key_vault_are_opened() {
    let file = |name: &str| TokenDecryptionKey::file(fixture(name));
    for key in [
        file("modern.pfx").password("hush"),
        // As Azure Key Vault exports certificates: 3DES, no password.
        file("legacy.pfx"),
        file("legacy.pfx").password(""),
        TokenDecryptionKey::bytes(std::fs::read(fixture("modern.pfx")).unwrap()).password("hush"),
    ] {
        assert_eq!(outcome(&built(key).unwrap(), &token()), "in");
    }
    for key in [
        file("modern.pfx"),
        file("modern.pfx").password("other"),
        file("legacy.pfx").password("x"),
    ] {
        let error = built(key).unwrap_err();
        assert!(error.contains("the password does not open"), "{error}");
    }
    // This API's own certificate is read by the same code.
    let pfx = std::fs::read(fixture("modern.pfx")).unwrap();
    use axum_entra::graph::ClientCredential;
    assert!(ClientCredential::pkcs12(&pfx, "hush").is_ok());
    assert!(ClientCredential::pkcs12(&pfx, "other").is_err());
}

#[cfg(not(feature = "pkcs12"))]
#[tokio::test]
async fn pkcs12_files_name_the_feature_that_reads_them() {
    let error = built(TokenDecryptionKey::file(fixture("modern.pfx"))).unwrap_err();
    assert!(
        error.contains("a build with the feature `pkcs12`"),
        "{error}"
    );
}

/// The key is the fifth, so it is found only where its name puts it first.
#[tokio::test]
async fn a_certificate_names_its_key() {
    let own = Recipient::from_pem(PEM);
    let others: Vec<Recipient> = (0..4).map(|_| Recipient::new()).collect();
    let keys = others
        .iter()
        .map(|key| TokenDecryptionKey::bytes(key.pem()));
    let keys = keys.chain([TokenDecryptionKey::file(fixture("key.pem"))]);
    let entra = keys.fold(plain(), |builder, key| builder.token_decryption_key(key));
    let entra = entra.build().unwrap();
    for (name, value, expected) in [
        ("kid", THUMBPRINT.to_owned(), "in"),
        ("kid", THUMBPRINT.to_ascii_lowercase(), "in"),
        ("kid", X5T.to_owned(), "in"),
        ("x5t", X5T.to_owned(), "in"),
        ("x5t", X5T.to_ascii_lowercase(), "decryption"),
        ("kid", "another".to_owned(), "decryption"),
    ] {
        let mut header = header("RSA-OAEP", "A128GCM");
        header.insert(name.to_owned(), json!(value));
        let token = sealed_with(&own, "RSA-OAEP", "A128GCM", &header, signed().as_bytes());
        assert_eq!(
            outcome(&entra, &token.compact()),
            expected,
            "{name} {value}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_is_read_again_without_a_restart() {
    let folder = Folder::new("reload");
    let keys = [Recipient::new(), Recipient::new()];
    let tokens = [0, 1].map(|number: usize| {
        sealed(
            &keys[number],
            "RSA-OAEP-256",
            "A256GCM",
            signed().as_bytes(),
        )
        .compact()
    });
    let said = |entra: &Entra| [0, 1].map(|number: usize| outcome(entra, &tokens[number]));
    let path = folder.file("key.pem", keys[0].pem());
    let entra = built(TokenDecryptionKey::file(&path)).unwrap();
    assert_eq!(said(&entra), ["in", "decryption"]);
    // Both during the change: two keys in one file.
    let both = format!("{}{}", keys[0].pem(), keys[1].pem());
    folder.file("key.pem", both);
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(said(&entra), ["in", "in"]);
    // A broken file, and none, change nothing.
    folder.file("key.pem", "-----BEGIN PRIVATE KEY-----");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(said(&entra), ["in", "in"]);
    std::fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(said(&entra), ["in", "in"]);
    // A key that is gone decrypts nothing any more, also no token that is known by now.
    assert!(entra.validate(&tokens[0]).await.is_ok());
    folder.file("key.pem", keys[1].pem());
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(said(&entra), ["decryption", "in"]);
}

#[cfg(feature = "settings")]
mod from_settings {
    use axum_entra::EntraBuilder;
    use axum_entra::settings::Settings;
    use base64_simd::STANDARD;
    use serde_json::{Value, json};

    use super::{Folder, PEM, fixture};
    use crate::authority::{API, Authority, KID, TENANT};
    use crate::jwe::{Recipient, sealed};
    use crate::signer::key;

    async fn outcome(list: &str, elements: Value) -> Result<String, String> {
        let authority = Authority::start().await;
        let mut settings = json!({ "AzureAd": {
            "Instance": format!("{}/", authority.base()), "StsInstance": format!("{}/", authority.base()),
            "TenantId": TENANT, "ClientId": API,
        } });
        settings["AzureAd"][list] = elements;
        let port = authority.base().rsplit(':').next().unwrap();
        let folder = Folder::new(&format!("settings-{port}"));
        let file = folder.file("appsettings.json", settings.to_string());
        let settings = Settings::load(Some(&file)).map_err(|error| error.to_string())?;
        let entra = EntraBuilder::from_settings(&settings)
            .and_then(EntraBuilder::build)
            .map_err(|error| error.to_string())?;
        let now = authority.now();
        let claims = json!({
            "aud": API, "iss": format!("{}/{TENANT}/v2.0", authority.base()), "tid": TENANT, "ver": "2.0",
            "iat": now, "nbf": now, "exp": now + 60, "azp": API, "azpacr": "0", "sub": "s",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "scp": "access_as_user",
        });
        let header = json!({ "alg": "RS256", "kid": KID });
        let token = key(0).sign(&header.to_string(), &claims.to_string());
        let own = Recipient::from_pem(PEM);
        let token = sealed(&own, "RSA-OAEP", "A256CBC-HS512", token.as_bytes()).compact();
        Ok(match entra.validate(&token).await {
            Ok(_) => "in".to_owned(),
            Err(refused) => refused.reason().to_owned(),
        })
    }

    fn path(name: &str) -> Value {
        json!({ "SourceType": "Path", "CertificateDiskPath": fixture(name) })
    }

    #[tokio::test]
    async fn both_names_of_the_list_and_both_sources_are_read() {
        let base64 = json!({
            "SourceType": "Base64Encoded", "Base64EncodedValue": STANDARD.encode_to_string(PEM),
        });
        for list in ["TokenDecryptionCredentials", "TokenDecryptionCertificates"] {
            for element in [path("key.pem"), base64.clone()] {
                assert_eq!(
                    outcome(list, json!([element])).await.unwrap(),
                    "in",
                    "{list}"
                );
            }
        }
        let found = outcome("TokenDecryptionCertificates", json!([])).await;
        assert_eq!(
            found.unwrap(),
            "malformed",
            "an empty list of the older name is none"
        );
    }

    #[cfg(feature = "pkcs12")]
    #[tokio::test]
    async fn pkcs12_is_read_from_both_sources() {
        let pfx = |name: &str| STANDARD.encode_to_string(std::fs::read(fixture(name)).unwrap());
        let list = "TokenDecryptionCredentials";
        let mut element = path("modern.pfx");
        element["CertificatePassword"] = json!("hush");
        assert_eq!(outcome(list, json!([element])).await.unwrap(), "in");
        let element = json!({ "SourceType": "Base64Encoded", "Base64EncodedValue": pfx("legacy.pfx"), "CertificatePassword": "" });
        assert_eq!(outcome(list, json!([element])).await.unwrap(), "in");
    }

    #[tokio::test]
    async fn a_wrong_element_is_named_with_its_place() {
        let list = "TokenDecryptionCredentials";
        for (elements, parts) in [
            (
                json!([]),
                ["AzureAd:TokenDecryptionCredentials", "a list, not empty"],
            ),
            (
                json!("x"),
                ["AzureAd:TokenDecryptionCredentials", "a list, not empty"],
            ),
            (
                json!([{ "SourceType": "KeyVault", "KeyVaultUrl": "https://x" }]),
                [
                    "AzureAd:TokenDecryptionCredentials:0:SourceType",
                    "Path or Base64Encoded",
                ],
            ),
            (
                json!([path("key.pem"), { "SourceType": "ClientSecret", "ClientSecret": "hush" }]),
                [
                    "AzureAd:TokenDecryptionCredentials:1:SourceType",
                    "Path or Base64Encoded",
                ],
            ),
            (
                json!([{ "SourceType": "Base64Encoded", "Base64EncodedValue": "hush!" }]),
                [
                    "AzureAd:TokenDecryptionCredentials:0:Base64EncodedValue",
                    "Base64 of a PEM",
                ],
            ),
            (
                json!([path("key.pem"), path("no such file")]),
                [
                    "AzureAd:TokenDecryptionCredentials:1:CertificateDiskPath",
                    "a readable file",
                ],
            ),
            (
                json!([path("encrypted.pem")]),
                [
                    "AzureAd:TokenDecryptionCredentials:0:CertificateDiskPath",
                    "not encrypted",
                ],
            ),
            (
                json!([{ "SourceType": "Path", "CertificateDiscPath": "x" }]),
                [
                    "AzureAd:TokenDecryptionCredentials:0:CertificateDiscPath",
                    "CertificateDiskPath",
                ],
            ),
        ] {
            let error = outcome(list, elements).await.unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
            assert!(!error.contains("hush") && !error.contains('\n'), "{error}");
        }
    }
}
