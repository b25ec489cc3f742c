//! A strict reader of one challenge (RFC 9110 sections 5.6 and 11): no leniency, no guessing.

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) scheme: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// Reads `scheme [ 1*SP name=value *( "," SP name=value ) ]`; `None` for anything else, and for a
/// parameter that stands twice.
pub(crate) fn read(header: &str) -> Option<Challenge> {
    let (scheme, rest) = match header.split_once(' ') {
        Some((scheme, rest)) => (scheme, Some(rest)),
        None => (header, None),
    };
    if !is_token(scheme) {
        return None;
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    let mut rest = rest;
    while let Some(text) = rest {
        let (name, after) = text.split_once('=')?;
        if !is_token(name) || parameters.iter().any(|(known, _)| known == name) {
            return None;
        }
        let (value, after) = value(after)?;
        parameters.push((name.to_owned(), value));
        rest = match after {
            "" => None,
            more => Some(more.strip_prefix(", ")?),
        };
    }
    Some(Challenge {
        scheme: scheme.to_owned(),
        parameters,
    })
}

/// A quoted string or a token, and what stands behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (token, rest) = text.split_at(end);
        return is_token(token).then(|| (token.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match characters.next()?.1 {
                escaped @ ('\t' | ' '..='~') => value.push(escaped),
                _ => return None,
            },
            '\t' | ' '..='~' => value.push(character),
            _ => return None,
        }
    }
    None
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
