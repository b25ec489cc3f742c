//! The validator's way once more, reported step by step with the validator's own functions.

use crate::authority::ResolvedAuthority;
use crate::claims::Claims;
use crate::token::authority_lookup::KeySource;
use crate::token::authority_state::AuthorityState;
use crate::token::checks::{CHECKS, CheckContext, checked};
use crate::token::decode_buffer::DecodeBuffer;
use crate::token::invalid_token::InvalidToken;
use crate::token::issuer_index::AuthorityRef;
use crate::token::possession::NOTHING;
use crate::token::unverified::UnverifiedToken;
use crate::token::validator::Validator;
use crate::token::verdict::refused_by_rule;
use crate::token::verified::VerifiedToken;

use super::text::{self, issuers, permissions, state};
use super::unverified_view::Peek;
use super::{Explanation, Outcome, Step, hints};

impl Validator {
    /// Traces a token's way; `verdict` is what became of it, with the code of the refusal.
    pub(crate) fn explain(
        &self,
        token: &str,
        now: u64,
        verdict: Result<&Claims, &'static str>,
    ) -> Explanation {
        let decrypted = self.decrypted(token.as_bytes());
        let signed = decrypted.as_ref().ok().and_then(Option::as_ref);
        let signed = signed.map(|signed| String::from_utf8_lossy(signed));
        let outer = Peek::at(token, self.most_bytes);
        let inner = signed
            .as_deref()
            .map(|signed| Peek::at(signed, self.most_bytes));
        let peek = inner.as_ref().unwrap_or(&outer);
        let mut telling = Trace {
            peek,
            now,
            verdict: verdict.err(),
            steps: Vec::new(),
            chosen: None,
            signature_verified: false,
        };
        match (&decrypted, &signed) {
            (Err(refused), _) => telling.not_decrypted(self, token, refused),
            (Ok(_), Some(signed)) => {
                telling.decrypted(self, &outer);
                telling.token(self, signed);
            }
            (Ok(_), None) => telling.token(self, token),
        }
        let Trace {
            mut steps,
            chosen,
            signature_verified,
            ..
        } = telling;
        if signature_verified {
            // The signature speaks for the header and for everything before it, too.
            for step in &mut steps {
                step.verified = true;
            }
        }
        let told = steps.iter().find_map(|step| step.reason);
        if let (None, Some(reason)) = (told, verdict.err()) {
            steps.push(Step {
                reason: Some(reason),
                ..step(
                    "standing",
                    Outcome::Failed,
                    "not revoked, and not used before",
                )
            });
        }
        let hints = hints::of_token(self, chosen, (peek, &outer), token, verdict.err(), now);
        Explanation {
            accepted: verdict.is_ok(),
            reason: verdict.err(),
            signature_verified,
            steps,
            hints,
            custom: false,
            claims: verdict.ok().cloned(),
            now,
        }
    }
}

/// What came out so far.
struct Trace<'t> {
    peek: &'t Peek,
    now: u64,
    verdict: Option<&'static str>,
    steps: Vec<Step>,
    chosen: Option<&'t ResolvedAuthority>,
    signature_verified: bool,
}

fn step(check: &str, outcome: Outcome, expected: impl Into<String>) -> Step {
    Step {
        check: check.to_owned(),
        outcome,
        expected: expected.into(),
        found: None,
        verified: false,
        reason: None,
    }
}

impl<'t> Trace<'t> {
    fn add(
        &mut self,
        check: &str,
        result: Result<(), &'static str>,
        expected: impl Into<String>,
        found: Option<String>,
    ) {
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(_) => Outcome::Failed,
        };
        self.steps.push(Step {
            found,
            reason: result.err(),
            ..step(check, outcome, expected)
        });
    }

    /// What comes behind a refusal is shown, but not checked.
    fn skip(&mut self, check: &str, expected: impl Into<String>, found: Option<String>) {
        self.steps.push(Step {
            found,
            ..step(check, Outcome::Skipped, expected)
        });
    }

    fn token(&mut self, validator: &'t Validator, token: &str) {
        let mut buffer = DecodeBuffer::new();
        let read = UnverifiedToken::read(token, validator.most_bytes, &mut buffer);
        if !self.form(validator, token, read.as_ref().err()) {
            return self.skip_remaining(None, 0);
        }
        let Ok(token) = read else { return };
        let (installed, place, document, keys) = match validator.authority_of(&token) {
            Ok(found) => found,
            Err(invalid) => {
                let found = self.peek.claims(&["iss", "ver", "tfp"]);
                self.add(
                    "authority",
                    Err(invalid.reason()),
                    issuers(validator),
                    found,
                );
                return self.skip_remaining(None, 1);
            }
        };
        let trust = &installed.trust;
        self.chosen = Some(trust);
        let found = self.peek.claims(&["iss", "ver", "tfp"]);
        self.add("authority", Ok(()), issuers(validator), found);
        let address = trust.documents.get(document);
        let address = address.map(|document| document.address.to_string());
        let expected = format!("keys of {}", address.unwrap_or_default());
        let (KeySource::Ready(reader) | KeySource::TenantPending(reader)) = keys;
        let in_use = reader.keys();
        let keys = match (&keys, in_use.as_deref()) {
            (KeySource::Ready(_), Some(keys)) => keys,
            _ => {
                self.add(
                    "keys",
                    Err("keys_unavailable"),
                    expected,
                    Some(state(reader)),
                );
                return self.skip_remaining(Some(trust), 2);
            }
        };
        self.add("keys", Ok(()), expected, Some(state(reader)));
        let candidates = token.kid().map_or(&[][..], |kid| keys.with_id(kid));
        let known = if candidates.is_empty() {
            // While a fetch is under way nothing is decided yet.
            let undecided = self.verdict == Some("keys_unavailable");
            Err(if undecided {
                "keys_unavailable"
            } else {
                InvalidToken::UnknownKey.reason()
            })
        } else {
            Ok(())
        };
        let kid = self.peek.header("kid").or(Some("none".to_owned()));
        self.add("key_id", known, "the id of one of those keys", kid);
        if known.is_err() {
            return self.skip_remaining(Some(trust), 3);
        }
        let verified = token.verify(candidates);
        self.signature_verified = verified.is_ok();
        let result = verified.as_ref().map(|_| ()).map_err(InvalidToken::reason);
        self.add("signature", result, "made by that key", None);
        match verified {
            Ok(verified) => self.claims(verified, installed, place),
            Err(_) => self.skip_remaining(Some(trust), 4),
        }
    }

    /// An encrypted token that was decrypted.
    fn decrypted(&mut self, validator: &Validator, outer: &Peek) {
        self.add("decryption", Ok(()), keys_of(validator), encryption(outer));
    }

    /// An encrypted token of which nothing inside is known.
    fn not_decrypted(&mut self, validator: &Validator, token: &str, refused: &InvalidToken) {
        if matches!(refused, InvalidToken::Decryption) {
            let found = encryption(self.peek);
            let reason = Err(refused.reason());
            self.add("decryption", reason, keys_of(validator), found);
            for name in ["size", "form", "algorithm", "type"] {
                self.skip(name, "as for every token", None);
            }
        } else {
            self.form(validator, token, Some(refused));
        }
        self.skip_remaining(None, 0);
    }

    /// Size, form, algorithm, type; whether all of them are right.
    fn form(&mut self, validator: &Validator, token: &str, error: Option<&InvalidToken>) -> bool {
        let found = [
            Some(format!("{} bytes", token.len())),
            (self.peek.parts > 0).then(|| match self.peek.parts {
                1 => "1 part".to_owned(),
                parts => format!("{parts} parts"),
            }),
            self.peek.header("alg"),
            self.peek.header("typ"),
        ];
        let expected = [
            format!("at most {} bytes", validator.most_bytes),
            "three parts in base64url: two JSON objects with each member once, and a signature"
                .to_owned(),
            "RS256".to_owned(),
            "absent, JWT or at+jwt, with no crit, b64, zip, enc or cty".to_owned(),
        ];
        let failing = error.map(|error| match error {
            InvalidToken::TooLarge { .. } => 0,
            InvalidToken::Malformed => 1,
            InvalidToken::UnsupportedAlgorithm => 2,
            _ => 3,
        });
        let names = ["size", "form", "algorithm", "type"];
        for (place, ((name, expected), found)) in
            names.into_iter().zip(expected).zip(found).enumerate()
        {
            match (failing, error) {
                (Some(failing), Some(error)) if failing == place => {
                    self.add(name, Err(error.reason()), expected, found);
                }
                (Some(failing), _) if failing < place => self.skip(name, expected, found),
                _ => self.add(name, Ok(()), expected, found),
            }
        }
        error.is_none()
    }

    fn claims(
        &mut self,
        verified: VerifiedToken<'_>,
        installed: &'t AuthorityState,
        place: AuthorityRef,
    ) {
        let trust = &installed.trust;
        let expected = "every claim of its type, and exp";
        let (draft, key, _) = verified.into_parts();
        let finished = match draft.interpret() {
            Ok(finished) => finished,
            Err(_) => {
                self.add(
                    "claims",
                    Err(InvalidToken::Malformed.reason()),
                    expected,
                    None,
                );
                return self.skip_remaining(Some(trust), 5);
            }
        };
        self.add("claims", Ok(()), expected, None);
        let presented = CheckContext {
            claims: &finished,
            trust,
            key: &key,
            form: place.form,
            possession: &NOTHING,
            now: self.now,
        };
        let mut good = true;
        for (name, check) in CHECKS {
            let result = check(&presented).map_err(|invalid| invalid.reason());
            // The first failure is the answer; those behind it are shown all the same.
            good &= result.is_ok();
            let expected = text::expected(name, Some(trust), self.now);
            let found = match name {
                "purpose" => Some(text::binding(finished.confirmation_json())),
                name => text::found(name, self.peek),
            };
            self.add(name, result, expected, found);
        }
        let expected = text::expected("permissions", Some(trust), self.now);
        if !good {
            return self.skip(
                "permissions",
                expected,
                text::found("permissions", self.peek),
            );
        }
        let claims = checked(&presented).claims(finished, trust, None, None);
        let refused = refused_by_rule(&claims, trust).map(|refused| refused.reason.as_str());
        self.add(
            "permissions",
            refused.map_or(Ok(()), Err),
            expected,
            Some(permissions(&claims)),
        );
    }

    /// The rest of the way, from a step on, of which nothing is known.
    fn skip_remaining(&mut self, trust: Option<&ResolvedAuthority>, from: usize) {
        let rest = [
            "authority",
            "keys",
            "key_id",
            "signature",
            "claims",
            "version",
            "issuer",
            "audience",
            "lifetime",
            "purpose",
            "id_token",
            "permissions",
        ];
        for name in rest.into_iter().skip(from) {
            let (expected, found) = (
                text::expected(name, trust, self.now),
                text::found(name, self.peek),
            );
            self.skip(name, expected, found);
        }
    }
}

/// What an encrypted token may look like.
fn keys_of(validator: &Validator) -> String {
    let keys = validator.decryption.as_ref().map_or(0, |keys| keys.len());
    format!(
        "RSA-OAEP or RSA-OAEP-256 with A128CBC-HS256, A256CBC-HS512, A128GCM or A256GCM, cty JWT, \
         no crit, and to one of the {keys} keys of TokenDecryptionCredentials"
    )
}

/// What it looks like.
fn encryption(peek: &Peek) -> Option<String> {
    let names = ["alg", "enc", "zip", "cty", "crit", "kid", "x5t"];
    let found: Vec<String> = names
        .into_iter()
        .filter_map(|name| peek.header(name).map(|value| format!("{name} {value}")))
        .collect();
    (!found.is_empty()).then(|| found.join(", "))
}
