//! "Why 401?": a token's way through every check, for the person who holds it.

mod bound_hints;
mod guard_hints;
mod hints;
mod steps;
mod text;
mod unverified_view;

use std::fmt;

use serde::Serialize;

use crate::claims::Claims;
use crate::clock::UnixTime;
use crate::guard::{Caller, DenialReason, Guard};

/// Every check of a token, in order, with what it expects and what it found.
///
/// From [`Entra::explain`](crate::Entra::explain). `Display` is a table for a terminal; serde
/// gives the same to a page. Values of an unverified token are marked as such, for anyone
/// can have written it. The token itself is not in here, and no name or address of a person.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let explanation = entra.explain("not a token").await;
/// assert!(!explanation.is_accepted() && !explanation.is_signature_verified());
/// assert_eq!(explanation.reason(), Some("malformed"));
/// # Ok(()) }
/// ```
#[derive(Clone, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    accepted: bool,
    reason: Option<&'static str>,
    signature_verified: bool,
    steps: Vec<Step>,
    hints: Vec<String>,
    /// Whether the reason is the application's own.
    #[serde(skip)]
    custom: bool,
    #[serde(skip)]
    claims: Option<Claims>,
    #[serde(skip)]
    now: u64,
}

/// One check.
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), axum_entra::ConfigError> {
/// use axum_entra::{Entra, Tenant, explain::Outcome};
///
/// let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
/// let entra = Entra::builder(tenant, "6e74172b-be56-4843-9ff4-e66a39bb12e3").build()?;
/// let explanation = entra.explain("not a token").await;
/// let failed = explanation.steps().iter().find(|step| step.outcome == Outcome::Failed);
/// assert_eq!(failed.map(|step| step.check.as_str()), Some("form"));
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Step {
    /// Its name: `size`, `form`, `algorithm`, `type`, `authority`, `keys`, `key_id`, `signature`,
    /// `claims`, `version`, `issuer`, `audience`, `lifetime`, `purpose`, `permissions`,
    /// `standing`, or the guard's.
    pub check: String,
    /// How it ended.
    pub outcome: Outcome,
    /// What is expected.
    pub expected: String,
    /// What was found, cut to 200 characters.
    pub found: Option<String>,
    /// Whether `found` stands under a signature that verified.
    pub verified: bool,
    /// The stable code of the refusal.
    pub reason: Option<&'static str>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The token passed.
    Passed,
    /// The token was refused.
    Failed,
    /// An earlier check refused it, or what this one needs is not known.
    Skipped,
}

/// Every reason has its heading there.
const PAGE: &str = "https://github.com/axum-entra/axum-entra/blob/main/docs/errors.md";

impl Explanation {
    /// Whether the token is accepted, and authorized by the guards it was checked against.
    #[must_use]
    pub const fn is_accepted(&self) -> bool {
        self.accepted
    }

    /// The code of the refusal, as it stands in the answer's `reason`.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        self.reason
    }

    /// Whether the signature verified. If it did not, every value is untrusted.
    #[must_use]
    pub const fn is_signature_verified(&self) -> bool {
        self.signature_verified
    }

    /// The checks in the order in which they are made.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::explain::Outcome;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read").audience("another API").mint();
    /// let explanation = entra.explain(&token).await;
    /// let failed = explanation.steps().iter().find(|step| step.outcome == Outcome::Failed).unwrap();
    /// assert_eq!(failed.check, "audience");
    /// assert!(failed.found.as_deref().unwrap().contains("another API") && failed.verified);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What a person should try, most likely first.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{Entra, Tenant};
    ///
    /// # let tenant = Tenant::new("11111111-1111-4111-8111-111111111111");
    /// # let client_id = "6e74172b-be56-4843-9ff4-e66a39bb12e3";
    /// let entra = Entra::builder(tenant, client_id).build()?;
    /// let explanation = entra.explain("Bearer EwBwA8l6BAAU").await;
    /// assert!(!explanation.hints().is_empty());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The page of the book on the reason, with cause and remedy; none where the token is accepted.
    ///
    /// An application's own reasons ([`Denied::custom`](crate::guard::Denied::custom)) have no page.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("alice").scope("Todo.Read");
    /// let expired = entra.explain(&token.clone().expired().mint()).await;
    /// assert!(expired.page().unwrap().ends_with("/docs/errors.md#expired"));
    /// assert_eq!(entra.explain(&token.mint()).await.page(), None);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn page(&self) -> Option<String> {
        let reason = self.reason.filter(|_| !self.custom)?;
        Some(format!("{PAGE}#{reason}"))
    }

    /// Holds the caller against a route's guard as well, under a name of the route.
    ///
    /// No directory is asked: a guard that would ask one is refused here, and a hint says so.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::guard::RequireRole;
    /// use entra_emulator::Emulator;
    ///
    /// let emulator = Emulator::start().await?;
    /// # let authority = axum_entra::Authority::entra(entra_emulator::CONTOSO.parse()?, entra_emulator::API_ID);
    /// # let entra = axum_entra::Entra::builder_for(authority.instance(emulator.url())).build()?;
    /// let token = emulator.token().user("bob").scope("Todo.Read").mint();
    /// let explanation = entra.explain(&token).await;
    /// assert!(explanation.is_accepted());
    /// let at_the_route = explanation.with_guard("DELETE /todos", &RequireRole("Todo.Admin"));
    /// assert_eq!(at_the_route.reason(), Some("role"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_guard<G: Guard + ?Sized>(mut self, route: &str, guard: &G) -> Self {
        let mut step = Step {
            check: format!("guard of {route}"),
            outcome: Outcome::Skipped,
            expected: "the guard lets the caller pass".to_owned(),
            found: None,
            verified: false,
            reason: None,
        };
        let claims = self.claims.clone().filter(|_| self.accepted);
        if let Some(claims) = claims {
            step.verified = true;
            match guard.check(&Caller::at(&claims, UnixTime::from_secs(self.now))) {
                Ok(()) => step.outcome = Outcome::Passed,
                Err(denied) => {
                    let scopes: Vec<&str> = denied.scopes().collect();
                    if !scopes.is_empty() {
                        step.expected = format!("scope {}", scopes.join(" "));
                    }
                    step.outcome = Outcome::Failed;
                    step.reason = Some(denied.reason().as_str());
                    step.found = Some(text::permissions(&claims));
                    self.accepted = false;
                    self.reason = step.reason;
                    self.custom = matches!(denied.reason(), DenialReason::Custom(_));
                    self.hints.extend(guard_hints::of_guard(&denied, &claims));
                }
            }
        }
        self.steps.push(step);
        self
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            None => writeln!(f, "accepted")?,
            Some(reason) => writeln!(f, "refused: {reason}")?,
        }
        if !self.signature_verified {
            writeln!(f, "(signature not verified; values marked ? are untrusted)")?;
        }
        for step in &self.steps {
            let mark = match step.outcome {
                Outcome::Passed => "ok  ",
                Outcome::Failed => "FAIL",
                Outcome::Skipped => "-   ",
            };
            writeln!(f, "  {mark} {:<12} expected: {}", step.check, step.expected)?;
            if let Some(found) = &step.found {
                let mark = if step.verified { "" } else { " ?" };
                writeln!(f, "       {:<12}    found: {found}{mark}", "")?;
            }
        }
        for hint in &self.hints {
            writeln!(f, "  * {hint}")?;
        }
        if let Some(page) = self.page() {
            writeln!(f, "  see {page}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Explanation {
    /// The verdict only, so that nothing of a token gets into a log by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explanation")
            .field("accepted", &self.accepted)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
