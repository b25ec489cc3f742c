//! Guards of guards, with three answers: yes, no, and "ask the directory".

use super::{Caller, Denied, Guard, Requirements};

/// Both let the caller pass: made by [`Guard::and`].
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireAppOnly, RequireRole}, testing};
///
/// let guard = RequireAppOnly.and(RequireRole("Tasks.Run"));
/// let now = UnixTime::from_secs(1_700_000_000);
/// let daemon = testing::claims().app().roles(["Tasks.Run"]).build();
/// assert!(guard.check(&Caller::at(&daemon, now)).is_ok());
///
/// let user = testing::claims().roles(["Tasks.Run"]).build();
/// assert!(guard.check(&Caller::at(&user, now)).is_err());
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct And<A, B>(pub(super) A, pub(super) B);

impl<A: Guard, B: Guard> Guard for And<A, B> {
    /// No wins over "ask"; two questions are asked together, and scopes are named together.
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let first = match self.0.check(caller) {
            Ok(()) => return self.1.check(caller),
            Err(denied) => denied,
        };
        if !first.is_open() {
            return Err(match first.names_scopes() {
                true => match self.1.check(caller) {
                    Err(second) => first.with_scopes_of(second),
                    Ok(()) => first,
                },
                false => first,
            });
        }
        match self.1.check(caller) {
            Ok(()) => Err(first),
            Err(second) if second.is_open() => Err(first.also(second)),
            Err(second) => Err(second),
        }
    }

    fn describe(&self) -> Requirements {
        self.0.describe().and(self.1.describe())
    }

    fn mistakes(&self) -> Vec<String> {
        [self.0.mistakes(), self.1.mistakes()].concat()
    }
}

/// One of both lets the caller pass: made by [`Guard::or`].
///
/// ```
/// # #[cfg(feature = "test-util")] {
/// use axum_entra::{UnixTime, guard::{Caller, Guard, RequireRole, RequireScope}, testing};
///
/// let guard = RequireScope("Todo.Read").or(RequireRole("Todo.Read.All"));
/// let now = UnixTime::from_secs(1_700_000_000);
/// let daemon = testing::claims().app().roles(["Todo.Read.All"]).build();
/// assert!(guard.check(&Caller::at(&daemon, now)).is_ok());
///
/// let neither = testing::claims().scope("User.Read").build();
/// let denied = guard.check(&Caller::at(&neither, now)).unwrap_err();
/// assert_eq!(denied.scopes().collect::<Vec<_>>(), ["Todo.Read"]);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Or<A, B>(pub(super) A, pub(super) B);

impl<A: Guard, B: Guard> Guard for Or<A, B> {
    /// Allow takes precedence over "ask", so that nothing is asked unnecessarily.
    fn check(&self, caller: &Caller<'_>) -> Result<(), Denied<'_>> {
        let first = match self.0.check(caller) {
            Ok(()) => return Ok(()),
            Err(denied) => denied,
        };
        match self.1.check(caller) {
            Ok(()) => Ok(()),
            Err(second) => Err(first.or(second)),
        }
    }

    fn describe(&self) -> Requirements {
        self.0.describe().or(self.1.describe())
    }

    fn mistakes(&self) -> Vec<String> {
        [self.0.mistakes(), self.1.mistakes()].concat()
    }
}
