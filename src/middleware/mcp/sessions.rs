//! Sessions of older protocol versions: they belong to the account and the client that began them.
//!
//! An SDK knows a session by its id only, so anyone with a valid token could read and steer a
//! session whose id they learn. Here the id that a client gets is that of the SDK and a signature
//! over it, the account and the client. So nothing is kept for a session, and no number of sessions
//! pushes another's out.

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue};

use crate::claims::{AccountId, Claims};
use crate::jwks::{HashKey, random};

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Between an id and its signature; the last one counts, since the id itself may have dots.
const SEPARATOR: char = '.';

/// Bytes of a signature: too many to guess.
const SIGNATURE: usize = 16;

/// The session is not the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotOwned;

/// Signs session ids, and takes the signatures off again.
///
/// Without a key, where the system gave no random bytes, no session is anyone's.
#[derive(Clone)]
pub(super) struct SessionIds(Option<HashKey>);

/// Who may use a session.
pub(super) struct Owner {
    account: AccountId,
    client: String,
}

impl Owner {
    /// The account and the client of a token; `None` where it does not identify an account.
    pub(super) fn of(claims: &Claims) -> Option<Self> {
        Some(Self {
            account: claims.account_id()?,
            client: claims.client_id_text().unwrap_or_default().to_owned(),
        })
    }
}

impl SessionIds {
    /// With a key of its own: ids are good until the program ends, as the sessions in it are.
    pub(super) fn random() -> Self {
        let halves = random().and_then(|first| Ok([first, random()?]));
        Self(halves.ok().map(|halves| HashKey::new(&halves.concat())))
    }

    /// With a key that several replicas share.
    pub(super) fn keyed(key: &[u8]) -> Self {
        Self(Some(HashKey::new(key)))
    }

    fn signature(&self, id: &str, owner: &Owner) -> Option<String> {
        let key = self.0.as_ref()?;
        let client = owner.client.as_bytes();
        let hash = match &owner.account {
            AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            } => key.hash(&[
                b"object",
                id.as_bytes(),
                client,
                tenant.as_bytes(),
                object.as_bytes(),
            ]),
            AccountId::Subject { issuer, subject } => key.hash(&[
                b"subject",
                id.as_bytes(),
                client,
                issuer.as_bytes(),
                subject.as_bytes(),
            ]),
        };
        let bytes = hash.as_ref().get(..SIGNATURE).unwrap_or_default().to_vec();
        Some(base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes))
    }

    /// Gives the SDK its own id back, if the session is the caller's. No header is no session.
    pub(super) fn open(
        &self,
        headers: &mut HeaderMap,
        owner: impl FnOnce() -> Option<Owner>,
    ) -> Result<(), NotOwned> {
        let mut values = headers.get_all(SESSION_ID).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Ok(()),
            (Some(value), None) => value.to_str().map_err(|_| NotOwned)?,
            (Some(_), Some(_)) => return Err(NotOwned),
        };
        let (id, signature) = value.rsplit_once(SEPARATOR).ok_or(NotOwned)?;
        let owner = owner().ok_or(NotOwned)?;
        let own = self.signature(id, &owner).ok_or(NotOwned)?;
        if !is_same(signature.as_bytes(), own.as_bytes()) {
            return Err(NotOwned);
        }
        let id = HeaderValue::from_str(id).map_err(|_| NotOwned)?;
        headers.insert(SESSION_ID, id);
        Ok(())
    }

    /// Signs the id of an answer. One that cannot be signed is taken off: it is no one's.
    pub(super) fn seal(&self, headers: &mut HeaderMap, owner: impl FnOnce() -> Option<Owner>) {
        let Some(value) = headers.remove(SESSION_ID) else {
            return;
        };
        let sealed = value.to_str().ok().zip(owner()).and_then(|(id, owner)| {
            let signature = self.signature(id, &owner)?;
            HeaderValue::try_from(format!("{id}{SEPARATOR}{signature}")).ok()
        });
        if let Some(sealed) = sealed {
            headers.insert(SESSION_ID, sealed);
        }
    }

    /// Takes the header off a request of a version without sessions, so that the SDK finds none.
    pub(super) fn remove(headers: &mut HeaderMap) {
        headers.remove(SESSION_ID);
    }
}

/// In the same time wherever they differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .fold(0, |differences, (a, b)| differences | (a ^ b))
            == 0
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn owner(object: u128, client: &str) -> Owner {
        Owner {
            account: AccountId::Entra {
                tenant_id: Uuid::from_u128(1),
                object_id: Uuid::from_u128(object),
            },
            client: client.to_owned(),
        }
    }

    fn opened(
        ids: &SessionIds,
        headers: &mut HeaderMap,
        owner: Option<Owner>,
    ) -> Result<(), NotOwned> {
        ids.open(headers, || owner)
    }

    fn own() -> Owner {
        owner(1, "client")
    }

    fn begun(ids: &SessionIds) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(SESSION_ID, HeaderValue::from_static("an.id"));
        ids.seal(&mut headers, || Some(own()));
        assert_ne!(headers[SESSION_ID], "an.id");
        headers
    }

    #[test]
    fn a_session_is_its_owners_alone() {
        let ids = SessionIds::random();
        let mut headers = begun(&ids);
        assert_eq!(opened(&ids, &mut headers, Some(own())), Ok(()));
        assert_eq!(headers[SESSION_ID], "an.id");
        for other in [owner(2, "client"), owner(1, "another"), owner(1, "")] {
            let mut headers = begun(&ids);
            assert_eq!(opened(&ids, &mut headers, Some(other)), Err(NotOwned));
        }
        assert_eq!(opened(&ids, &mut begun(&ids), None), Err(NotOwned));
        let others = SessionIds::random();
        assert_eq!(
            opened(&others, &mut begun(&ids), Some(own())),
            Err(NotOwned)
        );
        let key = [7; 32];
        let (one, two) = (SessionIds::keyed(&key), SessionIds::keyed(&key));
        assert_eq!(opened(&two, &mut begun(&one), Some(own())), Ok(()));
    }

    #[test]
    fn an_id_that_was_not_given_out_has_no_owner() {
        let ids = SessionIds::random();
        let good = begun(&ids)[SESSION_ID].to_str().unwrap().to_owned();
        let (id, signature) = good.rsplit_once('.').unwrap();
        for bad in [
            "",
            "an.id",
            "other",
            &format!("{id}x.{signature}"),
            &format!("{id}.{}", &signature[1..]),
            &format!("{id}.{signature}="),
            &format!("{good}.{signature}"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(SESSION_ID, HeaderValue::from_str(bad).unwrap());
            assert_eq!(
                opened(&ids, &mut headers, Some(own())),
                Err(NotOwned),
                "{bad}"
            );
        }
        let mut twice = begun(&ids);
        twice.append(SESSION_ID, HeaderValue::from_str(&good).unwrap());
        assert_eq!(opened(&ids, &mut twice, Some(own())), Err(NotOwned));
        assert_eq!(opened(&ids, &mut HeaderMap::new(), None), Ok(()));
    }

    #[test]
    fn an_answer_to_a_token_without_an_account_begins_no_session() {
        let ids = SessionIds::random();
        let mut headers = HeaderMap::new();
        headers.insert(SESSION_ID, HeaderValue::from_static("id"));
        ids.seal(&mut headers, || None);
        assert!(headers.is_empty());
    }
}
