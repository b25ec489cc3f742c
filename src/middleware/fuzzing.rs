//! What fuzzing reaches of this folder.

use http::{HeaderMap, HeaderValue};

use super::bearer::{Credentials, credentials};
use super::challenge::Challenge;

pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<Option<String>, ()> {
    match credentials(headers) {
        Credentials::Token(presented) => match presented.token() {
            Some(token) => Ok(Some(token.to_owned())),
            None => Err(()),
        },
        Credentials::None | Credentials::Other(_) => Ok(None),
        Credentials::Malformed => Err(()),
    }
}

pub(crate) fn challenge(parameters: &[(&str, &str)]) -> HeaderValue {
    parameters
        .iter()
        .fold(Challenge::bearer(), |challenge, (name, value)| {
            challenge.with(name, value)
        })
        .into_header()
}
