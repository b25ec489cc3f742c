# The same commands as .ci/run, one at a time.

export CARGO_BUILD_JOBS := env("CARGO_BUILD_JOBS", "2")

# Everything that must be green before you ask for eyes.
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

examples:
    cargo build --examples

smoke:
    .ci/smoke

# The pages of the samples in Chromium; needs Node.js and Chromium.
browser:
    .ci/browser/run

# Runs every sample's printed lines.
walks:
    .ci/examples
