//! How far an authority's clock is from this machine's, by the `Date` of the authority's answers.

use std::sync::atomic::{AtomicI64, Ordering};

/// The clock of one authority, as the answers that carry its keys tell it.
///
/// Tokens carry the authority's time. A cut-off for something that happens now has to be that
/// clock's time too: by a local clock that is behind, the tokens of the last minutes would be
/// younger than their own revocation.
#[derive(Debug)]
pub(crate) struct AuthorityClock {
    name: String,
    /// How much earlier than the local clock a cut-off may become, in seconds.
    most_early: i64,
    /// The authority's clock minus the local one, as measured last.
    measured: AtomicI64,
    /// The measurement that was logged last, 0 where nothing was worth a line.
    told: AtomicI64,
}

/// No answer had a `Date` yet.
const NEVER: i64 = i64::MIN;

/// How much later than the local clock a cut-off may become, in seconds.
const MOST_LATE: i64 = 86_400;

/// From here on the operator is informed, in seconds.
const WORTH_TELLING: i64 = 30;

impl AuthorityClock {
    /// `clock_skew` is the setting `ClockSkewSeconds`.
    pub(crate) fn new(name: impl Into<String>, clock_skew: u64) -> Self {
        Self {
            name: name.into(),
            most_early: i64::try_from(clock_skew).unwrap_or(i64::MAX),
            measured: AtomicI64::new(NEVER),
            told: AtomicI64::new(0),
        }
    }

    /// Takes the time that a good answer stated, and the local time when it arrived.
    pub(crate) fn observe(&self, stated: u64, local: u64) {
        let offset = signed(stated).saturating_sub(signed(local));
        self.measured.store(offset, Ordering::Relaxed);
        let told = self.told.load(Ordering::Relaxed);
        let worth = offset.saturating_abs() > WORTH_TELLING;
        let news = worth != (told != 0)
            || self.is_ready(offset) != self.is_ready(told)
            || offset.saturating_sub(told).saturating_abs() > WORTH_TELLING;
        if !news {
            return;
        }
        self.told
            .store(if worth { offset } else { 0 }, Ordering::Relaxed);
        let (authority, clock_offset_seconds) = (&self.name, offset);
        if !self.is_ready(offset) {
            tracing::error!(
                authority,
                clock_offset_seconds,
                "the authority's clock and the local one are too far apart: cut-offs are made by \
                 the local clock"
            );
        } else if worth {
            tracing::warn!(
                authority,
                clock_offset_seconds,
                "the local clock differs from the authority's"
            );
        } else if told != 0 {
            tracing::info!(
                authority,
                clock_offset_seconds,
                "the local clock agrees with the authority's again"
            );
        }
    }

    /// The authority's clock minus the local one in seconds, as measured last; `None` before the
    /// first good answer.
    pub(crate) fn offset(&self) -> Option<i64> {
        let measured = self.measured.load(Ordering::Relaxed);
        (measured != NEVER).then_some(measured)
    }

    /// The authority's time at a local time; the local time where the measurement cannot be used.
    pub(crate) fn now(&self, local: u64) -> u64 {
        local.saturating_add_signed(self.usable())
    }

    /// The cut-off for something that happens at a local time: the next whole second of the
    /// authority's clock.
    pub(crate) fn cut_off(&self, local: u64) -> u64 {
        // A `Date` is at least what it says and at most a second more, and the answer took some
        // time: of a clock that is behind, the later end counts.
        let usable = self.usable();
        let later = usable.saturating_add(i64::from(usable < 0));
        local.saturating_add_signed(later).saturating_add(1)
    }

    fn usable(&self) -> i64 {
        self.offset()
            .filter(|offset| self.is_ready(*offset))
            .unwrap_or_default()
    }

    const fn is_ready(&self, offset: i64) -> bool {
        offset <= MOST_LATE && offset >= self.most_early.saturating_neg()
    }
}

fn signed(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(stated: u64, local: u64) -> AuthorityClock {
        let clock = AuthorityClock::new("a", 300);
        clock.observe(stated, local);
        clock
    }

    #[test]
    fn a_cut_off_is_the_next_second_of_the_authoritys_clock() {
        let table = [
            ("before any answer", None, 10_001),
            ("the same time", Some(0), 10_001),
            ("ahead", Some(120), 10_121),
            ("a day ahead", Some(86_400), 96_401),
            ("more than a day ahead", Some(86_401), 10_001),
            (
                "a second behind, which may be no difference",
                Some(-1),
                10_001,
            ),
            ("behind", Some(-120), 9_882),
            ("behind by the whole skew", Some(-300), 9_702),
            ("behind by more", Some(-301), 10_001),
        ];
        for (name, offset, cut_off) in table {
            let clock = match offset {
                Some(offset) => after(10_000_u64.saturating_add_signed(offset), 10_000),
                None => AuthorityClock::new("a", 300),
            };
            assert_eq!(clock.offset(), offset, "{name}");
            assert_eq!(clock.cut_off(10_000), cut_off, "{name}");
        }
        assert_eq!(after(u64::MAX, 0).cut_off(5), 6);
        assert_eq!(after(10_120, 10_000).now(20_000), 20_120);
        assert_eq!(after(9_000, 10_000).now(20_000), 20_000, "not to be used");
    }
}
