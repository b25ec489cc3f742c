//! `Scopes` and `AppPermissions`: names that every route needs one of, or lists for look-up.
//!
//! Microsoft's templates write one string, its samples an object of lists, which code names as
//! `AzureAd:Scopes:Read`. Source: Microsoft.Identity.Web, `RequiredScopesConfigurationKey`.

use super::error::SettingsError;
use super::forms::{Form, SCOPES, ValueType, WORD};
use super::layers::Node;
use super::reader::Reader;
use super::schema::{self, Key};
use crate::scope_hierarchy::scope_name_problem;

/// The names of permissions that a section lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    /// Every route needs one of them; empty if none is needed.
    pub(crate) needed: Vec<String>,
    /// Every list, by its path from the section's name on, in lower case.
    named: Vec<(String, Vec<String>)>,
}

impl Lists {
    /// Reads both keys.
    pub(super) fn read(
        from: &Reader<'_>,
        warnings: &mut Vec<String>,
    ) -> Result<Self, SettingsError> {
        let mut lists = Self::default();
        if let Some(node) = from.node(schema::SCOPES.path) {
            match below(node) {
                Some(children) => lists.add(from, &schema::SCOPES, children)?,
                None => {
                    lists.needed = words(from, schema::SCOPES.path, node, SCOPES_EXPECTED)?;
                    lists.name(from, schema::SCOPES.path, lists.needed.clone());
                }
            }
        }
        if let Some(node) = from.node(schema::APP_PERMISSIONS.path) {
            let is_empty = node
                .scalar
                .as_ref()
                .is_some_and(|scalar| !scalar.bare && scalar.text.is_empty());
            match below(node) {
                Some(children) => lists.add(from, &schema::APP_PERMISSIONS, children)?,
                None if is_empty => {}
                None => {
                    let expected = PERMISSIONS_EXPECTED.to_owned();
                    return Err(from.wrong(schema::APP_PERMISSIONS.path, node, false, expected));
                }
            }
        }
        for (scope, why) in unmatched(&lists.needed) {
            warnings.push(format!(
                "{}:{} has {scope}, which can never match: {why}",
                from.path(),
                schema::SCOPES.path,
            ));
        }
        Ok(lists)
    }

    /// The list at a path, in any letter case.
    pub(super) fn at(&self, path: &str) -> Option<&[String]> {
        let found = self
            .named
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(path));
        found.map(|(_, names)| names.as_slice())
    }

    fn add<'n>(
        &mut self,
        from: &Reader<'_>,
        key: &Key<Form<Vec<String>>>,
        children: impl Iterator<Item = &'n Node>,
    ) -> Result<(), SettingsError> {
        for child in children.filter(|child| child.is_given()) {
            let path = format!("{}:{}", key.path, child.name);
            let names = words(from, &path, child, LIST_EXPECTED)?;
            self.name(from, &path, names);
        }
        Ok(())
    }

    fn name(&mut self, from: &Reader<'_>, path: &str, names: Vec<String>) {
        let path = format!("{}:{path}", from.path()).to_ascii_lowercase();
        self.named.push((path, names));
    }
}

/// Scopes that no token carries, and why.
fn unmatched(scopes: &[String]) -> impl Iterator<Item = (&str, &'static str)> {
    scopes
        .iter()
        .filter_map(|scope| Some((scope.as_str(), scope_name_problem(scope)?)))
}

/// The lists of an object; nothing for a string or a list.
fn below(node: &Node) -> Option<impl Iterator<Item = &Node>> {
    let object = node.scalar.is_none() && !node.list && node.elements().is_err();
    object.then(|| node.children())
}

/// A string with spaces between the names, or a list of names.
fn words(
    from: &Reader<'_>,
    path: &str,
    node: &Node,
    expected: &str,
) -> Result<Vec<String>, SettingsError> {
    match &node.scalar {
        None => from.list_at(path, node, &WORD, expected),
        Some(scalar) => SCOPES
            .read(scalar)
            .ok_or_else(|| from.wrong(path, node, false, expected.to_owned())),
    }
}

const SCOPES_EXPECTED: &str =
    "a string with spaces between its words, a list of words, or an object of such lists";
const LIST_EXPECTED: &str = "a list of words, not empty, or a string with spaces between them";
const PERMISSIONS_EXPECTED: &str = "an object of lists, which demands nothing; for the demand itself \
     the guard RequireAppOnly.and(RequireRole::any([…])) on the routes, beside scopes \
     RequireScope::any([…]).or(…)";
