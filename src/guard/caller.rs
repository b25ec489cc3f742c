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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Guard, RequireMaxAge};
    /// use axum_entra::{UnixTime, testing::claims};
    /// use std::time::Duration;
    ///
    /// let claims = claims().claim("auth_time", 1_700_000_000).build();
    /// let at = |seconds| Caller::at(&claims, UnixTime::from_secs(seconds));
    /// let guard = RequireMaxAge(Duration::from_secs(600));
    /// assert!(guard.check(&at(1_700_000_600)).is_ok());
    /// assert!(guard.check(&at(1_700_000_601)).is_err());
    /// # }
    /// ```
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
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::{Caller, Denied, Guard, from_fn};
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// // A maintenance window: the guard reads no clock of its own.
    /// let outside = from_fn(|caller| match caller.now().as_secs() % 86_400 {
    ///     0..3_600 => Err(Denied::custom("maintenance")),
    ///     _ => Ok(()),
    /// });
    /// let claims = claims().build();
    /// let noon = Caller::at(&claims, UnixTime::from_secs(43_200));
    /// assert!(outside.check(&noon).is_ok());
    /// let midnight = Caller::at(&claims, UnixTime::from_secs(86_400));
    /// assert!(outside.check(&midnight).is_err());
    /// # }
    /// ```
    #[must_use]
    pub fn now(&self) -> UnixTime {
        UnixTime::from_secs(match self.time {
            Time::At(now) => now,
            Time::By(now) => now(self.claims),
        })
    }

    /// Whether the caller is a member of a group; `None` where that is not known yet.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] {
    /// use axum_entra::guard::Caller;
    /// use axum_entra::{UnixTime, testing::claims};
    ///
    /// let group = "aaaaaaaa-0000-4000-8000-000000000001";
    /// let is_member = |claims: &axum_entra::Claims| Caller::at(claims, UnixTime::default()).is_member_of(group);
    /// assert_eq!(is_member(&claims().groups([group]).build()), Some(true));
    /// assert_eq!(is_member(&claims().groups(["another"]).build()), Some(false));
    /// // Too many groups to list, and Graph was not asked yet.
    /// assert_eq!(is_member(&claims().claim("hasgroups", true).build()), None);
    /// # }
    /// ```
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
