//! `TokenDecryptionCredentials`: the private keys that access tokens are encrypted to.
//!
//! Source: <https://github.com/AzureAD/microsoft-identity-web/wiki/Token-Decryption>

use base64_simd::STANDARD;

use super::credential::{BASE64, DISK_PATH, PASSWORD, SKIP, SOURCE_TYPE, Source};
use super::error::SettingsError;
use super::reader::Reader;
use super::schema;
use crate::token::TokenDecryptionKey;

/// Reads the list; no file is opened here. Unlike `ClientCredentials`, of which one is enough,
/// every element counts: without it, tokens that are encrypted to its key would be refused.
pub(super) fn read(
    from: &Reader<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<TokenDecryptionKey>, SettingsError> {
    let list = from.newer_list(
        schema::TOKEN_DECRYPTION_CREDENTIALS,
        schema::TOKEN_DECRYPTION_CERTIFICATES,
        warnings,
    );
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let mut keys = Vec::new();
    for element in from.objects(list, "a list, not empty, as in Microsoft.Identity.Web")? {
        let source = element.need(&SOURCE_TYPE)?;
        if element.one(&SKIP)?.unwrap_or(false) {
            warnings.push(format!("{} is left out: Skip is true", element.path()));
            continue;
        }
        let (key, path) = match source {
            Source::Path => (
                TokenDecryptionKey::file(element.need(&DISK_PATH)?),
                DISK_PATH.path,
            ),
            Source::Base64 => {
                let base64 = element.need(&BASE64)?;
                let content = STANDARD.decode_to_vec(base64.expose().trim());
                let content = match (content, element.node(BASE64.path)) {
                    (Ok(content), _) => content,
                    (Err(_), Some(node)) => {
                        let expected = "Base64 of a PEM or PKCS#12 file".to_owned();
                        return Err(element.wrong(BASE64.path, node, true, expected));
                    }
                    (Err(_), None) => return Err(element.missing(&BASE64)),
                };
                (TokenDecryptionKey::bytes(content), BASE64.path)
            }
            _ => {
                let expected = "Path or Base64Encoded (where the private key comes from)";
                return Err(match element.node(SOURCE_TYPE.path) {
                    Some(node) => element.wrong(SOURCE_TYPE.path, node, false, expected.to_owned()),
                    None => element.missing(&SOURCE_TYPE),
                });
            }
        };
        let key = key.named_by(format!("{}:{path}", element.path()));
        keys.push(match element.one_or_empty(&PASSWORD)? {
            Some(password) => key.password(password.expose()),
            None => key,
        });
    }
    Ok(keys)
}
