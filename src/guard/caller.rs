//! Everything a guard may know.

use std::borrow::Cow;

use crate::claims::{Claims, Groups};
use crate::clock::UnixTime;
use crate::guid::same_id;

/// A caller, as far as it is known: claims, the time, and what the directory answered so far.
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::Caller, testing};
///
/// let claims = testing::claims().groups(["aaaaaaaa-0000-4000-8000-000000000001"]).build();
/// let caller = Caller::at(&claims, UnixTime::from_secs(1_700_000_000));
/// assert_eq!(caller.is_member_of("AAAAAAAA-0000-4000-8000-000000000001"), Some(true));
/// assert_eq!(caller.is_member_of("aaaaaaaa-0000-4000-8000-000000000002"), Some(false));
/// # }
/// ```
#[derive(Debug)]
pub struct Caller<'c> {
    claims: &'c Claims,
    time: Time,
    memberships: Cow<'c, Memberships>,
}

#[derive(Debug)]
enum Time {
    At(u64),
    /// Looked at when a guard asks, which most never do.
    By(fn(&Claims) -> u64),
}

/// What the directory said about groups the token did not list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memberships {
    known: Vec<(String, bool)>,
}

impl Memberships {
    pub(crate) fn new(known: impl IntoIterator<Item = (String, bool)>) -> Self {
        Self {
            known: known.into_iter().collect(),
        }
    }

    /// Both together.
    pub(crate) fn and(mut self, more: Self) -> Self {
        self.known.extend(more.known);
        self
    }

    fn of(&self, group: &str) -> Option<bool> {
        self.known
            .iter()
            .find(|(id, _)| same_id(id, group))
            .map(|(_, member)| *member)
    }
}

impl<'c> Caller<'c> {
    /// A caller of which only the claims are known, at a time.
    #[must_use]
    pub fn at(claims: &'c Claims, now: UnixTime) -> Self {
        Self {
            claims,
            time: Time::At(now.as_secs()),
            memberships: Cow::Owned(Memberships::default()),
        }
    }

    /// The same, with a clock that takes the claims.
    pub(crate) fn by_clock(claims: &'c Claims, now: fn(&Claims) -> u64) -> Self {
        Self {
            claims,
            time: Time::By(now),
            memberships: Cow::Owned(Memberships::default()),
        }
    }

    pub(crate) fn with_memberships(mut self, memberships: Memberships) -> Self {
        self.memberships = Cow::Owned(memberships);
        self
    }

    /// What the caller's token says.
    #[must_use]
    pub fn claims(&self) -> &'c Claims {
        self.claims
    }

    /// The time of the request.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        UnixTime::from_secs(match self.time {
            Time::At(now) => now,
            Time::By(now) => now(self.claims),
        })
    }

    /// Whether the caller is a member of a group; `None` where that is not known yet.
    #[must_use]
    pub fn is_member_of(&self, group: &str) -> Option<bool> {
        let groups = self.claims.groups();
        if groups.contains(group) {
            return Some(true);
        }
        match groups {
            Groups::Overage(_) => self.memberships.of(group),
            Groups::Complete(_) | Groups::Absent => Some(false),
        }
    }
}
