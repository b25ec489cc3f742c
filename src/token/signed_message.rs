//! Signed messages that are not access tokens: verifies their sender and integrity.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::claims::{Time, Times};
use crate::jwks::PublishedKey;
use crate::jwks::snapshot::{Asked, FetchOutcome, KeyReader, patience};

use super::checks::issuer::check_key;
use super::checks::lifetime;
use super::decode_buffer::DecodeBuffer;
use super::header::TokenKind;
use super::invalid_token::InvalidToken;
use super::unverified::UnverifiedToken;
use super::verdict::ValidationFailure;

/// What a message says, once its signature is verified and its key is its issuer's.
#[derive(Debug)]
pub(crate) struct SignedMessage {
    pub(crate) issuer: String,
    members: Map<String, Value>,
}

/// Messages have a few hundred bytes.
const MOST_BYTES: usize = 65_536;

impl SignedMessage {
    /// Reads a message and verifies its signature with a key of the reader that is chosen for it.
    ///
    /// Waits for the first fetch of all, and for one more if it names an unknown `kid`;
    /// two seconds in all.
    pub(crate) async fn verified<'k>(
        kind: TokenKind,
        text: &str,
        choose: impl Fn(&UnverifiedToken<'_>) -> Result<&'k KeyReader, InvalidToken>,
    ) -> Result<Self, ValidationFailure> {
        let (deadline, mut asked) = (patience(), false);
        loop {
            // Not in the future itself, which would be greater by it.
            let mut buffer = Box::new(DecodeBuffer::new());
            let token = UnverifiedToken::read_as(kind, text, MOST_BYTES, &mut buffer)?;
            let reader = choose(&token)?;
            let Some(keys) = reader.keys() else {
                let awaited = reader
                    .first_attempt()
                    .ok_or(ValidationFailure::KeysUnavailable)?;
                match awaited.arrival(deadline).await {
                    FetchOutcome::Updated => continue,
                    FetchOutcome::Failed => return Err(ValidationFailure::KeysUnavailable),
                }
            };
            let kid = token.kid().ok_or(InvalidToken::UnknownKey)?;
            let candidates = keys.with_id(kid);
            if !candidates.is_empty() {
                return Ok(Self::of(token, candidates, text)?);
            }
            if asked || keys.has_unusable_kid(kid) {
                return Err(InvalidToken::UnknownKey.into());
            }
            let awaited = match reader.ask() {
                Asked::Wait(awaited) => awaited,
                Asked::Unknown => return Err(InvalidToken::UnknownKey.into()),
                Asked::Undecided => return Err(ValidationFailure::KeysUnavailable),
            };
            asked = true;
            if awaited.arrival(deadline).await == FetchOutcome::Failed {
                return Err(ValidationFailure::KeysUnavailable);
            }
        }
    }

    fn of(
        token: UnverifiedToken<'_>,
        candidates: &[Arc<PublishedKey>],
        text: &str,
    ) -> Result<Self, InvalidToken> {
        let issuer = token.issuer()?.to_owned();
        let (_, key, _) = token.verify(candidates)?.into_parts();
        check_key(&key, &issuer)?;
        // The same text that was verified, and of which the form was checked.
        let payload = text.split('.').nth(1).unwrap_or_default();
        let json = base64_simd::URL_SAFE_NO_PAD
            .decode_to_vec(payload)
            .map_err(|_| InvalidToken::Malformed)?;
        let members = serde_json::from_slice(&json).map_err(|_| InvalidToken::Malformed)?;
        Ok(Self { issuer, members })
    }

    /// A member; `None` where it is absent or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// `aud`: a text or a list of them, of which one must be ours.
    pub(super) fn check_audience(&self, ours: impl Fn(&str) -> bool) -> Result<(), InvalidToken> {
        let found = match self.get("aud") {
            Some(Value::String(audience)) => ours(audience),
            Some(Value::Array(audiences)) => audiences.iter().filter_map(Value::as_str).any(ours),
            _ => false,
        };
        if found {
            Ok(())
        } else {
            Err(InvalidToken::InvalidAudience)
        }
    }

    /// `iat`, which must be there and not in the future; `exp` and `nbf` by the same rule as an
    /// access token's, where they are there.
    pub(super) fn check_times(&self, skew: u64, now: u64) -> Result<u64, InvalidToken> {
        let time = |name| match self.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_f64()
                .filter(|seconds| (0.0..=9_007_199_254_740_992.0).contains(seconds))
                .map(Some)
                .ok_or(InvalidToken::Malformed),
        };
        let issued_at = time("iat")?;
        lifetime::check_times(
            &Times {
                expires_at: time("exp")?.unwrap_or(f64::MAX),
                not_before: time("nbf")?.map(Time::at),
                issued_at: issued_at.map(Time::at),
            },
            skew,
            now,
        )?;
        self.get("iat")
            .and_then(whole)
            .ok_or(InvalidToken::Malformed)
    }
}

/// A time in whole seconds.
pub(super) fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let text = value.as_f64()?.trunc().to_string();
        text.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::*;
    use crate::JwksRefresh;
    use crate::authority::issuer::IssuerPattern;
    use crate::jwks::KeySet;
    use crate::jwks::snapshot::{Snapshot, refreshing};
    use crate::jwks::tests::ordinary_document;
    use entra_emulator::{CONTOSO, Emulator};

    #[tokio::test]
    async fn keys_without_their_task_verify_no_message_when_they_are_too_old() {
        let emulator = Emulator::start().await.unwrap();
        let token = emulator.token().header("typ", "logout+jwt").mint();
        let day = Duration::from_secs(86_400);
        let (publisher, reader) = refreshing(&JwksRefresh::default().max_stale(day));
        let issuer = IssuerPattern::new(emulator.issuer(CONTOSO));
        let document = emulator.keys_document().to_string();
        let keys = KeySet::read(document.as_bytes(), issuer, &ordinary_document());
        publisher.publish(Snapshot {
            keys: Some(Arc::new(keys.unwrap())),
            confirmed: Some(Instant::now()),
            last_error: None,
        });
        publisher.answer(None, true);
        drop(publisher);
        let verified = || SignedMessage::verified(TokenKind::Logout, &token, |_| Ok(&reader));
        assert!(verified().await.is_ok());
        tokio::time::pause();
        advance(day).await;
        let refused = verified().await;
        assert!(
            matches!(refused, Err(ValidationFailure::KeysUnavailable)),
            "{refused:?}"
        );
    }

    #[tokio::test]
    async fn the_id_of_a_key_that_cannot_be_used_causes_no_fetch() {
        let emulator = Emulator::start().await.unwrap();
        let mut document = emulator.keys_document();
        let mut other = document["keys"][0].clone();
        other["kid"] = "encrypts".into();
        other["use"] = "enc".into();
        document["keys"].as_array_mut().unwrap().push(other);
        let (mut publisher, reader) = refreshing(&JwksRefresh::default());
        let issuer = IssuerPattern::new(emulator.issuer(CONTOSO));
        let keys = KeySet::read(
            document.to_string().as_bytes(),
            issuer,
            &ordinary_document(),
        );
        publisher.publish(Snapshot {
            keys: Some(Arc::new(keys.unwrap())),
            confirmed: Some(Instant::now()),
            last_error: None,
        });
        publisher.answer(None, true);
        let of_key = |kid: &str| {
            let token = emulator.token().header("typ", "logout+jwt");
            token.header("kid", kid).mint()
        };
        let (unusable, unknown) = (of_key("encrypts"), of_key("unowned"));
        let verified = |token| SignedMessage::verified(TokenKind::Logout, token, |_| Ok(&reader));
        let refused = verified(&unusable).await.unwrap_err();
        assert!(matches!(
            refused,
            ValidationFailure::Invalid(InvalidToken::UnknownKey)
        ));
        // The counterpart: an unknown `kid` causes one fetch, and its result decides.
        let answers = async {
            let ticket = publisher.asked().await;
            publisher.answer(ticket, true);
        };
        let (refused, ()) = tokio::join!(verified(&unknown), answers);
        let refused = refused.unwrap_err();
        assert!(matches!(
            refused,
            ValidationFailure::Invalid(InvalidToken::UnknownKey)
        ));
    }

    #[tokio::test]
    async fn the_key_of_another_issuer_verifies_no_message() {
        const ELSEWHERE: &str = "https://elsewhere.example/v2.0";
        let emulator = Emulator::start().await.unwrap();
        let token = emulator.token().header("typ", "logout+jwt").mint();
        let own = emulator.issuer(CONTOSO);
        let outcome = async |stated: &str, bound: Option<&str>| {
            let mut document = emulator.keys_document();
            for key in document["keys"].as_array_mut().unwrap() {
                key["issuer"] = bound.into();
            }
            let document = document.to_string();
            let stated = IssuerPattern::new(stated);
            let keys = KeySet::read(document.as_bytes(), stated, &ordinary_document());
            let reader = crate::jwks::snapshot::fixed_set(keys.unwrap());
            let verified =
                SignedMessage::verified(TokenKind::Logout, &token, |_| Ok(&reader)).await;
            match verified {
                Ok(message) => message.issuer == own,
                Err(ValidationFailure::Invalid(InvalidToken::InvalidIssuer)) => false,
                Err(other) => panic!("{other:?}"),
            }
        };
        assert!(outcome(&own, None).await);
        assert!(outcome(&own, Some(&own)).await);
        assert!(!outcome(ELSEWHERE, None).await);
        assert!(!outcome(ELSEWHERE, Some(&own)).await);
        assert!(!outcome(&own, Some(ELSEWHERE)).await);
    }

    /// The same key checks as for access tokens, for each kind of message.
    #[tokio::test]
    async fn the_key_of_another_cloud_verifies_no_message() {
        let emulator = Emulator::start().await.unwrap();
        let own = emulator.issuer(CONTOSO);
        for (kind, typ) in [
            (TokenKind::Logout, "logout+jwt"),
            (TokenKind::SecurityEvent, "secevent+jwt"),
        ] {
            let token = emulator.token().header("typ", typ).mint();
            for (cloud, is_good) in [
                ("microsoftonline.com", true),
                ("microsoftonline.us", false),
                ("partner.microsoftonline.cn", false),
            ] {
                let mut document = emulator.keys_document();
                for key in document["keys"].as_array_mut().unwrap() {
                    key["issuer"] = own.as_str().into();
                    key["cloud_instance_name"] = cloud.into();
                }
                let document = document.to_string();
                let stated = IssuerPattern::new(own.as_str());
                let keys = KeySet::read(document.as_bytes(), stated, &ordinary_document());
                let reader = crate::jwks::snapshot::fixed_set(keys.unwrap());
                let verified = SignedMessage::verified(kind, &token, |_| Ok(&reader)).await;
                match verified {
                    Ok(_) => assert!(is_good, "{typ} {cloud}"),
                    Err(ValidationFailure::Invalid(InvalidToken::InvalidIssuer)) => {
                        assert!(!is_good, "{typ} {cloud}")
                    }
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
    }
}
