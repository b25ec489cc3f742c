//! The rules file: TOML, with the place of every value for messages.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use toml::Spanned;

use super::expression;
use super::host::{has_port, normalize_host};
use super::pattern::PathPattern;
use super::position::{RulesError, line_and_column, offset_in_string};
use super::{Allow, Rule, Rules};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    path_case: Option<Spanned<String>>,
    #[serde(default)]
    validate_returns_token: bool,
    #[serde(default)]
    rule: Vec<Spanned<RuleTable>>,
    assertion: Option<Spanned<RawAssertion>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleTable {
    host: Option<Spanned<String>>,
    path: Spanned<String>,
    methods: Option<Spanned<Vec<Spanned<String>>>>,
    allow: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAssertion {
    audience: Spanned<String>,
    lifetime_seconds: Option<Spanned<i64>>,
    key_file: Option<Spanned<String>>,
}

/// `[assertion]`.
#[derive(Debug, Clone)]
pub(crate) struct AssertionTable {
    /// `aud`.
    pub(crate) audience: String,
    /// `exp` − `iat`.
    pub(crate) lifetime: Duration,
    /// PKCS#8; without it the key is made at start. Relative to the folder of the rules file.
    pub(crate) key_file: Option<PathBuf>,
    /// Where `key_file` is in the rules file, for messages about what it holds.
    place: usize,
}

/// Limits of `lifetime_seconds`: time to reach the service, and little more.
const LIFETIME: std::ops::RangeInclusive<i64> = 10..=300;
const USUAL_LIFETIME: i64 = 60;

/// The text of a file, and how to say what is wrong in it.
struct Source<'s> {
    file: &'s Path,
    text: &'s str,
}

impl Source<'_> {
    fn error(&self, span: &Range<usize>, key: &str, message: &str) -> RulesError {
        RulesError::at(
            self.file,
            self.text,
            span.start,
            format!("{key}: {message}"),
        )
    }
}

pub(super) fn parse(file: &Path, text: &str) -> Result<Rules, RulesError> {
    let source = Source { file, text };
    let tables: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(text.len(), |span| span.start);
        let message = error.message();
        let expected = match message.contains("expected") {
            true => "",
            false => ", expected a rules file as docs/gate.md describes it",
        };
        RulesError::at(file, text, start, format!("{message}{expected}"))
    })?;
    let ignores_case = match &tables.path_case {
        None => false,
        Some(case) => match case.get_ref().as_str() {
            "exact" => false,
            "ignore" => true,
            _ => {
                let message = "expected \"exact\" or \"ignore\"";
                return Err(source.error(&case.span(), "path_case", message));
            }
        },
    };
    if tables.rule.is_empty() {
        let message = "expected at least one [[rule]]: without one every request is refused";
        return Err(RulesError::at(file, text, text.len(), message));
    }
    let rules = tables
        .rule
        .iter()
        .map(|table| source.rule(table, ignores_case));
    Ok(Rules {
        rules: rules.collect::<Result<_, _>>()?,
        ignores_case,
        validate_returns_token: tables.validate_returns_token,
        assertion: tables
            .assertion
            .map(|table| source.assertion(table.get_ref()))
            .transpose()?,
    })
}

impl Source<'_> {
    fn rule(&self, table: &Spanned<RuleTable>, ignores_case: bool) -> Result<Rule, RulesError> {
        let RuleTable {
            host,
            path,
            methods,
            allow,
        } = table.get_ref();
        let host = host.as_ref().map(|host| self.host(host)).transpose()?;
        let pattern = PathPattern::parse(path.get_ref(), ignores_case)
            .map_err(|message| self.error(&path.span(), "path", message))?;
        let methods = methods
            .as_ref()
            .map(|methods| self.methods(methods))
            .transpose()?;
        Ok(Rule {
            host,
            path: pattern,
            methods,
            allow: self.allow(allow)?,
            line: line_and_column(self.text, table.span().start).0,
        })
    }

    fn host(&self, host: &Spanned<String>) -> Result<String, RulesError> {
        let wrong = |message| self.error(&host.span(), "host", message);
        if has_port(host.get_ref()) {
            return Err(wrong(
                "expected a host without a port: ports are not compared",
            ));
        }
        normalize_host(host.get_ref()).ok_or_else(|| {
            wrong(
                "expected a host such as \"api.example.com\", without `*`: it is compared exactly",
            )
        })
    }

    fn methods(&self, methods: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<Method>, RulesError> {
        if methods.get_ref().is_empty() {
            let message = "expected at least one method: a rule without the key matches all";
            return Err(self.error(&methods.span(), "methods", message));
        }
        let method = |name: &Spanned<String>| {
            let text = name.get_ref();
            let is_lower = text.contains(|letter: char| letter.is_ascii_lowercase());
            let method = Method::from_bytes(text.as_bytes()).ok();
            method.filter(|_| !is_lower).ok_or_else(|| {
                let message = "expected a method in capitals, such as \"GET\"";
                self.error(&name.span(), "methods", message)
            })
        };
        methods.get_ref().iter().map(method).collect()
    }

    fn allow(&self, allow: &Spanned<String>) -> Result<Allow, RulesError> {
        let guard = match allow.get_ref().as_str() {
            "open" => return Ok(Allow::Open),
            "optional" => return Ok(Allow::Optional),
            "authenticated" => return Ok(Allow::Authenticated),
            guard => guard,
        };
        match expression::parse(guard) {
            Ok(guard) => Ok(Allow::Guarded(guard)),
            Err(error) => {
                let at = offset_in_string(self.text, &allow.span(), error.at);
                Err(self.error(&(at..at), "allow", &error.message))
            }
        }
    }

    fn assertion(&self, table: &RawAssertion) -> Result<AssertionTable, RulesError> {
        let audience = table.audience.get_ref();
        if audience.trim().is_empty() {
            let message = "expected the name of the service, as its `aud`";
            return Err(self.error(&table.audience.span(), "assertion.audience", message));
        }
        let seconds = match &table.lifetime_seconds {
            None => USUAL_LIFETIME,
            Some(seconds) if LIFETIME.contains(seconds.get_ref()) => *seconds.get_ref(),
            Some(seconds) => {
                let message = "expected a number of seconds from 10 to 300";
                return Err(self.error(&seconds.span(), "assertion.lifetime_seconds", message));
            }
        };
        let folder = self.file.parent().unwrap_or(Path::new(""));
        Ok(AssertionTable {
            audience: audience.clone(),
            lifetime: Duration::from_secs(seconds.unsigned_abs()),
            key_file: table
                .key_file
                .as_ref()
                .map(|file| folder.join(file.get_ref())),
            place: table.key_file.as_ref().map_or(0, |file| file.span().start),
        })
    }
}

impl AssertionTable {
    /// The error that the key file is not one.
    pub(crate) fn wrong_key(&self, file: &Path, text: &str, message: &str) -> RulesError {
        RulesError::at(
            file,
            text,
            self.place,
            format!("assertion.key_file: {message}"),
        )
    }
}
