//! An error with everything that led to it, in one line.

use std::error::Error;
use std::fmt;

/// Shows an error and its causes, outermost first, with `: ` between.
///
/// A cause that the line names already is not named again.
pub(crate) struct WithCauses<'e>(pub(crate) &'e (dyn Error + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = self.0.to_string();
        let mut next = self.0.source();
        for _ in 0..MOST_CAUSES {
            let Some(cause) = next else { break };
            let text = cause.to_string();
            if !line.ends_with(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            next = cause.source();
        }
        // A certificate's names are in it, for one, and a peer wrote those.
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        f.write_str(&line)
    }
}

/// A chain that is longer is a circle.
const MOST_CAUSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn chain(texts: &[&'static str]) -> Link {
        let source = match texts {
            [_, rest @ ..] if !rest.is_empty() => Some(Box::new(chain(rest))),
            _ => None,
        };
        Link {
            text: texts[0],
            source,
        }
    }

    #[test]
    fn every_cause_is_named_once() {
        for (texts, line) in [
            (&["no answer"][..], "no answer"),
            (
                &["no answer", "dns error", "no such name"],
                "no answer: dns error: no such name",
            ),
            (&["no answer", "a\nb\u{1b}[c"], "no answer: a b [c"),
            (
                &["no answer", "refused: 111", "refused: 111", "111"],
                "no answer: refused: 111",
            ),
        ] {
            assert_eq!(WithCauses(&chain(texts)).to_string(), line);
        }
    }
}
