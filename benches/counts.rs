//! Instructions and allocations of a request: `cargo bench -p axum-entra --bench counts [-- --write]`
//!
//! Counts are the same on a busy machine, so they can be compared with `counts.toml`: more than 5 %
//! above it fails. Instructions are callgrind's, are skipped without valgrind, and are held only
//! where compiler and processor are those of the file; `--write` puts this run's counts into it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints a table"
)]

mod setup;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use axum::Router;
use axum_entra::guard::{Guard, RequireScope};
use axum_entra::{Entra, Tenant, TokenDecryptionKey};
use entra_emulator::{CONTOSO, TokenEncryption};
use http::HeaderValue;

use setup::{CACHE, Issuer, NoOp, app, behind, forged, groups, header, route, send};

/// So much more than the file is still the same: compilers differ a little.
const TOLERATED: f64 = 1.05;

/// Requests of each case; one count is their mean.
const TIMES: usize = 20;

/// A certificate and its key of 2,048 bits, to which tokens are encrypted.
const DECRYPTION_KEY: &str = include_str!("../tests/vectors/jwe/key.pem");

const CACHE_OFF: &str = "cache off";
const GROUPS_200: &str = "cache off, 200 groups";
const GROUPS_400: &str = "cache off, 400 groups";
const GROUPS_1200: &str = "cache off, 1,200 groups";
const AUTHORITIES: &str = "cache off, 1,000 authorities";
const TENANTS: &str = "cache off, 10,000 tenants";

/// Tokens that grow in one way each: what a byte costs must not depend on how many there are.
const GROWING: [(&str, u16, Grown); 6] = [
    ("groups", 200, Issuer::with_groups),
    ("groups, wrong signature", 401, |issuer, size| {
        forged(&issuer.with_groups(size))
    }),
    ("members", 200, Issuer::with_members),
    ("nesting of 128 levels", 200, Issuer::with_nesting),
    ("escapes", 200, Issuer::with_escapes),
    ("dots", 401, |_, size| "a.".repeat(size / 2)),
];

/// A token of nearly so many bytes.
type Grown = fn(&Issuer, usize) -> String;

/// KiB; the last just short of the greatest that is accepted.
const SIZES: [usize; 3] = [4, 16, 63];

fn grown(kind: &str, kib: usize) -> String {
    format!("cache off, {kib} KiB of {kind}")
}

/// One kind of request, and what is to be answered.
struct Case {
    name: String,
    app: Router,
    /// One after the other; all of them are new where there are `TIMES` of them.
    tokens: Vec<HeaderValue>,
    status: u16,
}

fn main() -> ExitCode {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| text != "--bench")
        .collect();
    match arguments.first().map(String::as_str) {
        Some("run") => {
            for mut case in cases() {
                case.warm_up();
                for time in 0..TIMES {
                    measured(&mut case, time);
                }
                counted();
            }
            ExitCode::SUCCESS
        }
        Some("--write") => {
            std::fs::write(file(), text(&counts())).unwrap();
            ExitCode::SUCCESS
        }
        _ => check(),
    }
}

fn cases() -> Vec<Case> {
    let issuer = Issuer::start();
    let known = issuer.token(0);
    let unknown = issuer.with(0, |token| {
        token.header("kid", "nobody-has-seen-this-key-id")
    });
    let bad = forged(&known);
    let cached = || app(&issuer.entra(CACHE));
    let uncached = || app(&issuer.entra(0));
    let encryption = TokenEncryption::to(DECRYPTION_KEY).unwrap();
    let jwe = issuer.with(0, |token| token.encrypted(encryption));
    let encrypted = |cache| {
        let builder = Entra::builder_for(issuer.authority()).token_cache_capacity(cache);
        let key = TokenDecryptionKey::bytes(DECRYPTION_KEY);
        app(&builder.token_decryption_key(key).build().unwrap())
    };
    let case = |name: &str, app, token: &str, status| Case {
        name: name.to_owned(),
        app,
        tokens: vec![header(token)],
        status,
    };
    let keys = Entra::builder_for(issuer.tenant(Tenant::new(CONTOSO), 200)).token_cache_capacity(0);
    let (authorities, last) = issuer.authorities(1_000);
    let customers = app(&issuer.customers(10_000));
    let one = RequireScope("access_as_user");
    let five = one.and(one).and(one).and(one).and(one);
    let twenty = five.and(five).and(five).and(five);
    // As a claim: beyond 200 the emulator issues an overage, as Entra does.
    let grouped = |count| issuer.with(0, |token| token.claim("groups", groups(count)));
    let growing = GROWING.iter().flat_map(|(kind, status, token)| {
        let sized = |kib: usize| {
            case(
                &grown(kind, kib),
                uncached(),
                &token(&issuer, kib << 10),
                *status,
            )
        };
        SIZES.map(sized)
    });
    let mut cases = vec![
        case("unprotected", route().with_state(()), &known, 200),
        case("no-op layer", behind(NoOp), &known, 200),
        case("known token", cached(), &known, 200),
        Case {
            name: "known token, 1,000 in turn".to_owned(),
            app: cached(),
            tokens: issuer.tokens(1_000),
            status: 200,
        },
        Case {
            name: "known token, 20 guards".to_owned(),
            app: behind((issuer.entra(CACHE).layer(), twenty)),
            tokens: vec![header(&known)],
            status: 200,
        },
        Case {
            name: "never seen, kept".to_owned(),
            app: cached(),
            tokens: issuer.tokens(TIMES),
            status: 200,
        },
        case(CACHE_OFF, uncached(), &known, 200),
        case(GROUPS_200, uncached(), &grouped(200), 200),
        case(GROUPS_400, uncached(), &grouped(400), 200),
        // Just short of 64 KiB.
        case(GROUPS_1200, uncached(), &grouped(1_200), 200),
        case(
            "cache off, 200 keys",
            app(&keys.build().unwrap()),
            &known,
            200,
        ),
        case(AUTHORITIES, app(&authorities), &last, 200),
        case(TENANTS, customers, &known, 200),
        case("encrypted, cache off", encrypted(0), &jwe, 200),
        case("encrypted, known", encrypted(CACHE), &jwe, 200),
        case("not encrypted, with a key", encrypted(CACHE), &known, 200),
        Case {
            name: "no token".to_owned(),
            app: cached(),
            tokens: Vec::new(),
            status: 401,
        },
        case("garbage", cached(), &"x".repeat(2_032), 401),
        case("unknown key", cached(), &unknown, 401),
        case("wrong signature", cached(), &bad, 401),
    ];
    cases.extend(growing);
    cases
}

impl Case {
    fn warm_up(&mut self) {
        if self.tokens.len() != TIMES {
            for time in 0..self.tokens.len().max(TIMES) {
                assert_eq!(self.send(time), self.status, "{}", self.name);
            }
        }
    }

    fn send(&mut self, time: usize) -> u16 {
        send(
            &mut self.app,
            self.tokens.get(time % self.tokens.len().max(1)),
        )
    }
}

/// What callgrind counts, and nothing else.
#[inline(never)]
fn measured(case: &mut Case, time: usize) {
    assert_eq!(case.send(time), case.status, "{}", case.name);
}

/// When this returns, callgrind writes down what it has.
#[inline(never)]
fn counted() {
    std::hint::black_box(());
}

/// What one case costs.
struct Count {
    name: String,
    /// Of its first token.
    token_bytes: usize,
    instructions: Option<u64>,
    allocations: u64,
    bytes: u64,
}

fn counts() -> Vec<Count> {
    let instructions = instructions();
    let place = |number: usize| instructions.as_ref().map(|counts| counts[number]);
    let counted = |(number, mut case): (usize, Case)| {
        case.warm_up();
        let info = allocation_counter::measure(|| {
            for time in 0..TIMES {
                assert_eq!(case.send(time), case.status, "{}", case.name);
            }
        });
        Count {
            token_bytes: case.tokens.first().map_or(0, HeaderValue::len),
            name: case.name,
            instructions: place(number),
            allocations: info.count_total / TIMES as u64,
            bytes: info.bytes_total / TIMES as u64,
        }
    };
    cases().into_iter().enumerate().map(counted).collect()
}

/// One number for each case; `None` without valgrind.
fn instructions() -> Option<Vec<u64>> {
    let folder = std::env::temp_dir().join(format!("counts-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let out = folder.join("callgrind");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args([
            "--toggle-collect=counts::measured*",
            "--dump-after=counts::counted*",
        ])
        .arg(std::env::current_exe().unwrap())
        .arg("run")
        .stderr(Stdio::null())
        .status();
    let Ok(status) = status else {
        println!("instructions are skipped: valgrind is not installed\n");
        return None;
    };
    assert!(status.success(), "the run under valgrind failed");
    // A numbered file for each dump; one more without a number at the end.
    let counts = (1..)
        .map(|number| PathBuf::from(format!("{}.{number}", out.display())))
        .take_while(|dump| dump.exists())
        .map(|dump| total(&dump) / TIMES as u64)
        .collect();
    std::fs::remove_dir_all(&folder).unwrap();
    Some(counts)
}

fn total(dump: &Path) -> u64 {
    let text = std::fs::read_to_string(dump).unwrap();
    let mut totals = text
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "));
    totals.next().unwrap().trim().parse().unwrap()
}

fn check() -> ExitCode {
    let agreed: toml::Table = std::fs::read_to_string(file()).unwrap().parse().unwrap();
    let mut above = 0;
    let place = place();
    let same_place = agreed.get("place").and_then(toml::Value::as_str) == Some(&place);
    if !same_place {
        println!("instructions are not held against the file, which is not of {place}\n");
    }
    println!("| | instructions | agreed | allocations | agreed | bytes | agreed |");
    println!("|---|---|---|---|---|---|---|");
    let counts = counts();
    for count in &counts {
        let mut row = format!("| {} |", count.name);
        let found = [
            ("instructions", count.instructions),
            ("allocations", Some(count.allocations)),
            ("bytes", Some(count.bytes)),
        ];
        for (what, found) in found {
            let agreed = agreed.get(&count.name).and_then(|case| case.get(what));
            let agreed = agreed.and_then(toml::Value::as_integer);
            let worse = match (found, agreed) {
                (Some(_), Some(_)) if what == "instructions" && !same_place => false,
                (Some(found), Some(agreed)) => found as f64 > agreed as f64 * TOLERATED,
                // Nothing to hold it against: see the column, and write the file.
                (_, None) | (None, _) => false,
            };
            above += usize::from(worse);
            let found = found.map_or_else(|| "–".to_owned(), |found| found.to_string());
            let agreed = agreed.map_or_else(|| "none".to_owned(), |agreed| agreed.to_string());
            let mark = if worse { " **above**" } else { "" };
            write!(row, " {found}{mark} | {agreed} |").unwrap();
        }
        println!("{row}");
    }
    let grow = grows_too_fast(&counts);
    for finding in &grow {
        println!("\n{finding}");
    }
    if !grow.is_empty() {
        return ExitCode::FAILURE;
    }
    if above > 0 {
        println!("\n{above} counts are more than 5 % above benches/counts.toml");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What must grow with nothing, or in proportion, whatever the counts themselves are.
fn grows_too_fast(counts: &[Count]) -> Vec<String> {
    let of = |name: &str| {
        let count = counts.iter().find(|count| count.name == name).unwrap();
        count.instructions.map(|count| count as f64)
    };
    let mut found = Vec::new();
    let Some(one) = of(CACHE_OFF) else {
        return found;
    };
    for many in [AUTHORITIES, TENANTS] {
        let ratio = of(many).unwrap() / one;
        if ratio > 1.1 {
            found.push(format!("{many}: {ratio:.2} times the cost of one"));
        }
    }
    // Nor what a byte costs on how many there are.
    for (kind, ..) in GROWING {
        let [small, middle, great] = SIZES.map(|kib| {
            let name = grown(kind, kib);
            let count = counts.iter().find(|count| count.name == name).unwrap();
            (count.instructions.unwrap() as f64, count.token_bytes as f64)
        });
        let each = |one: (f64, f64), more: (f64, f64)| (more.0 - one.0) / (more.1 - one.1);
        let (before, after) = (each(small, middle), each(middle, great));
        println!(
            "a byte of {kind}: {before:.1} instructions up to 16 KiB, {after:.1} up to 63 KiB"
        );
        if after > before * 1.1 {
            found.push(format!(
                "{kind}: a byte costs {:.2} times one of a token of 16 KiB",
                after / before
            ));
        }
    }
    // What a group costs must not depend on how many there are.
    let each = |name: &str, groups: f64| (of(name).unwrap() - one) / groups;
    let of_200 = each(GROUPS_200, 200.0);
    for (name, groups) in [(GROUPS_400, 400.0), (GROUPS_1200, 1_200.0)] {
        let ratio = each(name, groups) / of_200;
        if ratio > 1.1 {
            found.push(format!("{name}: a group costs {ratio:.2} times one of 200"));
        }
    }
    found
}

fn text(counts: &[Count]) -> String {
    let mut text = "\
# What one request costs, as `cargo bench -p axum-entra --bench counts` found it; more than 5 % above fails there.
# `cargo bench -p axum-entra --bench counts -- --write` writes this file: look at what it changes.
"
    .to_owned();
    writeln!(text, "\nplace = {:?}", place()).unwrap();
    for count in counts {
        writeln!(text, "\n[{:?}]", count.name).unwrap();
        if let Some(instructions) = count.instructions {
            writeln!(text, "instructions = {instructions}").unwrap();
        }
        writeln!(text, "allocations = {}", count.allocations).unwrap();
        writeln!(text, "bytes = {}", count.bytes).unwrap();
    }
    text
}

/// What instructions depend on, beside the code: compiler and processor.
fn place() -> String {
    let compiler = Command::new("rustc").arg("--version").output().unwrap();
    let compiler = String::from_utf8(compiler.stdout).unwrap();
    #[cfg(target_arch = "x86_64")]
    let vectors = if is_x86_feature_detected!("avx2") {
        " with AVX2"
    } else {
        ""
    };
    #[cfg(not(target_arch = "x86_64"))]
    let vectors = "";
    format!("{}, {}{vectors}", compiler.trim(), std::env::consts::ARCH)
}

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/counts.toml")
}
