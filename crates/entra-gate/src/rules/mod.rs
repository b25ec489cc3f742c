//! The rules: which requests may pass, read from one file.

mod expression;
mod file;
mod guard;
mod host;
mod pattern;
mod position;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use http::Method;

pub(crate) use self::file::AssertionTable;
pub(crate) use self::guard::RuleGuard;
pub(crate) use self::host::normalize_host;
use self::pattern::PathPattern;
pub(crate) use self::position::RulesError;

use crate::path::fold_case;

/// The rules of one file, checked as a whole.
#[derive(Debug)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
    ignores_case: bool,
    pub(crate) validate_returns_token: bool,
    pub(crate) assertion: Option<AssertionTable>,
}

/// One `[[rule]]`.
#[derive(Debug)]
pub(crate) struct Rule {
    host: Option<String>,
    path: PathPattern,
    methods: Option<Vec<Method>>,
    pub(crate) allow: Allow,
    /// Where the rule begins in the file, from 1.
    pub(crate) line: usize,
}

/// Who may pass by a rule.
#[derive(Debug, Clone)]
pub(crate) enum Allow {
    /// Every request; the token is not looked at.
    Open,
    /// Requests without a token, and those with a valid one.
    Optional,
    /// Requests with a valid token.
    Authenticated,
    /// Requests whose token the guard accepts.
    Guarded(RuleGuard),
}

impl Rules {
    /// Checks the text of a rules file; `file` is for messages, and for files that it names.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, RulesError> {
        file::parse(file, text)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Rule> {
        self.rules.get(place)
    }

    /// The place of the first rule that matches; `path` is decoded and `host` normalised.
    pub(crate) fn find(&self, method: &Method, host: &str, path: &str) -> Option<usize> {
        let folded;
        let path = match self.ignores_case {
            true => {
                folded = fold_case(path);
                &folded
            }
            false => path,
        };
        self.rules.iter().position(|rule| {
            let of_host = rule.host.as_deref().is_none_or(|own| own == host);
            let of_method = |own: &Vec<Method>| own.contains(method);
            of_host && rule.path.matches(path) && rule.methods.as_ref().is_none_or(of_method)
        })
    }

    /// Rules that no request reaches, since an earlier one matches whatever they match.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter_map(|(place, rule)| {
                let earlier = self.rules.iter().take(place);
                let first = earlier.into_iter().find(|earlier| earlier.covers(rule))?;
                Some(format!(
                    "the rule in line {} is never reached: the rule in line {} matches first",
                    rule.line, first.line
                ))
            })
            .collect()
    }

    /// Files besides the rules file whose change changes the rules.
    pub(crate) fn other_files(&self) -> Vec<PathBuf> {
        let table = self.assertion.as_ref();
        table
            .and_then(|table| table.key_file.clone())
            .into_iter()
            .collect()
    }
}

impl Rule {
    fn covers(&self, later: &Self) -> bool {
        let hosts = self.host.is_none() || self.host == later.host;
        let methods = match (&self.methods, &later.methods) {
            (None, _) => true,
            (Some(own), Some(others)) => others.iter().all(|method| own.contains(method)),
            (Some(_), None) => false,
        };
        hosts && methods && self.path.covers(&later.path)
    }

    /// Host, path and methods, for people.
    pub(crate) fn describe(&self) -> String {
        let host = self.host.as_deref().unwrap_or("any host");
        let methods = match &self.methods {
            None => "any method".to_owned(),
            Some(methods) => {
                let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
                methods.join(", ")
            }
        };
        format!("{methods} · {host} · {}", self.path)
    }
}

impl Allow {
    /// What the rule asks of a request, for people.
    pub(crate) fn describe(&self) -> String {
        use axum_entra::guard::Guard;
        match self {
            Self::Open => "open: every request, the token is not looked at".to_owned(),
            Self::Optional => "optional: no token, or a valid one".to_owned(),
            Self::Authenticated => "authenticated: a valid token".to_owned(),
            Self::Guarded(guard) => guard.describe().to_string(),
        }
    }
}
