//! Differences that are known: what this library refuses and others accept, and the other way round.
//!
//! Each is recognised by a look at the token, not by what was said about it alone: a refusal that names `version` is
//! known only where the token's `ver` is indeed another.

use base64_simd::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::TENANT;
use crate::peers::Verdict;
use crate::twice::has_twice;

/// A token as a strict reader sees it.
struct Look {
    /// All three parts are base64url without padding and without bits that mean nothing.
    is_base64url: bool,
    header_text: String,
    payload_text: String,
    header: Option<Value>,
    payload: Option<Value>,
}

impl Look {
    fn new(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        let decode = |at: usize| {
            URL_SAFE_NO_PAD
                .decode_to_vec(parts.get(at).copied().unwrap_or("="))
                .ok()
        };
        let (header, payload) = (decode(0), decode(1));
        let is_base64url =
            parts.len() == 3 && header.is_some() && payload.is_some() && decode(2).is_some();
        let text = |bytes: Option<Vec<u8>>| {
            String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default()
        };
        let (header_text, payload_text) = (text(header), text(payload));
        Self {
            is_base64url,
            header: serde_json::from_str(&header_text).ok(),
            payload: serde_json::from_str(&payload_text).ok(),
            header_text,
            payload_text,
        }
    }

    fn claim(&self, name: &str) -> Option<&Value> {
        self.payload
            .as_ref()?
            .get(name)
            .filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.header.as_ref()?.get(name)
    }
}

/// What others are for one token: names of the differences, or what is unknown.
pub fn between(
    ours: Result<(), &'static str>,
    theirs: &[(&'static str, Verdict)],
    token: &str,
    now: u64,
) -> Result<Vec<String>, String> {
    if theirs
        .iter()
        .all(|(_, verdict)| verdict.is_ok() == ours.is_ok())
    {
        return Ok(vec![
            if ours.is_ok() {
                "all accept"
            } else {
                "all refuse"
            }
            .to_owned(),
        ]);
    }
    let look = Look::new(token);
    let mut classes = Vec::new();
    for (peer, verdict) in theirs {
        match (ours, verdict) {
            (Err(reason), Ok(())) => match stricter(reason, &look, now) {
                Some(why) => {
                    classes.push(format!("{peer} accepts, refused here as {reason}: {why}"))
                }
                None => return Err(format!("{peer} accepts what is refused here as {reason}")),
            },
            (Ok(()), Err(said)) => match narrower(peer, &look) {
                Some(why) => classes.push(format!("{peer} refuses, accepted here: {why}")),
                None => return Err(format!("{peer} refuses what is accepted here: {said}")),
            },
            _ => {}
        }
    }
    Ok(classes)
}

/// Stops the run if the list explains a difference about a token that shows no reason for one.
pub fn must_not_explain_anything_of(good: &str, now: u64) {
    const REASONS: [&str; 20] = [
        "malformed",
        "too_large",
        "algorithm",
        "critical_header",
        "token_type",
        "unknown_key",
        "bad_signature",
        "issuer",
        "tenant_not_allowed",
        "audience",
        "expired",
        "not_yet_valid",
        "version",
        "policy",
        "graph_token",
        "id_token",
        "sender_constrained",
        "decryption",
        "revoked",
        "no_permissions",
    ];
    for peer in ["jsonwebtoken", "jwt-simple"] {
        for reason in REASONS {
            let explained = between(Err(reason), &[(peer, Ok(()))], good, now);
            assert!(explained.is_err(), "{reason}: {explained:?}");
        }
        let explained = between(Ok(()), &[(peer, Err("refused".to_owned()))], good, now);
        assert!(explained.is_err(), "{explained:?}");
    }
}

/// Why this library refuses a token that another accepts; `None` if the token shows no such reason.
fn stricter(reason: &str, look: &Look, now: u64) -> Option<&'static str> {
    let absent = |name: &str| look.claim(name).is_none();
    match reason {
        "malformed" => malformed(look),
        "critical_header"
            if ["crit", "b64"]
                .iter()
                .any(|name| look.member(name).is_some()) =>
        {
            Some("an extension that must be understood (RFC 7515 section 4.1.11, RFC 7797)")
        }
        "token_type"
            if ["zip", "enc", "cty"]
                .iter()
                .any(|name| look.member(name).is_some()) =>
        {
            Some("a member of encrypted or nested tokens in a signed one")
        }
        "token_type" => {
            let typ = look.member("typ")?.as_str()?.to_ascii_lowercase();
            (!matches!(
                typ.as_str(),
                "jwt" | "at+jwt" | "application/at+jwt" | "application/jwt"
            ))
            .then_some("its type says that it is another kind of token (RFC 8725 section 3.12)")
        }
        "issuer" => (!look
            .text("tid")
            .is_some_and(|tid| tid.eq_ignore_ascii_case(TENANT)))
        .then_some("`tid` is not the issuer's tenant"),
        "version" => {
            (look.text("ver") != Some("2.0")).then_some("`ver` does not go with the issuer")
        }
        "id_token" => {
            let names = |name: &str| look.text(name).is_some_and(|text| !text.is_empty());
            let hash = !absent("at_hash") || !absent("c_hash");
            (hash || !(names("azp") || names("appid"))).then_some("what an ID token looks like")
        }
        "no_permissions" => {
            let scopes = look.text("scp").is_some_and(|scp| {
                scp.split(' ')
                    .any(|scope| !scope.is_empty() && scope != "/")
            });
            let roles = look.claim("roles").is_some_and(|roles| {
                roles.as_array().is_some_and(|list| {
                    list.iter()
                        .any(|role| role.as_str().is_some_and(|role| !role.is_empty()))
                })
            });
            (!scopes && !roles).then_some("neither scopes nor roles")
        }
        "sender_constrained" => (!absent("cnf")).then_some("bound to a key that was not proved"),
        "not_yet_valid" => {
            let ahead = |name: &str| {
                look.claim(name)
                    .and_then(Value::as_f64)
                    .is_some_and(|at| at > now as f64 + 299.0)
            };
            ahead("iat").then_some("issued in the future")
        }
        _ => None,
    }
}

/// Why its form is refused: a reader that takes it has a choice that another reader may make otherwise.
fn malformed(look: &Look) -> Option<&'static str> {
    if !look.is_base64url {
        return Some("base64url with padding, other characters or bits that mean nothing");
    }
    let (Some(header), Some(payload)) = (&look.header, &look.payload) else {
        return Some("no JSON text of a strict reader");
    };
    if has_twice(&look.header_text) || has_twice(&look.payload_text) {
        return Some("a name twice in one object");
    }
    if has_twins(header) || has_twins(payload) {
        return Some("a name beside the same in another letter case");
    }
    let text = |object: &Value, names: &[&str], null: bool| {
        let mut values = names.iter().filter_map(|name| object.get(*name));
        values.any(|value| !value.is_string() && !(null && value.is_null()))
    };
    if text(header, &["alg", "kid", "typ"], false) {
        return Some("a header member of another JSON type");
    }
    let list = |name: &str| {
        look.claim(name).is_some_and(|value| {
            !value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string))
        })
    };
    let number = |name: &str| {
        look.claim(name).is_some_and(|value| match value.as_u64() {
            Some(at) => at > 1 << 53,
            None => !value
                .as_f64()
                .is_some_and(|at| (0.0..=9_007_199_254_740_992.0).contains(&at)),
        })
    };
    // A text counts as a list of one.
    let list_or_text =
        |name: &str| look.claim(name).is_some_and(|value| !value.is_string()) && list(name);
    let texts = [
        "iss", "tid", "ver", "sub", "oid", "azp", "appid", "scp", "idtyp", "azpacr", "name",
        "email", "acr",
    ];
    if text(payload, &texts, true)
        || ["roles", "groups", "wids"].iter().any(|name| list(name))
        || ["acrs", "amr", "xms_cc"]
            .iter()
            .any(|name| list_or_text(name))
        || ["exp", "nbf", "iat"].iter().any(|name| number(name))
        || look.claim("exp").is_none()
        || look.claim("aud").is_some_and(|aud| {
            !aud.is_string() && (list("aud") || aud.as_array().is_some_and(Vec::is_empty))
        })
    {
        return Some("a claim of another JSON type, or a time outside 0 to 2^53");
    }
    let both = [&look.header_text, &look.payload_text];
    if both
        .iter()
        .any(|text| text.to_ascii_lowercase().contains("\\ud8"))
    {
        return Some("half a surrogate pair");
    }
    let at = |name: &str| look.claim(name).and_then(Value::as_f64);
    if at("nbf").zip(at("exp")).is_some_and(|(nbf, exp)| nbf > exp) {
        return Some("begins after its end");
    }
    None
}

/// Whether a name that decides is there beside the same in another letter case.
fn has_twins(object: &Value) -> bool {
    let Some(object) = object.as_object() else {
        return false;
    };
    ["iss", "aud", "tid", "exp", "nbf", "ver"]
        .iter()
        .any(|name| {
            let same = |other: &&String| other.eq_ignore_ascii_case(name);
            object.keys().filter(same).count() > 1
        })
}

/// Why another library refuses a token that this one accepts; `None` if the token shows no such reason.
fn narrower(peer: &str, look: &Look) -> Option<&'static str> {
    let is = |name: &str, good: fn(&Value) -> bool| {
        look.member(name)
            .is_none_or(|value| value.is_null() || good(value))
    };
    let texts = ["jku", "x5u", "x5t", "nonce"];
    let typed = texts.iter().all(|name| is(name, Value::is_string))
        && is("x5c", |value| {
            value
                .as_array()
                .is_some_and(|list| list.iter().all(Value::is_string))
        })
        && is("jwk", Value::is_object);
    if !typed {
        return Some("reads header members that mean nothing here into types of its own");
    }
    if look.member("jwk").is_some() {
        return Some("reads `jwk` of the header, which is ignored here, as a key");
    }
    let null = |name: &&str| {
        let claim = look.payload.as_ref().and_then(|payload| payload.get(*name));
        claim.is_some_and(Value::is_null)
    };
    if ["iat", "nbf"].iter().any(null) {
        return Some("null is no time for it, and absence here");
    }
    if peer == "jwt-simple" {
        let odd = ["jti", "nonce", "sub", "iss"]
            .iter()
            .any(|name| look.claim(name).is_some_and(|value| !value.is_string()));
        if odd {
            return Some("reads claims that mean nothing here into types of its own");
        }
    }
    None
}
