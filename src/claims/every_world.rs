//! Users, applications, agents and guests, over every combination of the claims that tell them, by an oracle of a
//! few lines; and every short text as a time.

use serde_json::{Map, Value, json};

use super::agent::has_number;
use super::raw::RawClaims;
use super::{AgentKind, Claims, IssuerKind, Principal};

const OWN_ISSUER: &str = "https://own.example/";

fn claims(kind: IssuerKind, members: &[(&str, &Value)]) -> Claims {
    let mut payload = Map::new();
    payload.insert("exp".to_owned(), json!(1));
    payload.insert("iss".to_owned(), json!(OWN_ISSUER));
    for (name, value) in members {
        // `false` stands for a claim that is not there.
        if **value != json!(false) {
            payload.insert((*name).to_owned(), (*value).clone());
        }
    }
    let text = Value::Object(payload).to_string();
    let parsed = RawClaims::parse(text.as_bytes())
        .unwrap()
        .interpret()
        .unwrap();
    let issued = parsed.issued_by(kind, |name| name == "https://other-form.example/");
    issued.into_claims(None, None, None)
}

/// Whether a text of numbers has this one: written anew, without the library's function.
fn has(numbers: &Value, wanted: &[&str]) -> bool {
    let text = numbers.as_str().unwrap_or_default().replace(',', " ");
    text.split_whitespace()
        .any(|number| wanted.contains(&number))
}

/// Every value of every list with every other.
fn each(lists: &[&[Value]], judge: &mut impl FnMut(&[&Value])) -> usize {
    let mut count = 0;
    let total: usize = lists.iter().map(|list| list.len()).product();
    for mut number in 0..total {
        let mut world = Vec::with_capacity(lists.len());
        for list in lists {
            world.push(&list[number % list.len()]);
            number /= list.len();
        }
        judge(&world);
        count += 1;
    }
    count
}

fn identity_types() -> Vec<Value> {
    let named = ["user", "app", "device", "USER", ""].map(Value::from);
    [
        vec![json!(false), json!(null), json!(1), json!(["user"])],
        named.to_vec(),
    ]
    .concat()
}

fn stated(identity_type: &Value) -> Option<Principal> {
    match identity_type {
        Value::Bool(false) | Value::Null => None,
        Value::String(text) if text == "user" => Some(Principal::User),
        Value::String(text) if text == "app" => Some(Principal::App),
        _ => Some(Principal::Unknown),
    }
}

#[test]
fn users_applications_and_agents_of_entra_id_in_every_world() {
    let texts = |texts: &[&str]| {
        let texts = texts.iter().map(|text| json!(text));
        std::iter::once(json!(false))
            .chain(texts)
            .collect::<Vec<_>>()
    };
    let lists = [
        &identity_types()[..],
        &[
            json!(null),
            json!(""),
            json!("/"),
            json!(" / "),
            json!("a"),
            json!(" / a "),
        ],
        &texts(&["", "11", "3 9 11", "11,13", "13", "111", "1 1"]),
        &texts(&["7", "1 33", "13", "77"]),
        &texts(&["a", "b"]),
        &texts(&["a"]),
        &texts(&["11", "9,11", "1"]),
    ];
    let count = each(&lists, &mut |world| {
        let [
            identity_type,
            scopes,
            subject_facets,
            relations,
            subject,
            object,
            actor_facets,
        ] = world
        else {
            panic!("seven claims")
        };
        let names = [
            "idtyp",
            "scp",
            "xms_sub_fct",
            "xms_idrel",
            "sub",
            "oid",
            "xms_act_fct",
        ];
        let members: Vec<_> = names.into_iter().zip(world.iter().copied()).collect();
        let claims = claims(IssuerKind::EntraId, &members);

        let has_scopes = scopes.as_str().is_some_and(|text| text.contains('a'));
        let same = subject.is_string() && subject == object;
        let is_app = has(subject_facets, &["11"]) || has(relations, &["7", "13", "33"]) || same;
        let expected = match (stated(identity_type), has_scopes, is_app) {
            (Some(stated), ..) => stated,
            (None, true, _) => Principal::User,
            (None, false, true) => Principal::App,
            (None, false, false) => Principal::Unknown,
        };
        assert_eq!(claims.principal(), expected, "{members:?}");

        let agent = match (
            has(subject_facets, &["11"]),
            has(subject_facets, &["13"]),
            has(actor_facets, &["11"]),
        ) {
            (true, ..) => Some(AgentKind::Autonomous),
            (false, true, _) => Some(AgentKind::AgentUser),
            (false, false, true) if expected == Principal::User => Some(AgentKind::OnBehalfOfUser),
            (false, false, true) => Some(AgentKind::Autonomous),
            (false, false, false) => None,
        };
        assert_eq!(
            claims.agent().map(|agent| agent.kind()),
            agent,
            "{members:?}"
        );
    });
    assert_eq!(count, 9 * 6 * 8 * 5 * 3 * 2 * 4);
}

#[test]
fn users_and_applications_of_b2c_in_every_world() {
    let lists = [
        &identity_types()[..],
        &[json!(false), json!(null), json!("0"), json!("1"), json!(2)],
        &[
            json!(false),
            json!(null),
            json!("1.0"),
            json!("2.0"),
            json!("3.0"),
        ],
        // None of these means anything in B2C.
        &[json!(false), json!("a")],
        &[json!(false), json!("a")],
        &[json!(false), json!("11")],
        &[json!(false), json!("a b")],
    ];
    let count = each(&lists, &mut |world| {
        let names = ["idtyp", "azpacr", "ver", "sub", "oid", "xms_sub_fct", "scp"];
        let members: Vec<_> = names.into_iter().zip(world.iter().copied()).collect();
        let is_app = !matches!(world[1], Value::Null | Value::Bool(_)) || *world[2] == json!("2.0");
        let otherwise = if is_app {
            Principal::App
        } else {
            Principal::User
        };
        let expected = stated(world[0]).unwrap_or(otherwise);
        let claims = claims(IssuerKind::B2c, &members);
        assert_eq!(claims.principal(), expected, "{members:?}");
    });
    assert_eq!(count, 9 * 5 * 5 * 2 * 2 * 2 * 2);
}

#[test]
fn guests_in_every_world() {
    let lists = [
        &[
            json!(false),
            json!(null),
            json!(0),
            json!("0"),
            json!(1),
            json!("1"),
            json!(""),
            json!(true),
            json!([0]),
        ][..],
        &[
            json!(false),
            json!(null),
            json!(OWN_ISSUER),
            json!("https://other-form.example/"),
            json!("live.com"),
            json!(""),
            json!(7),
            json!(["live.com"]),
        ],
    ];
    for kind in [IssuerKind::EntraId, IssuerKind::ExternalId, IssuerKind::B2c] {
        each(&lists, &mut |world| {
            let [account, provider] = world else {
                panic!("two claims")
            };
            let absent = |value: &Value| matches!(value, Value::Null | Value::Bool(false));
            let own = [json!(OWN_ISSUER), json!("https://other-form.example/")];
            let member = [json!(0), json!("0")].contains(account);
            let foreign = !absent(provider) && !own.contains(provider);
            let expected = match kind {
                IssuerKind::B2c => false,
                _ if !absent(account) => !member,
                IssuerKind::ExternalId => false,
                IssuerKind::EntraId => foreign,
            };
            let claims = claims(kind, &[("acct", account), ("idp", provider)]);
            assert_eq!(claims.is_guest(), expected, "{kind:?} {account} {provider}");
        });
    }
}

/// Every text of these letters, up to a length.
fn texts(letters: &[char], longest: u32) -> impl Iterator<Item = String> {
    let count = letters.len();
    (0..=longest).flat_map(move |length| {
        (0..count.pow(length)).map(move |mut number| {
            let next = |_| {
                let letter = letters[number % count];
                number /= count;
                letter
            };
            (0..length).map(next).collect()
        })
    })
}

#[test]
fn every_short_text_has_a_facet_or_not() {
    let mut found = [0_u32; 3];
    for text in texts(&['1', '3', ' ', ',', '\t', 'x'], 6) {
        for (place, number) in ["11", "13", "3"].into_iter().enumerate() {
            let expected = has(&json!(text), &[number]);
            assert_eq!(has_number(Some(&text), number), expected, "{text:?}");
            found[place] += u32::from(expected);
        }
    }
    assert!(found.iter().all(|count| *count > 1_000), "{found:?}");
    assert!(!has_number(None, "11"));
}

#[test]
fn every_short_text_is_the_scopes_between_its_spaces() {
    for text in texts(&[' ', '/', 'a', 'b'], 6) {
        let claims = claims(IssuerKind::EntraId, &[("scp", &json!(text))]);
        let expected: Vec<&str> = text
            .split(' ')
            .filter(|word| !word.is_empty() && *word != "/")
            .collect();
        assert!(claims.scopes().eq(expected.iter().copied()), "{text:?}");
        let principal = if expected.is_empty() {
            Principal::Unknown
        } else {
            Principal::User
        };
        assert_eq!(claims.principal(), principal, "{text:?}");
    }
}

/// What a JSON reader of everybody's takes for a number from 0 to 2^53.
fn time(text: &str) -> Option<f64> {
    let Ok(Value::Number(number)) = serde_json::from_str(text) else {
        return None;
    };
    number
        .as_f64()
        .filter(|seconds| (0.0..=9_007_199_254_740_992.0).contains(seconds))
}

fn read(text: &str) -> Option<f64> {
    let json = format!("{{\"exp\":{text}}}");
    let parsed = RawClaims::parse(json.as_bytes()).and_then(RawClaims::interpret);
    parsed.ok().map(|claims| claims.times().expires_at)
}

#[test]
fn every_short_text_is_the_time_that_a_json_reader_takes_it_for() {
    let letters = ['0', '1', '9', '-', '+', '.', 'e', 'E'];
    let (mut count, mut good) = (0_u32, 0_u32);
    for length in 0..=6_u32 {
        for number in 0..8_u32.pow(length) {
            let text: String = (0..length)
                .map(|place| letters[(number >> (3 * place)) as usize & 7])
                .collect();
            let (expected, found) = (time(&text), read(&text));
            assert_eq!(found.is_some(), expected.is_some(), "{text}");
            // serde_json is not exact in the last bit; the standard library is.
            let bits = |time: Option<f64>| time.unwrap_or_default().abs().to_bits();
            assert!(bits(found).abs_diff(bits(expected)) <= 1, "{text}");
            count += 1;
            good += u32::from(expected.is_some());
        }
    }
    assert!(count == 299_593 && good > 1_000, "{count} {good}");
}

#[test]
fn around_the_greatest_time_no_text_is_taken_for_a_lesser_one() {
    const GREATEST: u64 = 9_007_199_254_740_992;
    for number in GREATEST - 5_000..GREATEST + 5_000 {
        let is_time = |text: String| read(&text).is_some();
        assert_eq!(is_time(format!("{number}")), number <= GREATEST, "{number}");
        assert_eq!(
            is_time(format!("{number}.0")),
            number <= GREATEST,
            "{number}"
        );
        // What a reader rounds up to the greatest is not distinguished from it, and so refused.
        assert_eq!(
            is_time(format!("{number}.5")),
            number < GREATEST - 1,
            "{number}"
        );
        assert!(!is_time(format!("0{number}")), "{number}");
    }
}
