//! What challenges say about the addresses that this API has, and which of them a route is under.

use super::challenge::Challenges;
use super::head::{Head, RouteResource};

/// What challenges say about one address of this API, or of an API that has given none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Challenged {
    /// The address as it was given; empty where there is none.
    pub(crate) address: String,
    /// The path of the address, without a slash at its end.
    pub(crate) path: String,
    /// Where the protected-resource metadata is (RFC 9728), if it is served.
    pub(crate) metadata: Option<String>,
    /// Full names of scopes, for clients that have no good token yet.
    pub(crate) scope: String,
    /// Made of the two above; to be asked only once they are settled.
    pub(super) usual: Challenges,
}

/// One entry for each address, in their order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resources(Vec<Challenged>);

impl Resources {
    pub(crate) const fn new(all: Vec<Challenged>) -> Self {
        Self(all)
    }

    /// Whether it takes the path to distinguish them.
    pub(super) const fn are_several(&self) -> bool {
        self.0.len() > 1
    }

    pub(super) fn at(&self, place: usize) -> Option<&Challenged> {
        self.0.get(place)
    }

    /// Whether a token was issued for another address of this API than the one that a route is
    /// under: its `aud` is that address (v1.0 tokens, RFC 8707).
    pub(super) fn are_for_another<'t>(
        &self,
        path: &str,
        audiences: impl Iterator<Item = &'t str> + Clone,
    ) -> bool {
        let own = self.of_path(path);
        let mut all = self.0.iter().enumerate();
        let has = |address: &str| audiences.clone().any(|audience| audience == address);
        let is_own = self.at(own).is_some_and(|one| has(&one.address));
        !is_own && all.any(|(place, one)| place != own && has(&one.address))
    }

    /// The place of the address that a request's route is under.
    pub(super) fn of(&self, head: Option<Head<'_>>) -> usize {
        match head {
            Some(head) if self.are_several() => match head.extensions.get::<RouteResource>() {
                Some(RouteResource(place)) => *place,
                None => self.of_path(head.path()),
            },
            _ => 0,
        }
    }

    /// That with the longest path which the route's own begins with, else the first.
    pub(super) fn of_path(&self, path: &str) -> usize {
        let is_under = |resource: &Challenged| {
            path.strip_prefix(&*resource.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        // No two have the same path.
        let under = self.0.iter().enumerate().filter(|(_, one)| is_under(one));
        let longest = under.max_by_key(|(_, one)| one.path.len());
        longest.map_or(0, |(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_for_one_address_is_not_for_another() {
        let one = |path: &&str| Challenged {
            address: format!("https://x{path}"),
            path: (*path).to_owned(),
            ..Challenged::default()
        };
        let both = Resources::new(["/mcp", "/reports/mcp"].iter().map(one).collect());
        for (path, audiences, is_for_another) in [
            ("/mcp", &["https://x/mcp"][..], false),
            ("/mcp", &["https://x/reports/mcp"], true),
            ("/reports/mcp", &["https://x/mcp"], true),
            ("/reports/mcp/x", &["https://x/reports/mcp"], false),
            ("/mcp", &["client id"], false),
            ("/mcp", &["client id", "https://x/reports/mcp"], true),
            ("/mcp", &["https://x/mcp", "https://x/reports/mcp"], false),
            ("/mcp", &[], false),
        ] {
            let found = both.are_for_another(path, audiences.iter().copied());
            assert_eq!(found, is_for_another, "{path} {audiences:?}");
        }
    }

    #[test]
    fn a_route_is_under_the_longest_path_that_its_own_begins_with() {
        let resources = |paths: &[&str]| {
            let one = |path: &&str| Challenged {
                path: (*path).to_owned(),
                ..Challenged::default()
            };
            Resources::new(paths.iter().map(one).collect())
        };
        let mcp = resources(&["/reports/mcp", "/mcp", "/mcp/v2"]);
        for (path, place) in [
            ("/mcp", 1),
            ("/mcp/", 1),
            ("/mcp/tools", 1),
            ("/mcp/v2", 2),
            ("/mcp/v2/x", 2),
            ("/mcp/v22", 1),
            ("/mcpx", 0),
            ("/reports/mcp/x", 0),
            ("/", 0),
            ("/other", 0),
            ("*", 0),
        ] {
            assert_eq!(mcp.of_path(path), place, "{path}");
        }
        // The address of the host by itself is every path's, unless there is a longer one.
        let rooted = resources(&["/mcp", ""]);
        assert_eq!((rooted.of_path("/x"), rooted.of_path("/mcp/x")), (1, 0));
    }
}
