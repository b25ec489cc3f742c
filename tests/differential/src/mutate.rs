//! One to three changes to a good token.

use serde_json::json;

use crate::parts::{Members, Parts, Signature, object};
use crate::{API, KID, TENANT, issuer};

const CLAIMS: [&str; 26] = [
    "iss", "aud", "tid", "exp", "nbf", "iat", "ver", "scp", "roles", "sub", "oid", "cnf", "azp",
    "appid", "idtyp", "nonce", "at_hash", "c_hash", "groups", "acct", "acrs", "jti", "wids",
    "name", "email", "x",
];
const HEADER: [&str; 16] = [
    "alg", "kid", "typ", "crit", "b64", "zip", "enc", "cty", "jwk", "jku", "x5t", "x5c", "x5u",
    "nonce", "exp", "x",
];

/// JSON texts that readers have been known to take for others, good ones among them.
fn value(now: u64, random: &mut fastrand::Rng) -> String {
    let number = |at: i64| (i64::try_from(now).expect("a time") + at).to_string();
    let texts = [
        issuer(),
        format!("{}/", issuer()),
        issuer().to_uppercase(),
        API.to_owned(),
        API.to_uppercase(),
        format!("api://{API}"),
        TENANT.to_owned(),
        TENANT.to_uppercase(),
        "2.0".to_owned(),
        "1.0".to_owned(),
        "RS256".to_owned(),
        "none".to_owned(),
        "HS256".to_owned(),
        "JWT".to_owned(),
        "at+jwt".to_owned(),
        "jwt".to_owned(),
        "dpop+jwt".to_owned(),
        KID.to_owned(),
        "access_as_user".to_owned(),
        "app".to_owned(),
        "user".to_owned(),
        String::new(),
        " ".to_owned(),
        "/".to_owned(),
        "00000003-0000-0000-c000-000000000000".to_owned(),
        "9188040d-6c67-4c5b-b112-36a304b66dad".to_owned(),
        number(3_600),
    ];
    let text = json!(random.choice(texts).expect("not empty")).to_string();
    match random.u8(0..22) {
        0 => "null".to_owned(),
        1 => random.bool().to_string(),
        2 => "[]".to_owned(),
        3 => "{}".to_owned(),
        4..=8 => text,
        9 => format!("[{text}]"),
        10 => format!("[{text},\"x\"]"),
        11 => format!("[\"x\",{text}]"),
        12 => format!("[[{text}]]"),
        13 => format!("{{{text}:1}}"),
        // Around each edge, never on it: the clocks of two readers differ.
        14 => number(
            *random
                .choice(&[-7_200, -3_600, -330, -270, -30, 30, 270, 330, 3_600, 86_400])
                .expect("not empty"),
        ),
        15 => format!("{}.5", number(3_600)),
        16 => format!("\"{}\"", number(3_600)),
        17 => (*random
            .choice(&[
                "0",
                "-1",
                "1",
                "1e3",
                "1e400",
                "1.8e9",
                "18e8",
                "-0",
                "9007199254740992",
                "9007199254740993",
                "18446744073709551616",
                "1E99",
                "0.1",
            ])
            .expect("not empty"))
        .to_owned(),
        18 => (*random
            .choice(&[
                "NaN",
                "Infinity",
                "01",
                "+1",
                "0x7fffffff",
                "'a'",
                "1_000",
                "undefined",
                "True",
                ".5",
                "1.",
            ])
            .expect("not empty"))
        .to_owned(),
        19 => (*random
            .choice(&[
                "\"\\ud800\"",
                "\"\\u0000\"",
                "\"a\nb\"",
                "\"\\x41\"",
                "\"é\"",
                "\"\\/\"",
                "\"\\u0041\"",
            ])
            .expect("not empty"))
        .to_owned(),
        20 => format!("{}1{}", "[".repeat(40), "]".repeat(40)),
        _ => format!("{{\"a\":{text},\"a\":{text}}}"),
    }
}

fn set(members: &mut Members, name: &str, value: String) {
    match members.iter_mut().find(|(other, _)| other == name) {
        Some(found) => found.1 = value,
        None => members.push((name.to_owned(), value)),
    }
}

/// One change to the members of an object; says what.
fn member(members: &mut Members, names: &[&str], now: u64, random: &mut fastrand::Rng) -> String {
    let name = *random.choice(names).expect("not empty");
    let new = value(now, random);
    match random.u8(0..12) {
        0..=5 => {
            set(members, name, new.clone());
            format!("{name} = {new}")
        }
        6 | 7 => {
            members.retain(|(other, _)| other != name);
            format!("without {name}")
        }
        8 => {
            let at = random.usize(0..=members.len());
            members.insert(at, (name.to_owned(), new.clone()));
            format!("{name} twice, {new} at {at}")
        }
        9 => {
            members.push((name.to_uppercase(), new.clone()));
            format!("{} = {new} beside it", name.to_uppercase())
        }
        10 => {
            // The same name, its first letter escaped.
            let first = name.chars().next().expect("not empty");
            let escaped = format!("\"\\u{:04x}{}\"", u32::from(first), &name[1..]);
            if let Some(found) = members.iter_mut().find(|(other, _)| other == name) {
                found.0 = escaped;
            }
            format!("{name} escaped")
        }
        _ => {
            random.shuffle(members);
            "in another order".to_owned()
        }
    }
}

/// One change to the text of an object; says what.
fn text(good: &str, random: &mut fastrand::Rng) -> (Vec<u8>, &'static str) {
    let inner = &good[1..good.len() - 1];
    let (changed, what): (Vec<u8>, _) = match random.u8(0..14) {
        0 => (format!("{{{inner},}}").into_bytes(), "a trailing comma"),
        1 => (format!("{good}{{}}").into_bytes(), "two objects"),
        2 => (format!("[{good}]").into_bytes(), "a list"),
        3 => (
            format!(" \t\r\n{{ {inner}\n}}\n").into_bytes(),
            "white space",
        ),
        4 => (format!("\u{feff}{good}").into_bytes(), "a byte order mark"),
        5 => (
            good.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16",
        ),
        6 => (
            good.as_bytes()[..good.len() - 1].to_vec(),
            "the end is missing",
        ),
        7 => (format!("{{/**/{inner}}}").into_bytes(), "a comment"),
        8 => (
            [b"{\"y\":\"\xe9\",", inner.as_bytes(), b"}"].concat(),
            "Latin-1",
        ),
        9 => (
            [b"{\"y\":\"\xc0\xaf\",", inner.as_bytes(), b"}"].concat(),
            "overlong UTF-8",
        ),
        10 => (format!("{good}\0").into_bytes(), "a null byte behind"),
        11 => (Vec::new(), "nothing"),
        12 => {
            let mut bytes = good.as_bytes().to_vec();
            let at = random.usize(0..bytes.len());
            bytes[at] = random.u8(..);
            (bytes, "one byte changed")
        }
        _ => {
            let mut bytes = good.as_bytes().to_vec();
            let at = random.usize(0..bytes.len());
            bytes.remove(at);
            (bytes, "one byte removed")
        }
    };
    (changed, what)
}

fn encoded(random: &mut fastrand::Rng) -> (fn(&str, &str) -> String, &'static str) {
    let padded: fn(&str, &str) -> String = |head, claims| {
        format!(
            "{head}.{claims}{}",
            "=".repeat(claims.len().wrapping_neg() % 4)
        )
    };
    let choices: [(fn(&str, &str) -> String, &'static str); 6] = [
        (padded, "the payload is padded"),
        (
            |head, claims| format!("{head}.{}", claims.replace('_', "/").replace('-', "+")),
            "the other alphabet",
        ),
        (
            |head, claims| {
                format!(
                    "{head}.{}!{}",
                    &claims[..claims.len() / 2],
                    &claims[claims.len() / 2..]
                )
            },
            "another character in it",
        ),
        (
            |head, claims| format!("{head}.{claims}\n"),
            "a line end in it",
        ),
        (
            |head, claims| format!("{head}..{claims}"),
            "an empty part more",
        ),
        (
            |head, claims| {
                // Bits at the end that mean nothing, where there are some.
                let spare = !claims.is_empty() && claims.len() % 4 != 0;
                let last = claims.bytes().next_back().unwrap_or_default();
                let other = if last == b'A' {
                    'B'
                } else {
                    char::from(last.saturating_add(1))
                };
                if spare {
                    format!("{head}.{}{other}", &claims[..claims.len() - 1])
                } else {
                    format!("{head}.{claims}")
                }
            },
            "bits at the end of the payload",
        ),
    ];
    *random.choice(&choices).expect("not empty")
}

fn whole(random: &mut fastrand::Rng) -> (fn(&str, &mut fastrand::Rng) -> String, &'static str) {
    let flip: fn(&str, &mut fastrand::Rng) -> String = |token, random| {
        let mut bytes = token.as_bytes().to_vec();
        let at = random.usize(0..bytes.len());
        bytes[at] = *random.choice(b"ABCxyz019-_.=+/").expect("not empty");
        String::from_utf8(bytes).expect("ASCII")
    };
    let choices: [(fn(&str, &mut fastrand::Rng) -> String, &'static str); 6] = [
        (flip, "one character of the token changed"),
        (
            |token, random| token[..random.usize(0..token.len())].to_owned(),
            "the token cut",
        ),
        (|token, _| format!("{token}.AAAA"), "a part more"),
        (|token, _| format!("{token} "), "a space behind"),
        (|token, _| format!(" {token}"), "a space in front"),
        (
            |token, _| token.rsplit_once('.').expect("a dot").0.to_owned(),
            "without the signature",
        ),
    ];
    *random.choice(&choices).expect("not empty")
}

/// Changes the token, and says how.
pub fn some(parts: &mut Parts, now: u64, random: &mut fastrand::Rng) -> Vec<String> {
    let count = *random.choice(&[0, 1, 1, 1, 1, 2, 2, 3]).expect("not empty");
    let mut told = Vec::new();
    for _ in 0..count {
        told.push(match random.u8(0..20) {
            0..=10 => member(&mut parts.claims, &CLAIMS, now, random),
            11..=14 => format!("header: {}", member(&mut parts.head, &HEADER, now, random)),
            15 => {
                let (changed, what) = text(&object(&parts.claims), random);
                parts.raw_claims = Some(changed);
                format!("payload: {what}")
            }
            16 => {
                let (changed, what) = text(&object(&parts.head), random);
                parts.raw_head = Some(changed);
                format!("header: {what}")
            }
            17 => {
                let (change, what) = encoded(random);
                parts.encoded = Some(change);
                what.to_owned()
            }
            18 => {
                let (change, what) = whole(random);
                parts.whole = Some(change);
                what.to_owned()
            }
            _ => {
                use Signature::{Bit, Cut, Empty, Foreign, Longer, Padded, TrailingBits};
                parts.signature = *random
                    .choice(&[Foreign, Empty, Bit, Cut, Longer, Padded, TrailingBits])
                    .expect("not empty");
                format!("signature: {:?}", parts.signature)
            }
        });
    }
    told
}
