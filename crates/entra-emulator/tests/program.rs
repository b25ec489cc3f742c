//! The program itself, as its lines are pasted.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test stops at the first surprise"
)]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use entra_emulator::{API_ID, CLI_ID, CONTOSO};
use serde_json::Value;

/// The running program, and the lines that it has printed.
struct Program {
    child: Child,
    lines: Vec<String>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_entra-emulator"))
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let is_last = line.starts_with("A sign-in page");
            lines.push(line);
            if is_last {
                break;
            }
        }
        Self { child, lines }
    }

    /// A user's token for the sample API.
    async fn token(&self) -> String {
        let base = self.lines[0].strip_prefix("listening on ").unwrap();
        let scope = format!("api://{API_ID}/access_as_user");
        let form = [
            ("grant_type", "password"),
            ("client_id", CLI_ID),
            ("username", "alice@contoso.onmicrosoft.com"),
            ("password", "emulator-password"),
            ("scope", &scope),
        ];
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .post(format!("{base}/{CONTOSO}/oauth2/v2.0/token"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn says(&self, text: &str) -> bool {
        self.lines.iter().any(|line| line.contains(text))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A text of this test's own in a file that is gone at its end.
struct File(std::path::PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("entra-emulator-{name}-{}.pem", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        Path::to_str(&self.0).unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What is inside of a token with the algorithms of Entra's: RSA-OAEP and A256CBC-HS512.
fn decrypted(token: &str, private: PrivateDecryptingKey) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let [_, key, vector, ciphertext, tag]: [Vec<u8>; 5] = parts
        .iter()
        .map(|part| URL_SAFE_NO_PAD.decode_to_vec(part).unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let mut room = vec![0; 256];
    let private = OaepPrivateDecryptingKey::new(private).unwrap();
    let content_key = private
        .decrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, None)
        .unwrap();
    let (of_mac, of_cipher) = content_key.split_at(32);
    let bits = (parts[0].len() as u64 * 8).to_be_bytes();
    let signed = [parts[0].as_bytes(), &vector, &ciphertext, &bits].concat();
    let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, of_mac), &signed);
    assert_eq!(&mac.as_ref()[..32], tag);
    let cipher = UnboundCipherKey::new(&AES_256, of_cipher).unwrap();
    let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(cipher).unwrap();
    let vector: [u8; 16] = vector.try_into().unwrap();
    let mut content = ciphertext;
    let context = DecryptionContext::Iv128((&vector).into());
    let content = cipher.decrypt(&mut content, context).unwrap();
    String::from_utf8(content.to_vec()).unwrap()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode_to_vec(payload).unwrap()).unwrap()
}

#[tokio::test]
async fn with_encrypt_tokens_only_the_holder_of_the_key_reads_the_tokens_of_the_sample_api() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().unwrap();
    let text = STANDARD.encode_to_string(public.as_ref());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n");
    let file = File::new("public", &pem);
    let setting = "export AzureAd__TokenDecryptionCredentials__0__CertificateDiskPath=";

    let encrypting = Program::start(&["--encrypt-tokens", file.path()]);
    assert!(encrypting.says(setting), "{:?}", encrypting.lines);
    let token = encrypting.token().await;
    assert_eq!(token.split('.').count(), 5);
    let inner = decrypted(&token, private);
    assert_eq!(inner.split('.').count(), 3);
    assert_eq!(claims(&inner)["aud"], API_ID);

    let plain = Program::start(&[]);
    assert!(!plain.says(setting));
    assert_eq!(claims(&plain.token().await)["aud"], API_ID);
}

#[test]
fn a_file_that_holds_no_public_key_ends_the_program() {
    let file = File::new("none", "no PEM");
    for path in [file.path(), "/no/such/file.pem"] {
        let ended = Command::new(env!("CARGO_BIN_EXE_entra-emulator"))
            .args(["--listen", "127.0.0.1:0", "--encrypt-tokens", path])
            .output()
            .unwrap();
        assert!(!ended.status.success(), "{path}");
        assert!(
            ended.stdout.is_empty() && !ended.stderr.is_empty(),
            "{path}"
        );
    }
}
