//! The language of `allow`: guards by name, `and` before `or`, parentheses, no negation.

use std::time::Duration;

use axum_entra::guard::Guard;

use super::guard::{Form, RuleGuard, form_of, names};

/// A wrong expression: the byte of it where something else is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ExpressionError {
    pub(super) at: usize,
    pub(super) message: String,
}

impl ExpressionError {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

/// Reads a guard expression.
pub(super) fn parse(text: &str) -> Result<RuleGuard, ExpressionError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        end: text.len(),
        depth: 0,
    };
    let guard = parser.alternatives()?;
    match parser.peek() {
        None => Ok(guard),
        Some((at, _)) => Err(ExpressionError::new(*at, "expected `and`, `or` or the end")),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(u64),
    Open,
    Close,
    Comma,
}

/// Splits an expression into its words, each with its place.
fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        let length_of = |part: fn(char) -> bool| rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (token, length) = match letter {
            letter if letter.is_whitespace() => {
                at = at.saturating_add(letter.len_utf8());
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            '"' => {
                let inner = rest.get(1..).unwrap_or_default();
                let Some(length) = inner.find(['"', '\n', '\r']) else {
                    return Err(ExpressionError::new(
                        at,
                        "expected a closing quote to this one",
                    ));
                };
                if !inner.get(length..).unwrap_or_default().starts_with('"') {
                    return Err(ExpressionError::new(
                        at,
                        "expected a closing quote on this line",
                    ));
                }
                let inner = inner.get(..length).unwrap_or_default();
                (Token::Text(inner.to_owned()), length.saturating_add(2))
            }
            '0'..='9' => {
                let length = length_of(|c| c.is_ascii_alphanumeric() || c == '_');
                let digits = rest.get(..length).unwrap_or_default();
                let number = digits.parse().map_err(|_| {
                    ExpressionError::new(at, "expected a number of seconds, such as 600")
                })?;
                (Token::Number(number), length)
            }
            letter if letter.is_ascii_alphabetic() => {
                let length = length_of(|c| c.is_ascii_alphanumeric() || c == '_');
                let word = rest.get(..length).unwrap_or_default();
                (Token::Word(word.to_owned()), length)
            }
            _ => {
                return Err(ExpressionError::new(
                    at,
                    format!("expected a guard such as scope(\"Todo.Read\"), found {letter:?}"),
                ));
            }
        };
        tokens.push((at, token));
        at = at.saturating_add(length);
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
}

/// Far more parentheses than a rule needs, and far fewer than a thread's stack has room for.
const MOST_NESTED: usize = 64;

impl Parser {
    fn peek(&self) -> Option<&(usize, Token)> {
        self.tokens.get(self.next)
    }

    /// Where the next token is; the end of the text after the last.
    fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().map(|(_, token)| token.clone());
        self.next = self.next.saturating_add(1);
        token
    }

    fn take_if(&mut self, wanted: &Token) -> bool {
        let is_next = self.peek().is_some_and(|(_, token)| token == wanted);
        if is_next {
            self.next = self.next.saturating_add(1);
        }
        is_next
    }

    fn take_word(&mut self, word: &str) -> bool {
        self.take_if(&Token::Word(word.to_owned()))
    }

    fn expect(&mut self, wanted: &Token, what: &str) -> Result<(), ExpressionError> {
        match self.take_if(wanted) {
            true => Ok(()),
            false => Err(ExpressionError::new(self.at(), format!("expected {what}"))),
        }
    }

    fn alternatives(&mut self) -> Result<RuleGuard, ExpressionError> {
        let mut guard = self.conjunction()?;
        while self.take_word("or") {
            guard = guard.or(self.conjunction()?);
        }
        Ok(guard)
    }

    fn conjunction(&mut self) -> Result<RuleGuard, ExpressionError> {
        let mut guard = self.operand()?;
        while self.take_word("and") {
            guard = guard.and(self.operand()?);
        }
        Ok(guard)
    }

    fn operand(&mut self) -> Result<RuleGuard, ExpressionError> {
        let at = self.at();
        match self.take() {
            Some(Token::Open) => {
                self.depth = self.depth.saturating_add(1);
                if self.depth > MOST_NESTED {
                    let message =
                        format!("expected at most {MOST_NESTED} parentheses in each other");
                    return Err(ExpressionError::new(at, message));
                }
                let guard = self.alternatives()?;
                self.expect(&Token::Close, "`)`, `and` or `or`")?;
                self.depth = self.depth.saturating_sub(1);
                Ok(guard)
            }
            Some(Token::Word(word)) => self.guard(at, &word),
            _ => Err(ExpressionError::new(
                at,
                "expected a guard such as scope(\"Todo.Read\"), or `(`",
            )),
        }
    }

    fn guard(&mut self, at: usize, word: &str) -> Result<RuleGuard, ExpressionError> {
        let Some(form) = form_of(word) else {
            return Err(unknown(at, word));
        };
        let guard = match form {
            Form::Bare(make) => {
                let here = self.at();
                if self.take_if(&Token::Open) {
                    let message = format!("expected `{word}` without parentheses");
                    return Err(ExpressionError::new(here, message));
                }
                make()
            }
            Form::One(make) => {
                self.open(word, "(\"…\")")?;
                let text = self.text(word)?;
                self.expect(&Token::Close, &format!("`)`: `{word}` takes one text"))?;
                make(text)
            }
            Form::Many(make) => {
                self.open(word, "(\"…\", \"…\")")?;
                let mut texts = vec![self.text(word)?];
                while self.take_if(&Token::Comma) {
                    texts.push(self.text(word)?);
                }
                self.expect(&Token::Close, "`,` or `)`")?;
                make(texts).ok_or_else(|| ExpressionError::new(at, "expected at least one name"))?
            }
            Form::Seconds(make) => {
                self.open(word, "(600)")?;
                let here = self.at();
                let Some(Token::Number(seconds @ 1..)) = self.take() else {
                    let message = format!("expected a number of seconds from 1: {word}(600)");
                    return Err(ExpressionError::new(here, message));
                };
                self.expect(&Token::Close, &format!("`)`: `{word}` takes one number"))?;
                make(Duration::from_secs(seconds))
            }
        };
        // A guard that can never match would refuse every caller without a word.
        match guard.mistakes().first() {
            None => Ok(guard),
            Some(mistake) => {
                let message = format!("expected a name that a token can have: {mistake}");
                Err(ExpressionError::new(at, message))
            }
        }
    }

    fn open(&mut self, word: &str, example: &str) -> Result<(), ExpressionError> {
        self.expect(&Token::Open, &format!("`{word}{example}`"))
    }

    fn text(&mut self, word: &str) -> Result<String, ExpressionError> {
        let at = self.at();
        match self.take() {
            Some(Token::Text(text)) if text.trim().is_empty() => Err(ExpressionError::new(
                at,
                format!("expected a name in the quotes of `{word}`"),
            )),
            Some(Token::Text(text)) => Ok(text),
            _ => Err(ExpressionError::new(
                at,
                format!("expected a text in double quotes: {word}(\"…\")"),
            )),
        }
    }
}

fn unknown(at: usize, word: &str) -> ExpressionError {
    if matches!(word, "open" | "optional" | "authenticated") {
        return ExpressionError::new(
            at,
            format!("expected `{word}` as the whole of `allow`, or a guard in its place"),
        );
    }
    let all: Vec<&str> = names().collect();
    ExpressionError::new(
        at,
        format!("expected one of {}; found `{word}`", all.join(", ")),
    )
}
