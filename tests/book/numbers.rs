//! Every number with a unit on a page is that of the code, or says whose it is.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{pages, read};

/// Page, words, and the line of code that makes them true. Who changes the one sees the other fail.
#[rustfmt::skip]
const HELD: &[(&str, &str, &str, &str)] = &[
    ("README.md", "at most two seconds", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("README.md", "up to two seconds", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("README.md", "up to 10 %", "src/jwks/schedule.rs", "jittered(shortened, 0.1, chance)"),
    ("README.md", "to 5 minutes", "src/jwks/schedule.rs", "SHORTEST: Duration = Duration::from_secs(300);"),
    ("README.md", "For 30 seconds", "src/authority/jwks_refresh.rs", "COOLDOWN: Bounds = Bounds::new(1..=3_600, 30);"),
    ("README.md", "for 24 hours", "src/authority/jwks_refresh.rs", "MAX_STALE: Bounds = Bounds::new(120..=604_800, 86_400);"),
    ("docs/bound_tokens.md", "2,048 to 8,192 bits", "src/jwks/crypto.rs", "2_048..=8_192"),
    ("docs/bound_tokens.md", "at most 300 s", "src/middleware/pop/mod.rs", "WINDOW: f64 = 300.0;"),
    ("docs/bound_tokens.md", "(2 MiB)", "src/middleware/pop/config.rs", "most_body: 2 * 1_024 * 1_024,"),
    ("docs/bound_tokens.md", "at most 30 s", "src/middleware/pop/body.rs", "LONGEST: Duration = Duration::from_secs(30);"),
    ("docs/deploy/container.md", "64 MiB for verified tokens", "src/token/mod.rs", "TOKEN_CACHE_BYTES: Bounds = Bounds::new(0..=1 << 40, 67_108_864);"),
    ("docs/deploy/network.md", "64 KiB) is", "src/token/mod.rs", "MAX_TOKEN_BYTES: Bounds = Bounds::new(1_024..=262_144, 65_536);"),
    ("docs/deploy/network.md", "past 30 s", "src/authority/clock.rs", "WORTH_TELLING: i64 = 30;"),
    ("docs/deploy/replicas.md", "the last 10 minutes", "src/revocation/store.rs", "Self::AllowIssuedWithin(Duration::from_secs(600))"),
    ("docs/deploy/replicas.md", "64 KiB for a user", "src/graph/shared_answers.rs", "MOST_OBJECTS.saturating_mul(16)"),
    ("docs/deploy/replicas.md", "4,096 groups", "src/graph/shared_answers.rs", "MOST_OBJECTS: usize = 4_096;"),
    ("docs/design.md", "at most two seconds", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("docs/design.md", "(30 s)", "src/authority/jwks_refresh.rs", "COOLDOWN: Bounds = Bounds::new(1..=3_600, 30);"),
    ("docs/design.md", "for two hours after", "src/authority/jwks_refresh.rs", "WITHDRAWAL_GRACE: Bounds = Bounds::new(0..=86_400, 7_200);"),
    ("docs/design.md", "At most 256 requests", "src/jwks/waiting.rs", "MOST_WAITING: usize = 256;"),
    ("docs/directory.md", "at most 20 ids", "src/graph/check_member_groups.rs", "MOST_IDS: usize = 20;"),
    ("docs/directory.md", "32,768 accounts", "src/graph/client.rs", "MOST_ACCOUNTS: usize = 32_768;"),
    ("docs/directory.md", "512 accounts", "src/graph/client.rs", "MOST_LISTS: usize = 512;"),
    ("docs/directory.md", "100 ms at most", "src/graph/shared_answers.rs", "LONGEST_READ: Duration = Duration::from_millis(100);"),
    ("docs/directory.md", "more than 4,096 ids", "src/graph/shared_answers.rs", "MOST_OBJECTS: usize = 4_096;"),
    ("docs/directory.md", "41 bytes", "tests/redis/memberships.rs", "assert_eq!(sizes, [41, 56]);"),
    ("docs/directory.md", "more than 30 s from", "src/revocation/answers.rs", "MOST_APART: u64 = 30;"),
    ("docs/directory.md", "else 1 s", "src/graph/error.rs", "SHORTEST: Duration = Duration::from_secs(1);"),
    ("docs/directory.md", "1 s, doubling", "src/graph/backoff.rs", "SHORTEST: Duration = Duration::from_secs(1);"),
    ("docs/directory.md", "to 60 s", "src/graph/backoff.rs", "LONGEST: Duration = Duration::from_secs(60);"),
    ("docs/encrypted_tokens.md", "every five seconds", "src/token/jwe/reload.rs", "INTERVAL: Duration = Duration::from_secs(5);"),
    ("docs/errors.md", "more than five minutes ago", "src/middleware/pop/mod.rs", "WINDOW: f64 = 300.0;"),
    ("docs/errors.md", "more than 1 MiB", "src/middleware/mcp/body.rs", "MAX_BODY: usize = 1_048_576;"),
    ("docs/faq.md", "for 24 hours", "src/authority/jwks_refresh.rs", "MAX_STALE: Bounds = Bounds::new(120..=604_800, 86_400);"),
    ("docs/gate.md", "up to 2 s", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("docs/gate.md", "wait 3 s", "deploy/gate/envoy-grpc.yaml", "timeout: 3s"),
    ("docs/how_it_works.md", "at most 2 s, and", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("docs/how_it_works.md", "the last 10 minutes", "src/revocation/store.rs", "Self::AllowIssuedWithin(Duration::from_secs(600))"),
    ("docs/how_it_works.md", "waits at most 2 s", "src/revocation/redis/commands.rs", "COMMAND_TIMEOUT: Duration = Duration::from_secs(2);"),
    ("docs/mcp.md", "up to 1 MiB", "src/middleware/mcp/body.rs", "MAX_BODY: usize = 1_048_576;"),
    ("docs/migration.md", "300 s apart", "src/authority/mod.rs", "CLOCK_SKEW: Bounds = Bounds::new(0..=600, 300);"),
    ("docs/migration.md", "two hours more", "src/authority/jwks_refresh.rs", "WITHDRAWAL_GRACE: Bounds = Bounds::new(0..=86_400, 7_200);"),
    ("docs/operations.md", "cut to 96 bits", "src/middleware/pseudonym.rs", "BYTES: usize = 12;"),
    ("docs/operations.md", "down to five minutes", "src/jwks/schedule.rs", "SHORTEST: Duration = Duration::from_secs(300);"),
    ("docs/operations.md", "two seconds at most", "src/jwks/waiting.rs", "LONGEST_WAIT: Duration = Duration::from_secs(2);"),
    ("docs/operations.md", "up to five minutes", "src/jwks/schedule.rs", "LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);"),
    ("docs/operations.md", "1 s, 2 s,", "src/jwks/schedule.rs", "FIRST_PAUSE: Duration = Duration::from_secs(1);"),
    ("docs/operations.md", "… 60 s", "src/jwks/schedule.rs", "LAST_PAUSE: Duration = Duration::from_secs(60);"),
    ("docs/operations.md", "after five minutes at most", "src/jwks/schedule.rs", "LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);"),
    ("docs/operations.md", "(two hours) more", "src/authority/jwks_refresh.rs", "WITHDRAWAL_GRACE: Bounds = Bounds::new(0..=86_400, 7_200);"),
    ("docs/operations.md", "read every five minutes", "src/jwks/schedule.rs", "SHORTEST: Duration = Duration::from_secs(300);"),
    ("docs/operations.md", "and 16 KiB more", "examples/startup/server.rs", "OTHER_HEADERS: usize = 16 * 1024;"),
    ("docs/recipes/tenants.md", "every 15 seconds", "examples/recipes/tenants.rs", "PERIOD: Duration = Duration::from_secs(15);"),
    ("docs/revocation.md", "− 300 s", "src/authority/mod.rs", "ISSUED_AT_BACKDATE: Bounds = Bounds::new(0..=600, 300);"),
    ("docs/revocation.md", "+ 300 s", "src/authority/mod.rs", "ISSUED_AT_BACKDATE: Bounds = Bounds::new(0..=600, 300);"),
    ("docs/revocation.md", "more than 30 s", "src/authority/clock.rs", "WORTH_TELLING: i64 = 30;"),
    ("docs/revocation.md", "until 48 hours", "src/revocation/marks.rs", "KEPT: u64 = 48 * 60 * 60;"),
    ("docs/revocation.md", "forgotten 48 hours", "src/revocation/marks.rs", "KEPT: u64 = 48 * 60 * 60;"),
    ("docs/revocation.md", "it 48 hours after", "src/revocation/marks.rs", "KEPT: u64 = 48 * 60 * 60;"),
    ("docs/revocation.md", "waits two seconds", "src/revocation/redis/commands.rs", "COMMAND_TIMEOUT: Duration = Duration::from_secs(2);"),
    ("docs/revocation.md", "up to four seconds ago", "src/revocation/subscriber.rs", "LONGEST_SILENCE: Duration = Duration::from_secs(4);"),
    ("docs/revocation.md", "within four seconds", "src/revocation/subscriber.rs", "LONGEST_SILENCE: Duration = Duration::from_secs(4);"),
    ("docs/revocation.md", "600 s longer", "src/revocation/shared.rs", "OTHER_CLOCKS: u64 = 600;"),
    ("docs/revocation.md", "at most 64 KiB", "src/middleware/event_endpoints.rs", "MOST_BYTES: usize = 65_536;"),
    ("docs/revocation.md", "10 seconds (408)", "src/middleware/event_endpoints.rs", "MOST_TIME: Duration = Duration::from_secs(10);"),
    ("docs/revocation.md", "100,000 sessions", "src/revocation/cutoffs.rs", "MOST_UNPROVEN: usize = 100_000;"),
    ("docs/runbooks.md", "for four hours", "deploy/prometheus-alerts.yml", "> 4 * 3600"),
    ("docs/runbooks.md", "2,048 bits", "src/jwks/crypto.rs", "2_048..=8_192"),
    ("docs/runbooks.md", "in ten minutes", "deploy/prometheus-alerts.yml", "[10m])) > 100"),
    ("docs/runbooks.md", "more than 100 ms", "deploy/prometheus-alerts.yml", "> 0.1"),
    ("docs/runbooks.md", "two hours", "src/authority/jwks_refresh.rs", "WITHDRAWAL_GRACE: Bounds = Bounds::new(0..=86_400, 7_200);"),
    ("docs/threat_model.md", "ten seconds of grace", "examples/startup/mod.rs", "GRACE: Duration = Duration::from_secs(10);"),
];

/// Page, words, whose they are: Microsoft's, another program's, measured once, or no promise at all.
#[rustfmt::skip]
const NOT_OURS: &[(&str, &str, &str)] = &[
    ("README.md", "ten minutes with", "the name of a page"),
    ("docs/app_registration.md", "Over 200 groups", "Entra"),
    ("docs/bound_tokens.md", "about 150 MB", "measured"),
    ("docs/deploy/network.md", "4 to 20 KB", "Entra"),
    ("docs/deploy/network.md", "8 KB for one", "nginx"),
    ("docs/deploy/network.md", "64 KB a header", "Azure Front Door"),
    ("docs/deploy/network.md", "16 KiB of headers", "hyper"),
    ("docs/deploy/replicas.md", "100 bytes each", "an estimate"),
    ("docs/design.md", "144 bits", "24 characters of base64url"),
    ("docs/faq.md", "60 to 90 minutes", "Entra"),
    ("docs/faq.md", "28 hours", "Entra, with continuous access evaluation"),
    ("docs/gate.md", "8 KB", "an attack's size"),
    ("docs/gate.md", "2,416 bytes", "measured"),
    ("docs/gate.md", "12.8 MiB", "measured"),
    ("docs/gate.md", "20.1 MiB", "measured"),
    ("docs/mcp.md", "165 bytes", "measured"),
    ("docs/mcp.md", "710 KB", "measured"),
    ("docs/mcp.md", "6.2 ms", "measured"),
    ("docs/mcp.md", "41 ms", "measured"),
    ("docs/mcp.md", "900 KB", "measured"),
    ("docs/mcp.md", "0.44 ms", "measured"),
    ("docs/mcp.md", "0.47 ms", "measured"),
    ("docs/mcp.md", "40,000 members", "measured"),
    ("docs/mcp.md", "28 ms", "measured"),
    ("docs/mcp.md", "48 ms", "measured"),
    ("docs/migration.md", "(5 minutes)", "ASP.NET Core"),
    ("docs/operations.md", "every 15 s", "advice"),
    ("docs/operations.md", "within two hours", "archived answers of Entra"),
    ("docs/operations.md", "to 16 KiB", "hyper"),
    ("docs/operations.md", "300 groups", "Entra"),
    ("docs/recipes/groups.md", "Over 200 groups", "Entra"),
    ("docs/recipes/groups.md", "202 groups", "the emulator's user"),
    ("docs/recipes/grpc.md", "16 KiB", "hyper"),
    ("docs/revocation.md", "five minutes later", "advice"),
    ("docs/revocation.md", "two minutes behind", "an example"),
    ("docs/revocation.md", "28 hours", "Entra, with continuous access evaluation"),
    ("docs/revocation.md", "1.9 s", "measured"),
    ("docs/revocation.md", "2.3 s", "measured"),
    ("docs/revocation.md", "6 ms", "measured"),
    ("docs/revocation.md", "90 days", "Entra"),
    ("docs/revocation.md", "(24 hours", "Entra"),
    ("docs/runbooks.md", "after five minutes", "advice"),
    ("docs/threat_model.md", "1,024 bits", "test data"),
];

/// Tables of others, of measurements and of fixtures, which other tests make or hold.
const NOT_SWEPT: [&str; 5] = [
    "docs/annex",
    "docs/compare.md",
    "docs/performance.md",
    "docs/situations.md",
    "docs/SUMMARY.md",
];

const UNITS: [&str; 25] = [
    "s", "ms", "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "KiB",
    "MiB", "KB", "MB", "bytes", "bits", "%", "accounts", "groups", "ids", "sessions", "records",
    "items", "members", "requests",
];
const WORDS: [&str; 13] = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve", "fifteen",
    "twenty", "thirty",
];

/// Where a number with a unit begins: `30 s`, `two hours`, `64-KiB`.
fn numbers(line: &str) -> Vec<(usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | ',' | '%');
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (is_part(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push((from, &line[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    let is_number = |word: &str| {
        WORDS.contains(&word)
            || (word.starts_with(|c: char| c.is_ascii_digit())
                && word
                    .chars()
                    .all(|c| c.is_ascii_digit() || c == ',' || c == '.'))
    };
    words
        .windows(2)
        .filter(|pair| {
            let ((from, number), (unit_at, unit)) = (pair[0], pair[1]);
            let between = &line[from + number.len()..unit_at];
            is_number(number)
                && matches!(between, " " | "-")
                && UNITS.contains(&unit.trim_end_matches(['.', ',']))
        })
        .map(|pair| pair[0])
        .collect()
}

#[test]
fn numbers_with_units_are_found() {
    let line = "For 30 seconds, at most two hours (64 KiB), 5 s. Not: v2.0 tokens, 401 `x`.";
    let found: Vec<&str> = numbers(line).iter().map(|(_, number)| *number).collect();
    assert_eq!(found, ["30", "two", "64", "5"]);
}

#[test]
fn every_number_of_a_page_is_that_of_the_code_or_says_whose_it_is() {
    let mut documents = pages("docs");
    documents.insert(PathBuf::from("README.md"));
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut unheld = Vec::new();
    let mut found = 0;
    for page in documents {
        let place = page.to_string_lossy().replace('\\', "/");
        if NOT_SWEPT.iter().any(|own| place.starts_with(own)) {
            continue;
        }
        let own = HELD
            .iter()
            .map(|row| (row.0, row.1))
            .chain(NOT_OURS.iter().map(|row| (row.0, row.1)));
        let own: Vec<_> = own.filter(|row| row.0 == place).collect();
        let mut is_code = false;
        for line in read(&page).lines() {
            is_code ^= line.starts_with("```");
            if is_code {
                continue;
            }
            for (at, number) in numbers(line) {
                found += 1;
                let holding: Vec<_> = own
                    .iter()
                    .filter(|(_, words)| {
                        let mut places = line.match_indices(words);
                        places.any(|(from, _)| (from..from + words.len()).contains(&at))
                    })
                    .collect();
                if holding.is_empty() {
                    unheld.push(format!("{place}: {number} in: {line}"));
                }
                used.extend(holding.into_iter().copied());
            }
        }
    }
    assert!(unheld.is_empty(), "{unheld:#?}");
    assert!(found > 100, "the pages are read: {found}");
    for (page, words, file, code) in HELD {
        assert!(used.contains(&(*page, *words)), "{page} has no {words:?}");
        assert!(
            read(file).contains(code),
            "{page}, {words:?}: {file} has no {code:?}"
        );
    }
    for (page, words, _) in NOT_OURS {
        assert!(used.contains(&(*page, *words)), "{page} has no {words:?}");
    }
}
