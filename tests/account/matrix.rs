//! The matrix of `docs/revocation.md`: what the authority revokes, and what is seen of it here.

use std::path::Path;

use crate::house::{House, NOON, at};

/// The columns: what the authority gave out.
const COLUMNS: [&str; 5] = [
    "password cookie",
    "password token",
    "non-password cookie",
    "non-password token",
    "confidential client token",
];

/// The rows: what happens, whether it revokes what is in each column, and whether the receiver
/// for Shared Signals, a sign-out receiver or the application can learn of it.
const ROWS: [(&str, [bool; 5], Heard); 7] = [
    ("Password expires", [false; 5], Heard::Nowhere),
    ("User changes password", USER_PASSWORD, Heard::Signal),
    ("User resets password (SSPR)", USER_PASSWORD, Heard::Signal),
    ("Admin resets password", USER_PASSWORD, Heard::Signal),
    ("User revokes own refresh tokens", [true; 5], Heard::Signal),
    ("Admin revokes all refresh tokens", [true; 5], Heard::Signal),
    (
        "Single sign-out (web)",
        [true, false, true, false, false],
        Heard::SignOut,
    ),
];

const USER_PASSWORD: [bool; 5] = [true, true, false, false, false];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Heard {
    Nowhere,
    Signal,
    SignOut,
}

fn document() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/revocation.md");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_document_has_the_same_thirty_five_cells() {
    let document = document();
    let line = |name: &str| {
        document
            .lines()
            .find(|line| line.starts_with(&format!("| {name} |")))
            .unwrap_or_else(|| panic!("no row {name}"))
            .to_owned()
    };
    let header = line("event");
    let titles: Vec<&str> = header.split('|').map(str::trim).collect();
    assert_eq!(titles[2..7], COLUMNS);
    let mut cells = 0;
    for (name, revoked, _) in ROWS {
        let line = line(name);
        let written: Vec<&str> = line.split('|').map(str::trim).collect();
        for (column, revoked) in revoked.into_iter().enumerate() {
            let word = if revoked { "revoked" } else { "alive" };
            assert!(
                written[column + 2].starts_with(word),
                "{name}, {}: {} is not {word}",
                COLUMNS[column],
                written[column + 2]
            );
            cells += 1;
        }
    }
    assert_eq!(cells, 35);
}

/// The cells of the three token columns, tried: without news an access token lives on, whatever
/// the authority did; with the cut-off that the news bring, it is refused.
#[tokio::test]
async fn an_access_token_lives_until_its_account_is_cut_off_here() {
    let house = House::open().await;
    for (row, (name, _, heard)) in (0_u64..).zip(ROWS) {
        for (column, kind) in [
            (1, "password token"),
            (3, "non-password token"),
            (4, "confidential client token"),
        ] {
            // A token says nothing of the cookie or the refresh token that it came from.
            let user = format!("user-{row}-{column}");
            let token = house.token(NOON - 1).user(&user);
            let token = match kind {
                "confidential client token" => token.claim("azpacr", "1").mint(),
                "password token" => token.claim("amr", ["pwd"].as_slice()).mint(),
                _ => token.claim("amr", ["fido"].as_slice()).mint(),
            };
            assert_eq!(
                house.get("/me", &token).await.of(),
                (200, "in"),
                "{name}, {kind}"
            );
            if heard == Heard::Nowhere {
                continue;
            }
            let account = house.key_of(&token).await;
            house
                .entra
                .revoke_tokens_issued_before(&account, at(NOON))
                .await
                .unwrap();
            assert_eq!(
                house.get("/me", &token).await.of(),
                (401, "revoked"),
                "{name}, {kind}"
            );
        }
    }
}

/// The cells of the cookie columns: nothing here takes a cookie, whatever it holds.
#[tokio::test]
async fn a_cookie_is_no_credential() {
    use axum::body::Body;
    use axum::http::Request;
    let house = House::open().await;
    let token = house.token(NOON).mint();
    for cookie in ["ESTSAUTH", "ESTSAUTHPERSISTENT", "Authorization"] {
        let request = Request::get("/me")
            .header("cookie", format!("{cookie}={token}"))
            .body(Body::empty())
            .unwrap();
        let answer = house.send(house.app(), request).await;
        assert_eq!(answer.of(), (401, "missing_token"));
    }
}
