//! Paths of original requests: decoded once, and refused where proxy, gate and service could read
//! them differently.

use std::borrow::Cow;

/// Why a path is refused; its text is the detail of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathError {
    NotAbsolute,
    Escape,
    EncodedDelimiter,
    Delimiter,
    Control,
    NotUtf8,
    EmptySegment,
    DotSegment,
}

impl PathError {
    pub(crate) const fn detail(self) -> &'static str {
        match self {
            Self::NotAbsolute => "The path does not begin with a slash.",
            Self::Escape => "The path has a percent sign without two hexadecimal digits.",
            Self::EncodedDelimiter => {
                "The path has an encoded slash, backslash, percent sign, semicolon, question mark or number sign."
            }
            Self::Delimiter => "The path has a backslash, a semicolon or a number sign.",
            Self::Control => "The path has a control character or a blank.",
            Self::NotUtf8 => "The path is not UTF-8.",
            Self::EmptySegment => "The path has an empty segment before its last one.",
            Self::DotSegment => "The path has a segment of one or two dots.",
        }
    }
}

/// The part of a request target before the query.
pub(crate) fn path_of(target: &[u8]) -> &[u8] {
    target.split(|byte| *byte == b'?').next().unwrap_or(target)
}

/// Decodes a path once; a path that two programs could read differently is refused.
///
/// What is refused is in `docs/gate.md`. Letter case is kept.
pub(crate) fn decode(path: &[u8]) -> Result<Cow<'_, str>, PathError> {
    if path.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    let decoded = match path.contains(&b'%') {
        true => Cow::Owned(decode_escapes(path)?),
        false => Cow::Borrowed(path),
    };
    if path.iter().any(|byte| matches!(byte, b'\\' | b';' | b'#')) {
        return Err(PathError::Delimiter);
    }
    // An encoded blank is part of a name; a literal one ends the target in some parsers.
    if path.contains(&b' ') {
        return Err(PathError::Control);
    }
    let text = match decoded {
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).map_err(|_| PathError::NotUtf8)?),
        Cow::Borrowed(bytes) => {
            Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| PathError::NotUtf8)?)
        }
    };
    if text.contains(char::is_control) {
        return Err(PathError::Control);
    }
    check_segments(&text)?;
    Ok(text)
}

fn decode_escapes(path: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || rest.next().copied().and_then(hex_digit);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(PathError::Escape);
        };
        let byte = high << 4 | low;
        if matches!(byte, b'/' | b'\\' | b'%' | b';' | b'?' | b'#') {
            return Err(PathError::EncodedDelimiter);
        }
        decoded.push(byte);
    }
    Ok(decoded)
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The rules for segments, of request paths and of the paths in rules.
pub(crate) fn check_segments(path: &str) -> Result<(), PathError> {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(PathError::DotSegment),
            "" if segments.peek().is_some() => return Err(PathError::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

/// A path without its letter case, for `path_case = "ignore"`.
///
/// Character by character, and a character beyond ASCII never becomes an ASCII letter, as in .NET's
/// ordinal comparison and in regular expressions of JavaScript: the Kelvin sign is no `k`.
pub(crate) fn fold_case(path: &str) -> String {
    path.chars()
        .map(|letter| {
            if letter.is_ascii() {
                return letter.to_ascii_lowercase();
            }
            let mut upper = letter.to_uppercase();
            match (upper.next(), upper.next()) {
                (Some(one), None) if !one.is_ascii() => one,
                _ => letter,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::PathError::*;
    use super::*;

    #[test]
    fn paths_are_decoded_once() {
        for (path, decoded) in [
            ("/", "/"),
            ("/todos", "/todos"),
            ("/todos/", "/todos/"),
            ("/%74odos", "/todos"),
            ("/a%20b", "/a b"),
            ("/a+b", "/a+b"),
            ("/caf%C3%A9", "/café"),
            ("/caf%c3%a9", "/café"),
            ("/.well-known/x", "/.well-known/x"),
            ("/...", "/..."),
            ("/a/..b/c.", "/a/..b/c."),
            ("/users/a@b.example:x,y=z&w~", "/users/a@b.example:x,y=z&w~"),
            ("/*", "/*"),
            ("/%41%7e", "/A~"),
        ] {
            assert_eq!(decode(path.as_bytes()).unwrap(), decoded, "{path}");
        }
        // Not encoded, as some clients send it.
        assert_eq!(decode("/café".as_bytes()).unwrap(), "/café");
    }

    #[test]
    fn a_path_that_two_programs_could_read_differently_is_refused() {
        for (path, error) in [
            ("", NotAbsolute),
            ("*", NotAbsolute),
            ("todos", NotAbsolute),
            ("http://host/todos", NotAbsolute),
            ("/a%", Escape),
            ("/a%2", Escape),
            ("/a%zz", Escape),
            ("/a%u002e", Escape),
            ("/a%2fb", EncodedDelimiter),
            ("/a%2Fb", EncodedDelimiter),
            ("/a%5cb", EncodedDelimiter),
            ("/a%252fb", EncodedDelimiter),
            ("/a%3bx", EncodedDelimiter),
            ("/a%3Fx", EncodedDelimiter),
            ("/a%23x", EncodedDelimiter),
            ("/a\\b", Delimiter),
            ("/a;x=1/b", Delimiter),
            ("/..;/b", Delimiter),
            ("/a#b", Delimiter),
            ("/a%00", Control),
            ("/a%0d%0aX: y", Control),
            ("/a%0ab", Control),
            ("/a%7f", Control),
            ("/a%c2%85", Control),
            ("/a b", Control),
            ("/a\tb", Control),
            ("/a%ff", NotUtf8),
            ("/a%c0%af", NotUtf8),
            ("/a%c0%ae%c0%ae/b", NotUtf8),
            ("/a%ed%a0%80", NotUtf8),
            ("//", EmptySegment),
            ("//a", EmptySegment),
            ("/a//b", EmptySegment),
            ("/a//", EmptySegment),
            ("/.", DotSegment),
            ("/..", DotSegment),
            ("/a/./b", DotSegment),
            ("/a/../b", DotSegment),
            ("/a/%2e%2e/b", DotSegment),
            ("/a/.%2E", DotSegment),
            ("/%2e/", DotSegment),
        ] {
            assert_eq!(decode(path.as_bytes()).unwrap_err(), error, "{path}");
        }
        assert_eq!(decode(b"/a\xff").unwrap_err(), NotUtf8);
        assert_eq!(decode(b"/a\xc0\xaf").unwrap_err(), NotUtf8);
    }

    #[test]
    fn the_query_is_no_part_of_the_path() {
        for (target, path) in [
            ("/a?b=//../%2f;", "/a"),
            ("/a", "/a"),
            ("?x", ""),
            ("/?", "/"),
        ] {
            assert_eq!(path_of(target.as_bytes()), path.as_bytes(), "{target}");
        }
    }

    #[test]
    fn letter_case_is_folded_without_making_ascii_of_other_letters() {
        assert_eq!(fold_case("/Todos/ÄÖ"), fold_case("/tODOS/äö"));
        // The long s and the Kelvin sign are letters of their own.
        assert_ne!(fold_case("/\u{17f}"), fold_case("/s"));
        assert_ne!(fold_case("/\u{212a}"), fold_case("/k"));
        assert_ne!(fold_case("/\u{131}"), fold_case("/i"));
        assert_ne!(fold_case("/ß"), fold_case("/ss"));
    }
}
