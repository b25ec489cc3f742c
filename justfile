# The same commands as .ci/run, one at a time.

export CARGO_BUILD_JOBS := env("CARGO_BUILD_JOBS", "2")

# Everything that must be green before you ask for a review.
check:
    .ci/run

fmt:
    cargo fmt

lint:
    cargo fmt --check
    cargo clippy --all-targets --all-features -j2 -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --all-features -j2

test:
    cargo test

# Only the library: its default features, and one feature by itself.
test-library:
    cargo test -p axum-entra

test-feature feature:
    cargo test -p axum-entra --no-default-features --features {{feature}}

examples:
    cargo build --examples

# Entra ID on this machine, for an API in any language.
emulator *arguments:
    cargo run -p entra-emulator -- {{arguments}}

smoke:
    .ci/smoke

# The pages of the samples in Chromium; needs Node.js and Chromium.
browser:
    .ci/browser/run
    .ci/browser/pop

# The book in target/book, and its links; needs mdBook and python3.
book:
    .ci/book

# Runs every sample's printed lines.
walks:
    .ci/examples

# Every fuzz target; four minutes in all, or so many seconds each. Needs nightly Rust.
fuzz *seconds:
    .ci/fuzz {{seconds}}

# A minute of traffic, rollovers and outages.
soak *seconds:
    .ci/soak {{seconds}}

# The public API against its snapshot; `just public-api --accept` writes it anew. Needs nightly Rust.
public-api *accept:
    .ci/public-api {{accept}}

# Whether the lower bounds in Cargo.toml are true. Needs nightly Rust.
minimal-versions:
    .ci/minimal-versions

# Mutants of the decisions, as .cargo/mutants.toml says; hours.
mutants:
    cargo mutants

# Licences, sources and banned crates, without the network.
deny:
    cargo deny --offline check bans licenses sources
