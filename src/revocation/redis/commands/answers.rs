//! Answers that replicas share: a hash for each account.

use redis::cmd;

use super::{RedisClient, StoreConnectionError};

/// A guard of an application could name ever new groups.
const MOST_ANSWERS: usize = 1_024;

impl RedisClient {
    /// What is kept of an account under each of some names.
    pub(in crate::revocation) async fn answers(
        &self,
        account: &str,
        names: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StoreConnectionError> {
        let mut get = cmd("HMGET");
        get.arg(self.answers_of(account)).arg(names);
        self.run(&get).await
    }

    /// Keeps entries of an account, and all its others with them, for so many seconds.
    pub(in crate::revocation) async fn keep_answers(
        &self,
        account: &str,
        entries: &[(String, Vec<u8>)],
        seconds: u64,
    ) -> Result<(), StoreConnectionError> {
        let mut keep = self.keep.prepare_invoke();
        keep.key(self.answers_of(account));
        keep.arg(MOST_ANSWERS).arg(seconds);
        for (name, entry) in entries {
            keep.arg(name).arg(entry.as_slice());
        }
        self.invoke(&keep).await
    }

    /// Removes what is kept of an account.
    pub(in crate::revocation) async fn remove_answers(
        &self,
        account: &str,
    ) -> Result<(), StoreConnectionError> {
        let mut unlink = cmd("UNLINK");
        unlink.arg(self.answers_of(account));
        self.run(&unlink).await
    }

    fn answers_of(&self, account: &str) -> String {
        format!("{}{account}", self.answers)
    }
}
