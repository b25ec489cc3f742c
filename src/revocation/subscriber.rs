//! Following the shared store: the task that listens.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use crate::claims::AccountId;
use crate::clock::Clock;
use crate::config_error::ConfigError;
use crate::sync::atomic::Ordering;
use crate::sync::watch;
use crate::tasks::{Panicked, unwinding};

use super::cutoffs::{Raise, Revocations};
use super::event::RevocationKey;
use super::marks::KEPT;
use super::place::{Beginning, Entry, StreamPosition};
use super::redis::{BATCH, EventStream, RedisClient, StoreConnectionError, Stored};
use super::shared::{RedisRevocations, State};
use super::store::StoreFailurePolicy;

#[derive(Debug)]
struct Follower {
    link: Arc<RedisClient>,
    local: Arc<Revocations>,
    state: Arc<State>,
    clock: Clock,
    /// How many seconds the local clock and the store's may be apart.
    skew: u64,
    on_loss: StoreFailurePolicy,
    /// The store is followed again, so that there is something to watch.
    followed: watch::Sender<()>,
}

/// From where events are taken one after the other.
#[derive(Debug)]
struct Begun {
    place: StreamPosition,
    /// The id of the last event.
    last: String,
    /// When the store was asked: what was raised before is here.
    asked: Instant,
}

/// How old what is here may be while this replica says that it follows.
const LONGEST_SILENCE: Duration = Duration::from_secs(4);

/// The time of a command and its answer is no difference of clocks.
const LEAST_SKEW: u64 = 5;

/// How often the clocks are compared, and old marks looked for if it is time to.
const ROUND: Duration = Duration::from_secs(60);

/// Seconds between two prunings, whichever replicas do them.
const PRUNING: u64 = 3_600;

/// What the store may do for others between two steps of a pruning.
const BREATH: Duration = Duration::from_millis(2);

/// Marks that are taken over under one lock, and before other tasks get their turn: some 100 µs.
const AT_ONCE: usize = 250;

/// Pauses between attempts: the first one and the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How often a loss is said again.
const REMINDER: Duration = Duration::from_secs(30);

/// Starts the task.
pub(super) fn spawn(
    link: RedisClient,
    local: Arc<Revocations>,
    clock: Clock,
    skew: u64,
    on_loss: StoreFailurePolicy,
) -> Result<RedisRevocations, ConfigError> {
    let runtime = Handle::try_current().map_err(|_| ConfigError::NoRuntime)?;
    let (shared, ended) = RedisRevocations::new(link, local, on_loss, runtime);
    let follower = Follower {
        link: Arc::clone(&shared.link),
        local: Arc::clone(&shared.local),
        state: Arc::clone(&shared.state),
        clock,
        skew: skew.max(LEAST_SKEW),
        on_loss,
        followed: watch::Sender::new(()),
    };
    let watching = Arc::new(follower);
    let following = Arc::clone(&watching);
    let runtime = &shared.runtime;
    runtime.spawn(supervise("follow", following, Follower::run, ended.clone()));
    runtime.spawn(supervise("watch", watching, Follower::run_watch, ended));
    Ok(shared)
}

/// Has the store followed, or that watched, until its owner is gone: what panics begins again.
async fn supervise<F: Future<Output = ()>>(
    name: &'static str,
    follower: Arc<Follower>,
    run: fn(Arc<Follower>, watch::Receiver<()>) -> F,
    ended: watch::Receiver<()>,
) {
    while unwinding(name, run(Arc::clone(&follower), ended.clone())).await == Err(Panicked) {
        follower.panicked();
        sleep(LONGEST_PAUSE).await;
    }
}

impl Follower {
    /// Follows until the store's owner is gone.
    async fn run(self: Arc<Self>, mut ended: watch::Receiver<()>) {
        let mut pause = SHORTEST_PAUSE;
        let mut said: Option<Instant> = None;
        loop {
            let lost = tokio::select! {
                biased;
                _ = ended.changed() => break,
                lost = self.follow() => lost,
            };
            if self.state.following.swap(false, Ordering::AcqRel) {
                pause = SHORTEST_PAUSE;
                said = None;
            }
            self.link.disconnect();
            if said.is_none_or(|said| said.elapsed() >= REMINDER) {
                said = Some(Instant::now());
                self.report(&lost);
            }
            self.state.failed(lost.to_string());
            tokio::select! {
                biased;
                _ = ended.changed() => break,
                () = sleep(pause.mul_f64(0.5 + fastrand::f64())) => {}
            }
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    fn report(&self, lost: &StoreConnectionError) {
        match self.on_loss {
            StoreFailurePolicy::DangerAllow => tracing::error!(
                error = %lost,
                "the shared store is out of reach: tokens that were revoked elsewhere pass"
            ),
            on_loss => tracing::warn!(
                error = %lost,
                ?on_loss,
                "the shared store is out of reach"
            ),
        }
    }

    async fn follow(&self) -> StoreConnectionError {
        match self.listen().await {
            Err(lost) => lost,
            Ok(never) => match never {},
        }
    }

    async fn listen(&self) -> Result<Infallible, StoreConnectionError> {
        let mut news = self.link.news().await?;
        let begun = self.resync(&mut news).await?;
        // The task removes old marks in steps: no request waits for it.
        tokio::select! {
            biased;
            ended = self.keep_up(&mut news, begun) => ended,
            never = self.prune() => match never {},
        }
    }

    /// All that others raised until then is here.
    fn is_complete(&self, at: Instant) {
        self.state.is_complete(at);
        if at.elapsed() < LONGEST_SILENCE && !self.state.following.swap(true, Ordering::AcqRel) {
            tracing::info!("following the shared store");
            self.followed.send_replace(());
        }
    }

    /// Says that the store is not followed as soon as what is here is too old, whatever the cause:
    /// answers that are slow but come, very many marks to be read again, or a slow hook of the
    /// application. A task of its own, since the task that follows is what is slow then.
    async fn watch(&self) -> Infallible {
        let mut followed = self.followed.subscribe();
        loop {
            let left = LONGEST_SILENCE.saturating_sub(self.state.complete().elapsed());
            if !left.is_zero() {
                sleep(left).await;
                continue;
            }
            if self.state.following.swap(false, Ordering::AcqRel) {
                let late = StoreConnectionError::late();
                self.report(&late);
                self.state.failed(late.to_string());
            }
            // Its sender lives as long as this.
            let _ = followed.changed().await;
        }
    }

    async fn run_watch(self: Arc<Self>, mut ended: watch::Receiver<()>) {
        tokio::select! {
            biased;
            _ = ended.changed() => {}
            never = self.watch() => match never {},
        }
    }

    async fn keep_up(
        &self,
        news: &mut EventStream<'_>,
        mut begun: Begun,
    ) -> Result<Infallible, StoreConnectionError> {
        loop {
            let Begun { place, last, asked } = &mut begun;
            self.is_complete(*asked);
            let mut behind = false;
            loop {
                // What comes to the store after this moment may be missing in its answer.
                let asked = Instant::now();
                let entries = news.after(last).await?;
                if entries.is_empty() {
                    let asked = Instant::now();
                    let (current, end) = news.place().await?;
                    let here = current == *place && end == *last;
                    // An event may have come just now; one that does not arrive is a gap.
                    if current.epoch != place.epoch || (behind && !here) {
                        break;
                    }
                    behind = !here;
                    if here {
                        self.is_complete(asked);
                    }
                } else {
                    behind = false;
                }
                // A full batch may have more behind it.
                let all = (1..BATCH).contains(&entries.len());
                if !self.take(entries, place, last) {
                    break;
                }
                if all {
                    self.is_complete(asked);
                }
                if self.state.has_unpublished.load(Ordering::Acquire) {
                    break;
                }
            }
            begun = self.resync(news).await?;
        }
    }

    /// Applies events in their order; `false` where one is missing before the next.
    fn take(&self, entries: Vec<Entry>, place: &mut StreamPosition, last: &mut String) -> bool {
        let mut complete = true;
        let mut raises = Vec::new();
        for entry in entries {
            let next = StreamPosition {
                epoch: place.epoch.clone(),
                sequence: place.sequence.saturating_add(1),
            };
            complete = entry.place == next;
            if !complete {
                break;
            }
            // What is not understood was written by a newer replica, for newer ones.
            if let Some(mark) = RevocationKey::parse(&entry.mark) {
                let at = entry.at;
                raises.push(Raise { mark, at, age: 0 });
            }
            (*place, *last) = (next, entry.id);
        }
        // All of them are in force before the application hears of the first.
        let forgotten: Vec<_> = raises
            .chunks(AT_ONCE)
            .flat_map(|some| self.raise(some))
            .collect();
        for some in forgotten.chunks(AT_ONCE) {
            self.local.forget(some);
        }
        complete
    }

    /// Takes over marks. Returns the accounts of which nothing is to be kept.
    fn raise(&self, raises: &[Raise]) -> Vec<AccountId> {
        let raised = self.local.raise(raises, self.clock.seconds());
        let mut signed_out = Vec::new();
        let mut forgotten = Vec::new();
        for (Raise { mark, .. }, raised) in raises.iter().zip(raised) {
            match mark {
                RevocationKey::SignedOut(account) => {
                    // What is reported again, by this replica's own echo or after a lost connection,
                    // ends no stream that was opened since.
                    if raised {
                        signed_out.push(mark.clone());
                    }
                    forgotten.push(account.clone());
                }
                RevocationKey::Account(account) | RevocationKey::Forgotten(account) if raised => {
                    forgotten.push(account.clone());
                }
                RevocationKey::Account(_)
                | RevocationKey::Forgotten(_)
                | RevocationKey::Lifted(_)
                | RevocationKey::Session { .. } => {}
            }
        }
        self.local.number_sign_outs(&signed_out);
        forgotten
    }

    /// Takes over what the store has, and gives it what it lacks: after a start, a lost
    /// connection, a gap, and after the store lost everything.
    async fn resync(&self, news: &mut EventStream<'_>) -> Result<Begun, StoreConnectionError> {
        let asked = Instant::now();
        let Beginning { place, last, time } = news.begin().await?;
        let mut lacking = self.state.to_tell(&self.local);
        // By a clock that is not to be trusted nothing is old.
        let agree = self.compare_clocks(time);
        let (mut next, mut page) = news.marks("0").await?;
        loop {
            let takes_over = self.take_over(page, time, agree, &mut lacking);
            let Some(from) = next else {
                takes_over.await;
                break;
            };
            // The store looks for the next marks in the meantime.
            let (more, ()) = tokio::join!(news.marks(&from), takes_over);
            (next, page) = more?;
        }
        let mut lacking: Vec<_> = lacking
            .into_iter()
            .map(|(mark, at)| (mark.to_text(), at))
            .collect();
        // In the same order each time, for the sake of simulations.
        lacking.sort_unstable();
        self.link.advance(&lacking, false).await?;
        Ok(Begun { place, last, asked })
    }

    /// Takes over a page of what the store had at a time, by its clock, and strikes it off what the
    /// store lacks. If the clocks do not agree nothing is old.
    async fn take_over(
        &self,
        page: Vec<Stored>,
        time: u64,
        agree: bool,
        lacking: &mut HashMap<RevocationKey, u64>,
    ) {
        for some in page.chunks(AT_ONCE) {
            let raises = some.iter().filter_map(|stored| {
                let age = if agree {
                    time.saturating_sub(stored.latest)
                } else {
                    0
                };
                let is_old = age > KEPT;
                if is_old && lacking.is_empty() {
                    return None;
                }
                let mark = RevocationKey::parse(stored.mark())?;
                if lacking.get(&mark).is_some_and(|at| *at <= stored.at) {
                    lacking.remove(&mark);
                }
                let at = stored.at;
                (!is_old).then_some(Raise { mark, at, age })
            });
            self.local.forget(&self.raise(&raises.collect::<Vec<_>>()));
            tokio::task::yield_now().await;
        }
    }

    /// Removes what no living token can be older than, again and again.
    async fn prune(&self) -> Infallible {
        loop {
            if let Err(lost) = self.prune_once().await {
                tracing::debug!(error = %lost, "old marks could not be removed");
            }
            sleep(ROUND).await;
        }
    }

    async fn prune_once(&self) -> Result<(), StoreConnectionError> {
        if !self.compare_clocks(self.link.time().await?) {
            return Ok(());
        }
        let mut cursor = "0".to_owned();
        while let Some(next) = self.link.prune(&cursor, KEPT, PRUNING).await? {
            cursor = next;
            sleep(BREATH).await;
        }
        Ok(())
    }

    /// Whether the local clock and the store's are near enough for anything to be called old.
    fn compare_clocks(&self, store: u64) -> bool {
        self.state
            .compare_clocks(store, self.clock.seconds(), self.skew)
    }

    /// A task ended by a panic, in the application's clock for one. It begins again.
    fn panicked(&self) {
        self.state.following.store(false, Ordering::Release);
        self.state
            .failed("the task that follows the shared store panicked".to_owned());
    }
}

impl Drop for Follower {
    /// However the task ends, the stream is no longer followed.
    fn drop(&mut self) {
        self.state.following.store(false, Ordering::Release);
    }
}
