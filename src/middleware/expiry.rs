//! The end of what stays open: a stream or a connection lasts no longer than its token.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
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
    #[must_use]
    pub fn new(claims: &Claims) -> Self {
        let origin = AuthorityContext::of(claims);
        let system = Clock::system();
        let clock = origin.map_or(&system, |origin| &origin.edge.clock);
        let left = claims
            .expires_at()
            .as_secs()
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

    /// Ends a stream when the token does, whatever is still to come.
    #[must_use]
    pub const fn end<S>(self, stream: S) -> UntilExpiry<S> {
        UntilExpiry {
            stream,
            expiry: self,
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
        f.write_str("Expiry")
    }
}

pin_project! {
    /// A stream that ends with a token; made by [`TokenExpiry::end`].
    pub struct UntilExpiry<S> {
        #[pin]
        stream: S,
        #[pin]
        expiry: TokenExpiry,
    }
}

impl<S: Stream> Stream for UntilExpiry<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let own = self.project();
        // First the end: a stream that always has something would never let it be seen.
        if own.expiry.poll(context).is_ready() {
            return Poll::Ready(None);
        }
        own.stream.poll_next(context)
    }
}

impl<S> fmt::Debug for UntilExpiry<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UntilExpiry")
    }
}
