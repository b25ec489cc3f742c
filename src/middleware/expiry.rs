//! The end of what stays open: a stream or a connection lasts no longer than its token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use crate::claims::Claims;
use crate::clock::Clock;

use super::context::AuthorityContext;

pin_project! {
    /// Completes when a token expires (`exp`, without skew), is revoked, or its account signs out:
    /// for what stays open longer than a request, such as a WebSocket or Server-Sent Events.
    ///
    /// A request is checked once, when it comes. Whatever it opens would go on for as long as
    /// the client likes; with this it ends, and the client comes back with a new token.
    ///
    /// It hears of every revocation and sign-out that this replica hears of, through Redis those
    /// of others too, and counts sign-outs from [`TokenExpiry::new`] on.
    ///
    /// ```
    /// # use axum_entra::{Claims, TokenExpiry};
    /// # async fn talk(claims: Claims, mut next: tokio::sync::mpsc::Receiver<String>) {
    /// let mut expiry = std::pin::pin!(TokenExpiry::new(&claims));
    /// loop {
    ///     tokio::select! {
    ///         () = &mut expiry => break,
    ///         Some(message) = next.recv() => { /* send it */ }
    ///         else => break,
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// A stream ends with it by `StreamExt::take_until` of `futures_util`:
    ///
    /// ```
    /// # use axum_entra::{Claims, TokenExpiry};
    /// use futures_util::{Stream, StreamExt};
    ///
    /// fn until_expiry<T>(claims: &Claims, items: impl Stream<Item = T>) -> impl Stream<Item = T> {
    ///     items.take_until(TokenExpiry::new(claims))
    /// }
    /// ```
    ///
    /// Does not ask the directory again (`Graph:CheckSessions`), and does not end because the
    /// store that replicas share is out of reach. Claims made in code only expire.
    pub struct TokenExpiry {
        #[pin]
        sleep: Option<Sleep>,
        gone: Option<Gone>,
    }
}

/// The end of a token before its time.
type Gone = Pin<Box<dyn Future<Output = ()> + Send + Sync>>;

impl TokenExpiry {
    /// The end of the token that these claims were in.
    ///
    /// ```
    /// # #[cfg(feature = "test-util")] #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use axum_entra::{TokenExpiry, testing::claims};
    ///
    /// let soon = Duration::from_millis(10);
    /// // An hour to live.
    /// assert!(tokio::time::timeout(soon, TokenExpiry::new(&claims().build())).await.is_err());
    /// // Over already: it completes at once.
    /// let over = claims().without("iat").without("nbf").claim("exp", 1_537_234_948);
    /// TokenExpiry::new(&over.build()).await;
    /// # Ok(()) }
    /// # #[cfg(not(feature = "test-util"))] fn main() {}
    /// ```
    #[must_use]
    pub fn new(claims: &Claims) -> Self {
        Self::after(claims, 0)
    }

    /// When the layer refuses the token: the clock skew later, so that a client whose stream ends is
    /// not admitted with the same token again.
    pub(super) fn with_skew(claims: &Claims) -> Self {
        let skew = AuthorityContext::of(claims).map_or(0, |origin| origin.clock_skew);
        Self::after(claims, skew.saturating_add(1))
    }

    fn after(claims: &Claims, seconds: u64) -> Self {
        let origin = AuthorityContext::of(claims);
        let system = Clock::system();
        let clock = origin.map_or(&system, |origin| &origin.edge.clock);
        let left = claims
            .expires_at()
            .as_secs()
            .saturating_add(seconds)
            .saturating_sub(clock.seconds());
        Self {
            gone: origin.map(|origin| -> Gone {
                let accounts = Arc::clone(&origin.edge.accounts);
                Box::pin(accounts.until_revoked(claims.clone(), Arc::clone(&origin.backdate)))
            }),
            // Longer than any process lives, and within what timers can hold.
            sleep: (left > 0).then(|| sleep(Duration::from_secs(left.min(LONGEST_SECONDS)))),
        }
    }
}

/// A year.
const LONGEST_SECONDS: u64 = 31_536_000;

impl Future for TokenExpiry {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let own = self.project();
        if let Some(gone) = own.gone
            && gone.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(());
        }
        // Over already: a timer of no time would still take a moment.
        match own.sleep.as_pin_mut() {
            Some(sleep) => sleep.poll(context),
            None => Poll::Ready(()),
        }
    }
}

impl fmt::Debug for TokenExpiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenExpiry")
    }
}
