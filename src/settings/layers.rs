//! Settings as .NET's configuration sees them: a tree of keys without letter case, in layers.
//!
//! Source: <https://learn.microsoft.com/dotnet/core/extensions/configuration-providers>

use std::collections::BTreeMap;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::error::{RedactedValue, SettingsError, one_line};

/// The sections that are read unless one is named; every other one belongs to other libraries.
pub(super) const SECTIONS: [&str; 2] = ["AzureAd", "AzureAdB2C"];

/// One value as it was written. It may be a secret, hence no `Debug`.
#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// A JSON number, `true` or `false`: text in the environment, never text in the file.
    pub(super) bare: bool,
}

/// One key with what is under it.
#[derive(Clone)]
pub(super) struct Node {
    /// The key as it was written first.
    pub(super) name: String,
    /// The file or the environment variable that it came from last.
    pub(super) origin: String,
    pub(super) scalar: Option<Scalar>,
    /// Written as a list, which can be empty.
    pub(super) list: bool,
    null: bool,
    children: BTreeMap<String, Node>,
}

impl Node {
    /// A key without anything under it.
    pub(super) fn new(name: &str, origin: &str) -> Self {
        Self {
            name: name.to_owned(),
            origin: origin.to_owned(),
            scalar: None,
            list: false,
            null: false,
            children: BTreeMap::new(),
        }
    }

    /// The keys directly under this one.
    pub(super) fn children(&self) -> impl Iterator<Item = &Node> {
        self.children.values()
    }

    /// The key at a path (`Keys:RefreshSeconds`), if it holds anything but null.
    pub(super) fn find(&self, path: &str) -> Option<&Node> {
        let found = path.split(':').try_fold(self, |node, part| {
            node.children.get(&part.to_ascii_lowercase())
        })?;
        found.is_given().then_some(found)
    }

    /// There is a value, a list or a key with a value; null and `{}` are nothing.
    pub(super) fn is_given(&self) -> bool {
        self.scalar.is_some()
            || self.list
            || self.children().any(|child| child.null || child.is_given())
    }

    /// The elements of a list in their order, or the child whose name is no index.
    ///
    /// As in .NET, gaps between indexes close up, and an object with numbers for keys is a list.
    pub(super) fn elements(&self) -> Result<Vec<&Node>, &Node> {
        let mut elements = Vec::with_capacity(self.children.len());
        for child in self.children() {
            elements.push((child.name.parse::<u32>().map_err(|_| child)?, child));
        }
        elements.sort_by_key(|(index, _)| *index);
        Ok(elements.into_iter().map(|(_, child)| child).collect())
    }

    /// The value for an error's text.
    pub(super) fn shown(&self) -> RedactedValue {
        match &self.scalar {
            Some(scalar) if scalar.bare => RedactedValue::word(&scalar.text),
            Some(scalar) => RedactedValue::text(&scalar.text),
            None if self.list && self.children.is_empty() => RedactedValue::word("an empty list"),
            None if self.list => RedactedValue::word("a list"),
            None if self.children.is_empty() => RedactedValue::word("null"),
            None if self.elements().is_ok() => RedactedValue::word("a list"),
            None => RedactedValue::word("an object"),
        }
    }

    /// Both layers give elements of the list at a path.
    pub(super) fn merges(&self, over: &Node, path: &str) -> bool {
        let has_elements = |node: &Node| {
            node.find(path)
                .is_some_and(|list| !list.children.is_empty())
        };
        has_elements(self) && has_elements(over)
    }

    /// Puts a layer on top: what it gives wins, key by key and list element by list element. A
    /// value that an empty one replaces is named in a warning, never shown.
    pub(super) fn overlay(&mut self, over: Node, path: &str, warnings: &mut Vec<String>) {
        if let Some(scalar) = &over.scalar {
            let has_value = |own: &Scalar| !own.text.is_empty();
            if scalar.text.is_empty()
                && self.is_given()
                && self.scalar.as_ref().is_none_or(has_value)
            {
                warnings.push(format!(
                    "{path} of {} has no effect: {} is empty and replaces it",
                    one_line(&self.origin),
                    one_line(&over.origin),
                ));
            }
            *self = Node {
                name: std::mem::take(&mut self.name),
                ..over
            };
            return;
        }
        // A layer that has nothing here takes nothing away; a wrong value must be seen.
        if !over.children.is_empty() {
            self.scalar = None;
        }
        for (key, child) in over.children {
            match self.children.get_mut(&key) {
                Some(below) => {
                    let path = format!("{path}:{}", one_line(&below.name));
                    below.overlay(child, &path, warnings);
                }
                None => drop(self.children.insert(key, child)),
            }
        }
    }

    fn child(&mut self, name: &str, origin: &str) -> &mut Node {
        self.children
            .entry(name.to_ascii_lowercase())
            .or_insert_with(|| Node::new(name, origin))
    }

    /// Fills in one JSON value. Two objects of one name become one, as in .NET; two values do not.
    fn fill(&mut self, path: &str, origin: &str, value: &Value<'_>) -> Result<(), SettingsError> {
        let object = matches!(value, Value::Object(_));
        let has_value = self.scalar.is_some() || self.list || self.null;
        if has_value || (!object && !self.children.is_empty()) {
            return Err(SettingsError::DuplicateKey {
                key: one_line(path),
                origin: one_line(origin),
            });
        }
        match value {
            Value::Object(object) => {
                for property in &object.properties {
                    let name = property.name.as_str();
                    let node = name
                        .split(':')
                        .fold(&mut *self, |node, part| node.child(part, origin));
                    node.fill(&format!("{path}:{name}"), origin, &property.value)?;
                }
            }
            Value::Array(array) => {
                self.list = true;
                for (index, element) in array.elements.iter().enumerate() {
                    self.child(&index.to_string(), origin).fill(
                        &format!("{path}:{index}"),
                        origin,
                        element,
                    )?;
                }
            }
            Value::StringLit(text) => {
                self.scalar = Some(Scalar {
                    text: text.value.to_string(),
                    bare: false,
                })
            }
            Value::NumberLit(number) => {
                self.scalar = Some(Scalar {
                    text: number.value.to_owned(),
                    bare: true,
                })
            }
            Value::BooleanLit(flag) => {
                self.scalar = Some(Scalar {
                    text: flag.value.to_string(),
                    bare: true,
                })
            }
            Value::NullKeyword(_) => self.null = true,
        }
        Ok(())
    }
}

/// What follows of a path behind another one, in any letter case; nothing if it leads elsewhere.
pub(super) fn behind<'p>(path: &'p str, start: &str) -> Option<Vec<&'p str>> {
    let mut parts = path.split(':');
    for wanted in start.split(':') {
        if !parts.next()?.eq_ignore_ascii_case(wanted) {
            return None;
        }
    }
    Some(parts.collect())
}

/// The sections of these names, empty.
fn empty<const N: usize>(names: [&str; N], origin: &str) -> [Node; N] {
    names.map(|name| Node::new(name, origin))
}

/// Reads sections from the text of an `appsettings.json`.
pub(super) fn from_file<const N: usize>(
    file: &str,
    text: &str,
    names: [&str; N],
) -> Result<[Node; N], SettingsError> {
    let broken = |line, column, reason: String| SettingsError::Syntax {
        file: one_line(file),
        line,
        column,
        reason,
    };
    // Editors on Windows put a byte order mark in front, which .NET skips.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_to_ast(text, &CollectOptions::default(), &DIALECT).map_err(|error| {
        broken(
            error.line_display(),
            error.column_display(),
            error.kind().to_string(),
        )
    })?;
    let Some(Value::Object(root)) = parsed.value else {
        return Err(broken(1, 1, "not an object".to_owned()));
    };
    let mut sections = empty(names, file);
    for section in &mut sections {
        let name = section.name.clone();
        take(section, &name, "", &root, file)?;
    }
    Ok(sections)
}

/// Fills a section with what an object holds of it, which may lie deeper: `A` is on the way to `A:B`.
fn take(
    section: &mut Node,
    name: &str,
    above: &str,
    object: &Object<'_>,
    file: &str,
) -> Result<(), SettingsError> {
    for property in &object.properties {
        // `"AzureAd:TenantId": …` at the top is the same as the nested form.
        let path = format!("{above}{}", property.name.as_str());
        if let Some(parts) = behind(&path, name) {
            let node = parts
                .iter()
                .fold(&mut *section, |node, part| node.child(part, file));
            let path = parts
                .iter()
                .fold(name.to_owned(), |path, part| format!("{path}:{part}"));
            node.fill(&path, file, &property.value)?;
        } else if let (Some(_), Value::Object(inner)) = (behind(name, &path), &property.value) {
            take(section, name, &format!("{path}:"), inner, file)?;
        }
    }
    Ok(())
}

/// Reads sections from environment variables, `__` (or `:`) between levels.
///
/// Variables whose names differ in letter case only are one key: the last in sorted order wins.
pub(super) fn from_environment<const N: usize>(
    environment: impl IntoIterator<Item = (String, String)>,
    names: [&str; N],
    warnings: &mut Vec<String>,
) -> Result<[Node; N], SettingsError> {
    let mut variables: Vec<(String, String)> = environment.into_iter().collect();
    variables.sort();

    let mut sections = empty(names, "the environment");
    for (variable, text) in variables {
        let path = variable.replace("__", ":");
        let Some((section, parts)) = sections.iter_mut().find_map(|section| {
            let parts = behind(&path, &section.name)?;
            Some((section, parts))
        }) else {
            continue;
        };
        let origin = format!("environment variable {}", one_line(&variable));
        if parts.is_empty() {
            warnings.push(format!(
                "{origin} is ignored: a section has keys under it, no value of its own"
            ));
            continue;
        }
        let node = parts
            .iter()
            .fold(section, |node, part| node.child(part, &origin));
        if node
            .scalar
            .as_ref()
            .is_some_and(|before| before.text != text)
        {
            warnings.push(format!(
                "{} is ignored: {origin} is the same key in another letter case and wins",
                node.origin
            ));
        }
        node.origin = origin;
        node.scalar = Some(Scalar { text, bare: false });
    }
    for section in &sections {
        refuse_both(section, &section.name)?;
    }
    Ok(sections)
}

/// Within one layer nothing says which of a value and a list of one name should win.
fn refuse_both(node: &Node, path: &str) -> Result<(), SettingsError> {
    for child in node.children() {
        let path = format!("{path}:{}", child.name);
        if let (Some(_), Some(under)) = (&child.scalar, child.children.values().next()) {
            return Err(SettingsError::InvalidValue {
                key: one_line(&path),
                value: RedactedValue::word("a value and keys under it"),
                origin: format!("{} and {}", child.origin, under.origin),
                expected: "one of the two".to_owned(),
            });
        }
        refuse_both(child, &path)?;
    }
    Ok(())
}

/// JSON with comments and trailing commas, what .NET reads, and nothing looser.
const DIALECT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};
