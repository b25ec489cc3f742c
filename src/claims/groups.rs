//! Group memberships as a token lists them.

use std::num::NonZeroU32;
use std::ops::Range;

use super::claim_name::Values;
use super::span::Span;
use crate::guid::same_id;

/// A run of spans among all of a token's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpanRange {
    start: u32,
    /// One more than the end, so that no listing takes no more room than one.
    behind: NonZeroU32,
}

impl SpanRange {
    pub(super) fn of(start: usize, end: usize) -> Option<Self> {
        Some(Self {
            start: u32::try_from(start).ok()?,
            behind: NonZeroU32::new(u32::try_from(end).ok()?.checked_add(1)?)?,
        })
    }

    #[inline]
    pub(super) const fn range(self) -> Range<usize> {
        self.start as usize..(self.behind.get() as usize).saturating_sub(1)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.start as usize >= self.range().end
    }
}

/// What a token says about the groups of its subject.
///
/// Above 200 groups (6 in the implicit flow) Entra leaves them out and says so; such a token
/// neither proves nor disproves a membership. Source: Microsoft, "Access token claims reference",
/// "Groups overage claim". The address in such a token is never followed: it points to an
/// interface that is gone, and an attacker's token could point anywhere.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{Groups, testing};
///
/// let listed = testing::claims().groups(["aaaaaaaa-0000-4000-8000-000000000001"]).build();
/// assert!(listed.groups().contains("aaaaaaaa-0000-4000-8000-000000000001"));
///
/// // Too many to list: the token proves nothing about a group that is not in it.
/// let overage = testing::claims().claim("hasgroups", true).build();
/// assert!(matches!(overage.groups(), Groups::Overage(_)));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Groups<'c> {
    /// All of them are in the token.
    Complete(GroupIds<'c>),
    /// There are more than fit; those that stand in the token all the same are given.
    Overage(GroupIds<'c>),
    /// The application is not configured to get groups, or there are none.
    Absent,
}

/// Group ids that stand in a token.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{Groups, testing};
///
/// let claims = testing::claims().groups(["a", "b"]).build();
/// let Groups::Complete(ids) = claims.groups() else { panic!("all are in the token") };
/// assert_eq!((ids.len(), ids.contains("c")), (2, false));
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GroupIds<'c> {
    text: &'c str,
    spans: &'c [Span],
}

impl<'c> GroupIds<'c> {
    /// The ids one by one, as they stand there.
    pub fn iter(&self) -> impl Iterator<Item = &'c str> + Clone + use<'c> {
        let text = self.text;
        self.spans.iter().map(move |span| span.of(text))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the id is among them: GUIDs without letter case, names as they are.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::{Groups, testing::claims};
    ///
    /// let claims = claims().groups(["aaaaaaaa-0000-4000-8000-000000000001", "Sales Team"]).build();
    /// let Groups::Complete(ids) = claims.groups() else { panic!("all are in the token") };
    /// assert!(ids.contains("AAAAAAAA-0000-4000-8000-000000000001"));
    /// assert!(ids.contains("Sales Team") && !ids.contains("sales team"));
    /// # }
    /// ```
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        let sought = ends(id.as_bytes());
        self.spans.iter().any(|span| {
            let group = span.bytes_of(self.text);
            // Nearly all of two hundred are out by a look at their ends.
            group.len() == id.len() && ends(group) == sought && same_id(span.of(self.text), id)
        })
    }
}

/// The first and the last eight bytes, without letter case; the same for ids that are the same.
#[inline]
fn ends(id: &[u8]) -> Option<[u64; 2]> {
    const CASE: u64 = u64::from_ne_bytes([b' '; 8]);
    let (first, last) = (id.first_chunk()?, id.last_chunk()?);
    Some([first, last].map(|end| u64::from_ne_bytes(*end) | CASE))
}

impl std::fmt::Debug for GroupIds<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} groups", self.len())
    }
}

impl<'c> Groups<'c> {
    pub(super) fn new(
        text: &'c str,
        values: &'c Values,
        listing: Option<SpanRange>,
        overage: bool,
    ) -> Self {
        let ids = GroupIds {
            text,
            spans: listing.map_or(&[], |listing| values.list(listing)),
        };
        match (overage, listing) {
            (true, _) => Self::Overage(ids),
            (false, Some(_)) => Self::Complete(ids),
            (false, None) => Self::Absent,
        }
    }

    /// Whether the token itself proves the membership. `false` proves nothing under an overage.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::testing::claims;
    ///
    /// let group = "aaaaaaaa-0000-4000-8000-000000000001";
    /// assert!(claims().groups([group]).build().groups().contains(group));
    /// // Not listed, which proves nothing here: there are too many to list.
    /// let overage = claims().claim("hasgroups", true).build();
    /// assert!(!overage.groups().contains(group) && overage.groups().as_str() == "overage");
    /// # }
    /// ```
    #[must_use]
    pub fn contains(&self, id: &str) -> bool {
        match self {
            Self::Complete(ids) | Self::Overage(ids) => ids.contains(id),
            Self::Absent => false,
        }
    }

    /// `listed`, `overage` or `not_issued`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Complete(_) => "listed",
            Self::Overage(_) => "overage",
            Self::Absent => "not_issued",
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::claims::raw::RawClaims;

    #[test]
    fn an_id_is_found_among_others_that_begin_or_end_like_it() {
        const ID: &str = "aaaaaaaa-1111-4111-8111-bbbbbbbbbbbb";
        let lists = |groups: &[&str], id: &str| {
            let json = serde_json::json!({ "exp": 1, "groups": groups }).to_string();
            let claims = RawClaims::parse(json.as_bytes())
                .unwrap()
                .interpret()
                .unwrap();
            claims.into_claims(None, None, None).groups().contains(id)
        };
        let others = [
            "aaaaaaaa-1111-4111-8111-bbbbbbbbbbbc",
            "aaaaaaab-1111-4111-8111-bbbbbbbbbbbb",
            "aaaaaaaa-1111-4112-8111-bbbbbbbbbbbb",
            "aaaaaaaa",
            "aaaaaaaa-bbbbbbbbbbbb",
            "a",
            "",
        ];
        assert!(!lists(&others, ID));
        for own in [ID, &ID.to_uppercase(), others[4], "a", ""] {
            assert!(lists(&[&others[..], &[own]].concat(), own), "{own}");
        }
        assert!(lists(&[&ID.to_uppercase()], ID) && lists(&[ID], &ID.to_uppercase()));
        // Names are no GUIDs, and `@` is no other case of a backtick.
        assert!(lists(&["Sales Team 1"], "Sales Team 1"));
        assert!(!lists(&["Sales Team 1"], "sales team 1"));
        assert!(!lists(&["Team@@@@@@@@"], "Team````````"));
    }
}
