//! Makes the request that a row describes.

use aws_lc_rs::hmac;
use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::authority::{API, Authority, CLIENT, KID, OTHER_TENANT, TENANT};
use crate::row::Row;
use crate::signer::{Key, key};

pub(crate) struct Forge {
    words: Vec<(&'static str, String)>,
}

/// What is sent.
pub(crate) struct Made {
    pub(crate) token: String,
    /// Values of `Authorization`.
    pub(crate) headers: Vec<Vec<u8>>,
    pub(crate) query: String,
}

impl Made {
    /// Whether a text holds a piece of the token that says something.
    pub(crate) fn leaks_into(&self, text: &str) -> bool {
        self.token
            .split('.')
            .filter(|part| part.len() >= 16)
            .any(|part| text.contains(part.get(..16).unwrap_or(part)))
    }
}

impl Forge {
    pub(crate) fn new(authority: &Authority) -> Self {
        let base = authority.base();
        let host = base.trim_start_matches("http://").to_owned();
        let (_, port) = host.split_once(':').unwrap();
        let now = authority.now();
        let mut words = vec![
            ("$stranger_jwk", key(1).jwk("stranger").to_string()),
            ("$aud_prefix", API[..35].to_owned()),
            ("$bare_tid", TENANT.replace('-', "")),
            ("$tid_tail", TENANT[1..].to_owned()),
            ("$client", CLIENT.to_owned()),
            ("$other", OTHER_TENANT.to_owned()),
            ("$IBASE", base.to_uppercase()),
            ("$trap", format!("{base}/trap")),
            ("$base", base.to_owned()),
            ("$port", port.to_owned()),
            ("$host", host.clone()),
            ("$iss", format!("{base}/{TENANT}/v2.0")),
            ("$kid", KID.to_owned()),
            ("$KID", KID.to_uppercase()),
            ("$tid", TENANT.to_owned()),
            ("$TID", TENANT.to_uppercase()),
            ("$aud", API.to_owned()),
            ("$AUD", API.to_uppercase()),
            ("$exp+1", (now + 3_601).to_string()),
            ("$exp", (now + 3_600).to_string()),
            ("$now-1000", (now - 1_000).to_string()),
            ("$now+1000", (now + 1_000).to_string()),
        ];
        let mut forge = Self { words: Vec::new() };
        forge.words.append(&mut words);
        forge
    }

    pub(crate) fn make(&self, row: &Row) -> Made {
        let token = self.token(row);
        let headers = match &row.authorization {
            Some(values) => values
                .iter()
                .map(|value| unescape(&self.fill(value)))
                .collect(),
            None => vec![format!("Bearer {token}").into_bytes()],
        };
        let query = row.query.as_deref().map(|query| self.fill(query));
        Made {
            token,
            headers,
            query: query.unwrap_or_default(),
        }
    }

    fn token(&self, row: &Row) -> String {
        if let Some(text) = &row.token {
            return self.fill(text);
        }
        let header = match &row.raw_header {
            Some(text) => self.fill(text),
            None => edited(
                self.header(),
                &row.without_header,
                row.header.as_ref().map(|text| self.fill(text)),
            ),
        };
        let payload = match (&row.raw_payload, &row.payload_hex) {
            (Some(text), _) => self.fill(text).into_bytes(),
            (None, Some(hex)) => from_hex(hex),
            (None, None) => edited(
                self.claims(),
                &row.without,
                row.claims.as_ref().map(|text| self.fill(text)),
            )
            .into_bytes(),
        };
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode_to_string(header),
            URL_SAFE_NO_PAD.encode_to_string(payload)
        );
        let signature = self.signature(&signed, row.sign.as_deref().unwrap_or("own"));
        format!("{signed}.{signature}")
    }

    fn header(&self) -> Map<String, Value> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": KID });
        header.as_object().unwrap().clone()
    }

    fn claims(&self) -> Map<String, Value> {
        let number = |word: &str| self.fill(word).parse::<u64>().unwrap();
        let claims = json!({
            "aud": API,
            "iss": self.fill("$iss"),
            "tid": TENANT,
            "ver": "2.0",
            "iat": number("$now-1000"),
            "nbf": number("$now-1000"),
            "exp": number("$exp"),
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "azp": CLIENT,
            "azpacr": "0",
            "scp": "access_as_user",
        });
        claims.as_object().unwrap().clone()
    }

    fn good(&self) -> String {
        let members = |object| Value::Object(object).to_string();
        key(0).sign(&members(self.header()), &members(self.claims()))
    }

    fn signature(&self, signed: &str, how: &str) -> String {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
        let of = |key: &Key| {
            URL_SAFE_NO_PAD
                .decode_to_vec(signature_of(key, signed))
                .unwrap()
        };
        let (how, what) = how.split_once(':').unwrap_or((how, ""));
        let many = |byte: u8| vec![byte; what.parse().unwrap()];
        let mut own = of(key(0));
        match how {
            "own" => {}
            "text" => return what.to_owned(),
            "stranger" => own = of(key(1)),
            "zeros" => own = many(0),
            "ff" => own = many(0xff),
            "one" => {
                own = many(0);
                *own.last_mut().unwrap() = 1;
            }
            "zero_in_front" => own.insert(0, 0),
            "byte_behind" => own.push(0),
            "cut" => {
                own.pop();
            }
            "bit" => own[100] ^= 1,
            "other" => return self.good().rsplit_once('.').unwrap().1.to_owned(),
            "padded" => return format!("{}==", encode(&own)),
            // 256 bytes leave four bits in the last character that stand for nothing.
            "trailing_bits" => {
                let mut text = encode(&own);
                let last = text.pop().unwrap();
                text.push(char::from(u8::try_from(u32::from(last)).unwrap() + 1));
                return text;
            }
            "hmac" => return encode(&hmac_with(&secret(what), signed)),
            other => panic!("no such signature: {other}"),
        }
        encode(&own)
    }

    /// Fills in the `$` words of a text.
    fn fill(&self, text: &str) -> String {
        let mut text = repeated(text);
        if text.contains("$good") {
            text = text.replace("$good", &self.good());
        }
        if ["$header", "$payload", "$signature", "_header"]
            .iter()
            .any(|word| text.contains(word))
        {
            let none = r#"{"alg":"none"}"#;
            let jwe = r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#;
            let pbes =
                r#"{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483647,"p2s":"AAAA"}"#;
            let good = self.good();
            let parts: Vec<&str> = good.split('.').collect();
            for (word, value) in [
                ("$none_header", URL_SAFE_NO_PAD.encode_to_string(none)),
                ("$jwe_header", URL_SAFE_NO_PAD.encode_to_string(jwe)),
                ("$pbes_header", URL_SAFE_NO_PAD.encode_to_string(pbes)),
                ("$header", parts[0].to_owned()),
                ("$payload", parts[1].to_owned()),
                ("$signature", parts[2].to_owned()),
            ] {
                text = text.replace(word, &value);
            }
        }
        if text.contains("$all") || text.contains("$rest_without_") {
            let inner = |without: &str| {
                let mut claims = self.claims();
                claims.remove(without);
                let text = Value::Object(claims).to_string();
                text[1..text.len() - 1].to_owned()
            };
            text = text.replace("$all", &inner(""));
            for claim in ["iss", "exp", "nbf"] {
                text = text.replace(&format!("$rest_without_{claim}"), &inner(claim));
            }
        }
        for (word, value) in &self.words {
            text = text.replace(word, value);
        }
        text
    }
}

/// `$nest(N)`, `$nest_objects(N)`, `$fill(N)`, `$digits(N)` and `$members(N)`.
fn repeated(text: &str) -> String {
    let mut text = text.to_owned();
    for word in ["nest", "nest_objects", "fill", "digits", "members"] {
        let Some(start) = text.find(&format!("${word}(")) else {
            continue;
        };
        let (before, rest) = text.split_at(start);
        let (call, after) = rest.split_once(')').unwrap();
        let count: usize = call.split_once('(').unwrap().1.parse().unwrap();
        let made = match word {
            "nest" => format!("{}{}", "[".repeat(count), "]".repeat(count)),
            "nest_objects" => format!("{}1{}", r#"{"x":"#.repeat(count), "}".repeat(count)),
            "fill" => "x".repeat(count),
            "digits" => "0".repeat(count),
            _ => (0..count)
                .map(|n| format!("\"m{n}\":{n}"))
                .collect::<Vec<_>>()
                .join(","),
        };
        text = format!("{before}{made}{after}");
    }
    text
}

/// Sets and removes members; what is set stands there as it was written, at the end.
fn edited(mut object: Map<String, Value>, without: &[String], edits: Option<String>) -> String {
    for name in without {
        assert!(object.remove(name).is_some(), "no member {name}");
    }
    let Some(edits) = edits else {
        return Value::Object(object).to_string();
    };
    // The names that are set replace those of the good token, and no others: twins stay twins.
    for name in names(&edits) {
        object.remove(&name);
    }
    let good = Value::Object(object).to_string();
    format!("{},{}", &good[..good.len() - 1], &edits[1..])
}

/// The names of an object's members, by a reader that takes numbers of any size.
fn names(object: &str) -> Vec<String> {
    let object: std::collections::BTreeMap<String, Box<serde_json::value::RawValue>> =
        serde_json::from_str(object).unwrap_or_else(|error| panic!("{error}: {object}"));
    object.into_keys().collect()
}

fn signature_of(key: &Key, signed: &str) -> String {
    let (header, payload) = signed.split_once('.').unwrap();
    let text = |part: &str| URL_SAFE_NO_PAD.decode_to_vec(part).unwrap();
    let token = key.sign_bytes(&text(header), &text(payload));
    token.rsplit_once('.').unwrap().1.to_owned()
}

/// What attack tools take for a secret.
fn secret(what: &str) -> Vec<u8> {
    let der = key(0).public_der();
    let pem = || {
        let text = STANDARD.encode_to_string(&der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        format!(
            "-----BEGIN RSA PUBLIC KEY-----\n{}\n-----END RSA PUBLIC KEY-----",
            lines.join("\n")
        )
    };
    match what {
        "der" => der,
        "pem" => format!("{}\n", pem()).into_bytes(),
        "pem_without_line_end" => pem().into_bytes(),
        "jwk" => key(0).jwk(KID).to_string().into_bytes(),
        "modulus" => key(0).jwk(KID)["n"].as_str().unwrap().as_bytes().to_vec(),
        "empty" => Vec::new(),
        "kid" => KID.as_bytes().to_vec(),
        "secret" => b"secret".to_vec(),
        other => panic!("no such secret: {other}"),
    }
}

fn hmac_with(secret: &[u8], message: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    hmac::sign(&key, message.as_bytes()).as_ref().to_vec()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// `\t`, `\r`, `\n` and `\xNN`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest.next().unwrap() {
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'n' => bytes.push(b'\n'),
            _ => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
        }
    }
    bytes
}
