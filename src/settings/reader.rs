//! Reads keys of the table out of the tree, and notices the keys that are in no table.

use super::credential::CREDENTIAL_KEYS;
use super::error::{RedactedValue, SettingsError, one_line};
use super::forms::{List, OneOrList, ValueType};
use super::layers::Node;
use super::schema::{CREDENTIAL_LISTS, IGNORED, INSTEAD, Key, RESTRICTING, SECTION_KEYS};

/// One section, or one element of a list of objects, with its place in the settings.
pub(super) struct Reader<'t> {
    node: &'t Node,
    path: String,
}

/// A key whose value is read, if it is given.
pub(super) trait Readable {
    /// What its text turns into.
    type Value;
    fn read(&self, from: &Reader<'_>) -> Result<Option<Self::Value>, SettingsError>;
}

impl<F: ValueType> Readable for Key<F> {
    type Value = F::Value;
    fn read(&self, from: &Reader<'_>) -> Result<Option<F::Value>, SettingsError> {
        from.one(self)
    }
}

impl<F: ValueType> Readable for Key<List<F>> {
    type Value = Vec<F::Value>;
    fn read(&self, from: &Reader<'_>) -> Result<Option<Vec<F::Value>>, SettingsError> {
        let given = from.list(self)?;
        Ok((!given.is_empty()).then_some(given))
    }
}

impl<F: ValueType> Readable for Key<OneOrList<F>> {
    type Value = Vec<F::Value>;
    fn read(&self, from: &Reader<'_>) -> Result<Option<Vec<F::Value>>, SettingsError> {
        let given = from.one_or_list(self)?;
        Ok((!given.is_empty()).then_some(given))
    }
}

impl<'t> Reader<'t> {
    /// Reads the keys under a node that stands at a path.
    pub(super) fn new(node: &'t Node, path: String) -> Self {
        Self { node, path }
    }

    /// Where this is: `AzureAd`, or `AzureAd:ClientCredentials:0`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The value of a key that may be absent.
    pub(super) fn one<F: ValueType>(
        &self,
        key: &Key<F>,
    ) -> Result<Option<F::Value>, SettingsError> {
        let Some(node) = self.node.find(key.path) else {
            return Ok(None);
        };
        match node
            .scalar
            .as_ref()
            .and_then(|scalar| key.form.read(scalar))
        {
            Some(value) => Ok(Some(value)),
            None => Err(self.wrong(key.path, node, F::SECRET, key.expected())),
        }
    }

    /// The value of a key that counts as absent when it is an empty string.
    ///
    /// Templates leave these keys empty, and Microsoft.Identity.Web asks `IsNullOrEmpty` of them.
    pub(super) fn one_or_empty<F: ValueType>(
        &self,
        key: &Key<F>,
    ) -> Result<Option<F::Value>, SettingsError> {
        let empty = |node: &Node| {
            node.scalar
                .as_ref()
                .is_some_and(|scalar| !scalar.bare && scalar.text.is_empty())
        };
        if self.node.find(key.path).is_some_and(empty) {
            Ok(None)
        } else {
            self.one(key)
        }
    }

    /// The value of a key that must be there.
    pub(super) fn need<F: ValueType>(&self, key: &Key<F>) -> Result<F::Value, SettingsError> {
        self.one(key)?.ok_or_else(|| self.missing(key))
    }

    /// The values of a list; an empty list is a mistake, an absent one is none.
    pub(super) fn list<F: ValueType>(
        &self,
        key: &Key<List<F>>,
    ) -> Result<Vec<F::Value>, SettingsError> {
        let Some(node) = self.node.find(key.path) else {
            return Ok(Vec::new());
        };
        self.list_at(key.path, node, &key.form.0, &key.expected_list())
    }

    /// The values of the list at a node; an empty list is a mistake.
    pub(super) fn list_at<F: ValueType>(
        &self,
        path: &str,
        node: &Node,
        form: &F,
        expected: &str,
    ) -> Result<Vec<F::Value>, SettingsError> {
        let elements = self.elements(path, node, expected)?;
        let read =
            |element: &&Node| match element.scalar.as_ref().and_then(|scalar| form.read(scalar)) {
                Some(value) => Ok(value),
                None => Err(self.wrong(
                    &format!("{path}:{}", element.name),
                    element,
                    F::SECRET,
                    expected.to_owned(),
                )),
            };
        elements.iter().map(read).collect()
    }

    /// The values of a key that has one value or a list of them; none where it is absent.
    pub(super) fn one_or_list<F: ValueType>(
        &self,
        key: &Key<OneOrList<F>>,
    ) -> Result<Vec<F::Value>, SettingsError> {
        let Some(node) = self.node.find(key.path) else {
            return Ok(Vec::new());
        };
        let (form, expected) = (&key.form.0, key.expected_either());
        match &node.scalar {
            Some(scalar) => match form.read(scalar) {
                Some(value) => Ok(vec![value]),
                None => Err(self.wrong(key.path, node, F::SECRET, expected)),
            },
            None => self.list_at(key.path, node, form, &expected),
        }
    }

    /// The name under which a list is given: the newer one if both are, as in
    /// Microsoft.Identity.Web. Its templates leave the older as an empty list, which is none.
    pub(super) fn newer_list(
        &self,
        newer: &'static str,
        older: &'static str,
        warnings: &mut Vec<String>,
    ) -> Option<&'static str> {
        let is_given = |key| self.node(key).is_some();
        let is_empty = |key| {
            self.node(key)
                .is_some_and(|node| node.scalar.is_none() && node.children().next().is_none())
        };
        match (is_given(newer), is_given(older) && !is_empty(older)) {
            (true, true) => {
                let path = &self.path;
                warnings.push(format!(
                    "{path}:{older} is ignored: it is the older name of {newer}, which is given too"
                ));
                Some(newer)
            }
            (true, false) => Some(newer),
            (false, true) => Some(older),
            (false, false) => None,
        }
    }

    /// The elements of a list whose elements are objects.
    pub(super) fn objects(
        &self,
        path: &str,
        expected: &str,
    ) -> Result<Vec<Reader<'t>>, SettingsError> {
        let Some(node) = self.node.find(path) else {
            return Ok(Vec::new());
        };
        let elements = self.elements(path, node, expected)?;
        let read = |element: &'t Node| {
            let path = format!("{path}:{}", element.name);
            if element.scalar.is_some() || element.list {
                // A string here may be meant as a secret.
                return Err(self.wrong(
                    &path,
                    element,
                    true,
                    "an object with a SourceType".to_owned(),
                ));
            }
            Ok(Reader::new(element, format!("{}:{path}", self.path)))
        };
        elements.into_iter().map(read).collect()
    }

    /// The node of a key, for the few values that have more than one form.
    pub(super) fn node(&self, path: &str) -> Option<&'t Node> {
        self.node.find(path)
    }

    /// A key that must be there and is not.
    pub(super) fn missing<F: ValueType>(&self, key: &Key<F>) -> SettingsError {
        SettingsError::Missing {
            key: format!("{}:{}", self.path, key.path),
            expected: key.expected(),
        }
    }

    /// A key whose value does not fit its form, or does not fit the other keys.
    pub(super) fn wrong(
        &self,
        path: &str,
        node: &Node,
        secret: bool,
        expected: String,
    ) -> SettingsError {
        let hidden = secret
            || node
                .scalar
                .as_ref()
                .is_some_and(|scalar| names_a_password(&scalar.text));
        let value = match &node.scalar {
            Some(_) if hidden => RedactedValue::word("(not shown)"),
            _ => node.shown(),
        };
        SettingsError::InvalidValue {
            key: format!("{}:{path}", self.path),
            value,
            origin: one_line(&node.origin),
            expected,
        }
    }

    fn elements<'n>(
        &self,
        path: &str,
        node: &'n Node,
        expected: &str,
    ) -> Result<Vec<&'n Node>, SettingsError> {
        let secret = CREDENTIAL_LISTS.contains(&path);
        let wrong =
            |path: &str, node: &Node| Err(self.wrong(path, node, secret, expected.to_owned()));
        if node.scalar.is_some() {
            return wrong(path, node);
        }
        match node.elements() {
            Ok(elements) if !elements.is_empty() => Ok(elements),
            Ok(_) => wrong(path, node),
            // With a list below it, the odd one out is the culprit; else the whole is no list.
            Err(odd) if node.list => wrong(&format!("{path}:{}", one_line(&odd.name)), odd),
            Err(_) => wrong(path, node),
        }
    }

    /// Refuses unknown keys and keys that restrict in a way that does not exist here; warns of
    /// keys that mean nothing here.
    ///
    /// # Errors
    ///
    /// [`SettingsError::UnknownKey`] with the nearest known key, or
    /// [`SettingsError::InvalidValue`] for a value where keys are wanted (`"Keys": 5`) and for a key
    /// that restricts.
    pub(super) fn check_names(&self, warnings: &mut Vec<String>) -> Result<(), SettingsError> {
        for child in self.node.children() {
            self.check_name(child, &child.name, warnings)?;
        }
        Ok(())
    }

    fn check_name(
        &self,
        node: &Node,
        path: &str,
        warnings: &mut Vec<String>,
    ) -> Result<(), SettingsError> {
        if let Some(ignored) = IGNORED
            .iter()
            .find(|known| known.eq_ignore_ascii_case(path))
        {
            let instead = INSTEAD.iter().find(|(key, _)| key == ignored);
            warnings.push(format!(
                "{}:{ignored} ({}) is ignored: {}",
                self.path,
                one_line(&node.origin),
                instead.map_or("it means nothing here", |(_, instead)| instead)
            ));
            return Ok(());
        }
        if let Some((key, expected)) = RESTRICTING
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(path))
        {
            // Null is nothing, as everywhere.
            if node.is_given() {
                return Err(self.wrong(key, node, false, (*expected).to_owned()));
            }
            return Ok(());
        }
        if SECTION_KEYS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(path))
        {
            return Ok(());
        }
        if let Some(list) = CREDENTIAL_LISTS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(path))
        {
            return self.check_credential_names(list, node);
        }
        let under: Vec<&str> = SECTION_KEYS
            .iter()
            .copied()
            .filter(|known| is_under(known, path))
            .collect();
        if under.is_empty() {
            let known = SECTION_KEYS
                .iter()
                .chain(IGNORED)
                .copied()
                .chain(RESTRICTING.iter().map(|(key, _)| *key))
                .chain(CREDENTIAL_LISTS);
            return Err(self.unknown(path, node, known));
        }
        if node.scalar.is_some() || node.list {
            return Err(self.wrong(
                path,
                node,
                false,
                format!("an object with {}", under.join(", ")),
            ));
        }
        for child in node.children() {
            self.check_name(child, &format!("{path}:{}", child.name), warnings)?;
        }
        Ok(())
    }

    fn check_credential_names(&self, name: &str, list: &Node) -> Result<(), SettingsError> {
        for element in list.children() {
            for key in element.children() {
                if !CREDENTIAL_KEYS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(&key.name))
                {
                    let element =
                        Reader::new(element, format!("{}:{name}:{}", self.path, element.name));
                    return Err(element.unknown(&key.name, key, CREDENTIAL_KEYS.iter().copied()));
                }
            }
        }
        Ok(())
    }

    fn unknown(
        &self,
        path: &str,
        node: &Node,
        known: impl Iterator<Item = &'static str>,
    ) -> SettingsError {
        let likeness = |known: &&str| {
            let last = |path: &str| path.rsplit(':').next().unwrap_or(path).to_ascii_lowercase();
            let whole = strsim::normalized_damerau_levenshtein(
                &known.to_ascii_lowercase(),
                &path.to_ascii_lowercase(),
            );
            // `AzureAd:RefreshSeconds` is `Keys:RefreshSeconds` in the wrong place.
            whole.max(0.99 * strsim::normalized_damerau_levenshtein(&last(known), &last(path)))
        };
        let nearest = known
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
            .unwrap_or_default();
        SettingsError::UnknownKey {
            key: format!("{}:{}", self.path, one_line(path)),
            origin: one_line(&node.origin),
            suggestion: format!("{}:{nearest}", self.path),
        }
    }
}

/// `Keys:RefreshSeconds` is under `Keys`.
fn is_under(known: &str, path: &str) -> bool {
    known
        .split_once(':')
        .is_some_and(|(group, _)| group.eq_ignore_ascii_case(path))
}

/// `https://user:password@host/`, which no key takes but a file may contain.
fn names_a_password(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| {
        rest.split('/')
            .next()
            .is_some_and(|authority| authority.contains('@'))
    })
}
