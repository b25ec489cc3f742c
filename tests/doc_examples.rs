//! Every public item has an example in its documentation, or is on a list that may only get shorter,
//! under the reason why it needs none; and an example asserts what it shows, or is on a list too.

#![allow(clippy::unwrap_used, reason = "tests")]

mod files;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Types without an example: what is shown where it is made or given. Services and futures of layers,
/// errors that are in others, what only other items return.
const TYPES_WITHOUT: &[&str] = &[
    "Agent",
    "AllOf",
    "AnyOf",
    "AnyToken",
    "AssertionFuture",
    "CheckLayer",
    "CheckService",
    "DenyKnownAgents",
    "FromFn",
    "GraphError",
    "GraphRequestError",
    "JwksFetchError",
    "JwksStatus",
    "MetadataService",
    "NameList",
    "Outcome",
    "RedactedValue",
    "ResponseFuture",
    "RouteAudit",
    "RouteAuditError",
    "SessionRevocation",
    "SignInEndpoint",
    "TenantFilter",
    "ToolGuardsService",
];

/// Methods without an example, by the reason.
const METHODS_WITHOUT: &[(&str, &[&str])] = &[
    (
        "one claim, as the token states it",
        &[
            "Agent::application_id",
            "Agent::blueprint_id",
            "Agent::kind",
            "Claims::acr",
            "Claims::audiences",
            "Claims::client_capabilities",
            "Claims::client_id_text",
            "Claims::ip_address",
            "Claims::issued_at",
            "Claims::issuer",
            "Claims::not_before",
            "Claims::object_id_text",
            "Claims::on_premises_sid",
            "Claims::password_expiry",
            "Claims::password_url",
            "Claims::roles",
            "Claims::session_id",
            "Claims::subject",
            "Claims::version",
            "Confirmation::certificate_thumbprint",
            "Confirmation::is_bound_to_key",
            "Confirmation::key_thumbprint",
        ],
    ),
    (
        "gives what the value holds; the type's example uses it",
        &[
            "$service::get_mut",
            "$service::get_ref",
            "AccessToken::expires_in",
            "AccessToken::expose_secret",
            "Alternative::requirements",
            "Alternative::roles",
            "Alternative::scopes",
            "Caller::claims",
            "CallerToken::claims",
            "Denied::reason",
            "Explanation::is_accepted",
            "Explanation::is_signature_verified",
            "Explanation::reason",
            "GroupIds::is_empty",
            "GroupIds::iter",
            "GroupIds::len",
            "JwksFetchError::kind",
            "Permit::claims",
            "Permit::into_claims",
            "Requirement::description",
            "Requirement::reason",
            "Requirements::alternatives",
            "ScopeHierarchy::is_empty",
            "TransportError::kind",
            "UnixTime::as_secs",
            "ValidateError::invalid_token",
            "ValidateError::is_unavailable",
        ],
    ),
    (
        "makes the value of the type's example",
        &[
            "ClientCertificate::from_der",
            "Clock::now",
            "Clock::system",
            "ScopeHierarchy::new",
            "UnixTime::from_secs",
        ],
    ),
    (
        "names that its sentence lists",
        &[
            "AgentKind::as_str",
            "ClientAuthMethod::as_str",
            "Groups::as_str",
            "Principal::as_str",
            "TokenVersion::as_str",
        ],
    ),
    (
        "a test claim by its own name; the examples of the crate use them",
        &[
            "ClaimsBuilder::build",
            "ClaimsBuilder::groups",
            "ClaimsBuilder::object_id",
            "ClaimsBuilder::roles",
            "ClaimsBuilder::scope",
        ],
    ),
    (
        "written by the application; the trait's example does it",
        &[
            "ClientAssertionProvider::assertion",
            "GuardFromState::from_state",
        ],
    ),
    (
        "needs a credential of the Azure SDK: `docs/directory.md`",
        &["ClientCredential::azure"],
    ),
    (
        "shows in signed or encrypted requests only: `docs/bound_tokens.md`, `docs/encrypted_tokens.md`",
        &["TokenDecryptionKey::key_id", "TrustedProxies::forward_host"],
    ),
];

/// Examples that assert nothing, each with what would have to run.
const ASSERTS_NOTHING: &[&str] = &[
    // A log, and the spans of requests.
    "EntraBuilder::account_pseudonym_key",
    "EntraBuilder::record_span_fields",
    // A signed request.
    "EntraBuilder::original_uri",
    // A file of the deployment.
    "TokenDecryptionKey",
    // A connection that stays open; `TokenExpiry::new` asserts.
    "TokenExpiry",
];

/// Public in a private module, or in `#[doc(hidden)]`: no page shows them.
const SEALED: &[&str] = &["Decide", "FirstUse", "List", "Names", "Patience"];

#[derive(Debug, PartialEq)]
struct Item {
    /// `Type`, `function` or `Type::method`.
    name: String,
    has_example: bool,
    /// Whether the example can fail: by an assertion, or by what must not compile.
    asserts: bool,
}

impl Item {
    fn is_method(&self) -> bool {
        self.name.contains("::")
    }

    fn is_sealed(&self) -> bool {
        let owner = self.name.split("::").next().unwrap_or_default();
        SEALED.contains(&owner)
    }
}

fn all_items() -> Vec<Item> {
    let mut all: Vec<Item> = sources().iter().flat_map(|text| items(text)).collect();
    all.retain(|item| !item.is_sealed());
    all
}

/// Fails with what is missing on the list, and with what is on it without need.
fn assert_listed(what: &str, found: BTreeSet<&str>, listed: BTreeSet<&str>) {
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "{what}: {new:?}");
    let spare: Vec<_> = listed.difference(&found).collect();
    assert!(spare.is_empty(), "take these off the list: {spare:?}");
}

#[test]
fn every_type_has_an_example_or_is_on_the_list() {
    let items = all_items();
    let types = || items.iter().filter(|item| !item.is_method());
    let without = types().filter(|item| !item.has_example);
    assert_listed(
        "public, without an example",
        without.map(|item| item.name.as_str()).collect(),
        TYPES_WITHOUT.iter().copied().collect(),
    );
    assert!(types().count() > 100, "the reader of items finds too few");
}

#[test]
fn every_method_has_an_example_or_a_reason_for_none() {
    let items = all_items();
    let methods = || items.iter().filter(|item| item.is_method());
    let without = methods().filter(|item| !item.has_example);
    let listed = METHODS_WITHOUT.iter().flat_map(|(_, names)| *names);
    assert_listed(
        "public, without an example",
        without.map(|item| item.name.as_str()).collect(),
        listed.copied().collect(),
    );
    assert!(methods().count() > 250, "the reader of items finds too few");
}

#[test]
fn every_example_asserts_what_it_shows_or_is_on_the_list() {
    let items = all_items();
    let idle = items
        .iter()
        .filter(|item| item.has_example && !item.asserts);
    assert_listed(
        "an example that cannot fail",
        idle.map(|item| item.name.as_str()).collect(),
        ASSERTS_NOTHING.iter().copied().collect(),
    );
}

#[test]
fn the_reader_of_items_sees_what_stands_there() {
    let text = "\
/// A type.
///
/// ```
/// assert_eq!(1, 1);
/// ```
#[derive(Debug)]
pub struct Shown;

/// Another.
pub enum Bare { A }

impl Shown {
    /// A method.
    pub const fn get(&self) {}

    /// ```
    /// let x = 1;
    /// ```
    pub async fn wait(&self) {}

    fn private(&self) {}
}

impl<S: AsRef<str>> Wrapper<S> {
    /// ```compile_fail
    /// ```
    #[must_use]
    pub const fn
    wrap() {}
}

impl<'a> fmt::Debug for Wrapper<'a> {
    fn fmt(&self) {}
}

/// A function.
pub fn free() {}

pub trait Rule {
    /// Required.
    fn check(&self);
}

named_guard! {
    /// A guard.
    ///
    /// ```
    /// ```
    RequireThis, any, all
}

#[doc(hidden)]
pub trait Unseen {}

pub(crate) struct Private;

#[cfg(test)]
mod tests {
    pub fn not_public() {}
}
";
    let item = |name: &str, has_example, asserts| Item {
        name: name.to_owned(),
        has_example,
        asserts,
    };
    assert_eq!(
        items(text),
        [
            item("Shown", true, true),
            item("Bare", false, false),
            item("Shown::get", false, false),
            item("Shown::wait", true, false),
            item("free", false, false),
            item("Rule", false, false),
            item("Rule::check", false, false),
            item("RequireThis", true, false),
        ]
    );
}

/// The public items of a file; `unreachable_pub` sees to it that what says `pub` is public.
fn items(text: &str) -> Vec<Item> {
    let mut found = Vec::new();
    let (mut has_example, mut asserts, mut is_hidden) = (false, false, false);
    let mut in_attribute = false;
    // What the items of a block belong to; of a macro's block nothing is a method.
    let (mut owner, mut is_trait, mut in_guard) = (String::new(), false, false);
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    for line in code.lines() {
        let trimmed = line.trim_start();
        if let Some(documentation) = trimmed.strip_prefix("///") {
            has_example |= documentation.trim_start().starts_with("```");
            asserts |= ["assert", "compile_fail"]
                .iter()
                .any(|word| has_example && documentation.contains(word));
            continue;
        }
        if in_attribute || trimmed.starts_with("#[") {
            is_hidden |= trimmed.contains("doc(hidden)");
            in_attribute = !trimmed.ends_with(']');
            continue;
        }
        if trimmed.starts_with("impl") || !line.starts_with([' ', '}']) && !line.is_empty() {
            (owner, is_trait) = owner_of(trimmed);
            in_guard = line == "named_guard! {";
        }
        let declared = declared(trimmed, is_trait && line != trimmed).or(match in_guard {
            true => trimmed.split(',').next().map(|name| (name, false)),
            false => None,
        });
        let name = declared.filter(|(name, _)| !in_guard || name.starts_with("Require"));
        // The names of macros are those of their uses.
        let name = name.filter(|(name, _)| !is_hidden && !name.starts_with('$'));
        if let Some((name, is_function)) = name {
            let is_method = is_function && line != trimmed;
            found.push(Item {
                name: match is_method {
                    true => format!("{owner}::{name}"),
                    false => name.to_owned(),
                },
                has_example,
                asserts,
            });
        }
        if !trimmed.is_empty() {
            (has_example, asserts, is_hidden) = (false, false, false);
        }
    }
    found
}

/// The type of an `impl` block, or the trait of a `trait` block, and whether it is the latter.
fn owner_of(line: &str) -> (String, bool) {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let first_name = |text: &str| {
        let start = text.split(|c| !is_name(c)).next();
        start.unwrap_or_default().to_owned()
    };
    if let Some(name) = line.strip_prefix("pub trait ") {
        return (first_name(name), true);
    }
    let Some(rest) = line.strip_prefix("impl") else {
        return (String::new(), false);
    };
    let mut depth = 0_usize;
    let after_generics = rest.find(|c: char| {
        depth += usize::from(c == '<');
        depth = depth.saturating_sub(usize::from(c == '>'));
        depth == 0 && c == ' '
    });
    let rest = &rest[after_generics.unwrap_or_default()..];
    let own = rest.split(" for ").last().unwrap_or_default();
    (first_name(own.trim_start()), false)
}

/// What a line declares that is public, and whether it is a function.
fn declared(line: &str, in_trait: bool) -> Option<(&str, bool)> {
    let mut words = line
        .split_whitespace()
        .filter(|word| !matches!(*word, "const" | "async"));
    let mut word = words.next()?;
    if word == "pub" {
        word = words.next()?;
    } else if !in_trait {
        return None;
    }
    let is_function = word == "fn";
    let is_type = matches!(word, "struct" | "enum" | "trait" | "type") && !in_trait;
    let name = words.next().filter(|_| is_function || is_type)?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    let name = &name[..end.unwrap_or(name.len())];
    (!name.is_empty()).then_some((name, is_function))
}

fn sources() -> Vec<String> {
    let is_test = |path: &Path| {
        let names: Vec<_> = path.iter().filter_map(|name| name.to_str()).collect();
        ["tests", "tests.rs", "fuzzing.rs"]
            .iter()
            .any(|name| names.contains(name))
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files::below(&root, "rs");
    let own = files
        .iter()
        .filter(|path| !is_test(path.strip_prefix(&root).unwrap()));
    own.map(|path| fs::read_to_string(path).unwrap()).collect()
}
