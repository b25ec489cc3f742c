//! Answers about accounts that replicas share, wherever they are kept.

use std::fmt;

use super::store::Answer;
use crate::claims::AccountId;

/// When what was kept of an account was forgotten: by its cut-off, its sign-out, and otherwise.
///
/// These are the times of marks, which are the same on every replica that has the marks. An answer
/// that was asked for under the same times is not older than any of them, whatever the clocks say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ForgottenAt(pub(crate) [u64; 3]);

impl ForgottenAt {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|time| time.to_be_bytes()).collect()
    }
}

/// A store that replicas share answers over. It may be written to by others, so nothing is to be
/// believed for being there.
pub(crate) trait AnswerStore: fmt::Debug + Send + Sync {
    /// Has what is kept of an account removed from here on when a mark forgets it.
    fn begin(&self);

    /// When what was kept of an account was forgotten, as far as it is known here. `None` while
    /// others may know more, while a sign-out waits to be published, and while this replica's clock
    /// is not the store's: no answer is shared then.
    fn forgotten_at(&self, account: &AccountId) -> Option<ForgottenAt>;

    /// What is kept of an account under each of some names.
    fn read(&self, account: &AccountId, names: Vec<String>) -> Answer<Vec<Option<Vec<u8>>>>;

    /// Keeps entries of an account under their names, for so many seconds at least.
    fn write(
        &self,
        account: &AccountId,
        entries: Vec<(String, Vec<u8>)>,
        seconds: u64,
    ) -> Answer<()>;

    /// Removes what is kept of an account, soon and if it can be: nothing rests on that.
    fn remove(&self, account: &AccountId);
}

/// An answer's age is counted by two replicas' clocks: one that is further from the store's, in
/// seconds, shares none.
pub(crate) const MOST_APART: u64 = 30;
