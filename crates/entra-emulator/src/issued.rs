//! What was issued lately, for the front page. No token is kept, only what it is about.

use std::collections::VecDeque;

use serde_json::{Map, Value};

/// A token that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issued {
    /// Seconds since 1970.
    pub(super) at: u64,
    /// The user's sign-in name, or the object id of an application.
    pub(super) subject: String,
    pub(super) client: String,
    pub(super) audience: String,
    /// `scp`, else `roles`.
    pub(super) permissions: String,
    pub(super) version: String,
}

impl Issued {
    pub(super) fn of(claims: &Map<String, Value>, at: u64) -> Self {
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| claims.get(*name)?.as_str());
            found.unwrap_or_default().to_owned()
        };
        let roles = claims.get("roles").and_then(Value::as_array);
        let roles = roles.into_iter().flatten().filter_map(Value::as_str);
        let scopes = text(&["scp"]);
        Self {
            at,
            subject: text(&["preferred_username", "unique_name", "oid", "sub"]),
            client: text(&["azp", "appid"]),
            audience: text(&["aud"]),
            permissions: match scopes.is_empty() {
                true => roles.collect::<Vec<_>>().join(" "),
                false => scopes,
            },
            version: text(&["ver"]),
        }
    }
}

/// The latest, newest first.
#[derive(Debug, Default)]
pub(super) struct IssuedLog(VecDeque<Issued>);

impl IssuedLog {
    pub(super) fn record(&mut self, issued: Issued) {
        self.0.truncate(MOST - 1);
        self.0.push_front(issued);
    }

    pub(super) fn latest(&self) -> impl Iterator<Item = &Issued> {
        self.0.iter()
    }
}

const MOST: usize = 25;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_newest_is_first_and_the_oldest_makes_room() {
        let mut log = IssuedLog::default();
        for number in 0..100 {
            let claims = json!({ "sub": number.to_string(), "roles": ["a", "b"], "aud": "x" });
            log.record(Issued::of(claims.as_object().unwrap(), number));
        }
        let latest: Vec<_> = log.latest().collect();
        assert_eq!((latest.len(), latest[0].at), (MOST, 99));
        assert_eq!(
            (&*latest[0].subject, &*latest[0].permissions),
            ("99", "a b")
        );
    }
}
