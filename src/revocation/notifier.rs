//! Wakes the streams that a revocation may concern, and few others.

use std::hash::{BuildHasher, Hash};

use uuid::Uuid;

use crate::claims::{AccountId, Claims};
use crate::sync::{RandomState, watch};

use super::event::{AccountKey, RevocationKey};

/// One bell for many accounts and sessions. A client that ends a session without proof, as a
/// browser's logout does, wakes about one stream of twenty, and not all of them.
#[derive(Debug)]
pub(super) struct RevocationNotifier {
    hasher: RandomState,
    bells: Box<[watch::Sender<()>]>,
}

/// One for each bit of a word.
const BELLS: usize = 64;

impl Default for RevocationNotifier {
    fn default() -> Self {
        let bell = || watch::Sender::new(());
        Self {
            hasher: RandomState::new(),
            bells: std::iter::repeat_with(bell).take(BELLS).collect(),
        }
    }
}

impl RevocationNotifier {
    /// Wakes those who listen for one of these accounts and sessions; each bell rings once.
    pub(super) fn notify<'m>(&self, marks: impl IntoIterator<Item = &'m RevocationKey>) {
        let bells = marks.into_iter().fold(0_u64, |bells, mark| {
            let bell = match mark {
                RevocationKey::Account(account) | RevocationKey::SignedOut(account) => {
                    Some(self.of_account(account))
                }
                // Ends nothing that is open.
                RevocationKey::Forgotten(_) | RevocationKey::Lifted(_) => None,
                RevocationKey::Session { tenant, session } => {
                    Some(self.of_session(*tenant, session))
                }
            };
            bells | bell.map_or(0, |bell| 1 << bell)
        });
        for (number, bell) in self.bells.iter().enumerate() {
            if bells >> number & 1 == 1 {
                bell.send_replace(());
            }
        }
    }

    /// Listens for the account of a token, by both of its names, and for its session.
    pub(super) fn listen(&self, claims: &Claims) -> Subscription {
        let account = |account: Option<AccountId>| Some(self.of_account(&account?));
        let session = || Some(self.of_session(claims.tenant_id()?, claims.session_id()?));
        let hears = |bell: Option<usize>| self.bells.get(bell?).map(watch::Sender::subscribe);
        Subscription {
            account: hears(account(claims.account_id())),
            subject: hears(account(claims.subject_key())),
            session: hears(session()),
        }
    }

    fn of_account(&self, account: &AccountId) -> usize {
        self.of(AccountKey::from(account))
    }

    fn of_session(&self, tenant: Uuid, session: &str) -> usize {
        self.of((tenant, session))
    }

    /// The number of a bell, less than [`BELLS`].
    fn of(&self, key: impl Hash) -> usize {
        let [hash, ..] = self.hasher.hash_one(key).to_le_bytes();
        usize::from(hash) % BELLS
    }
}

/// Hears what may concern one token, and now and then what does not.
pub(super) struct Subscription {
    account: Option<watch::Receiver<()>>,
    subject: Option<watch::Receiver<()>>,
    session: Option<watch::Receiver<()>>,
}

impl Subscription {
    /// Completes at the next ring, or at one since the last time.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            () = next(&mut self.account) => {}
            () = next(&mut self.subject) => {}
            () = next(&mut self.session) => {}
        }
    }
}

async fn next(bell: &mut Option<watch::Receiver<()>>) {
    let Some(hears) = bell else {
        return std::future::pending().await;
    };
    if hears.changed().await.is_err() {
        // The bells are gone, which ring no more.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::raw::RawClaims;

    fn claims(members: &str) -> Claims {
        let json = format!("{{\"exp\":1,{members}}}");
        let draft = RawClaims::parse(json.as_bytes()).unwrap();
        let tenant = Some(Uuid::from_u128(7));
        draft.interpret().unwrap().into_claims(tenant, None, None)
    }

    async fn hears(ear: &mut Subscription) -> bool {
        let moment = std::time::Duration::from_millis(1);
        tokio::time::timeout(moment, ear.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_hears_of_its_account_by_both_names_and_of_its_session() {
        let bells = RevocationNotifier::default();
        let claims = claims(r#""iss":"i","sub":"s","oid":"o","sid":"d""#);
        let mut ear = bells.listen(&claims);
        assert!(!hears(&mut ear).await);
        for mark in [
            RevocationKey::Account(claims.account_id().unwrap()),
            RevocationKey::Account(claims.subject_key().unwrap()),
            RevocationKey::SignedOut(claims.account_id().unwrap()),
            RevocationKey::Session {
                tenant: Uuid::from_u128(7),
                session: "d".into(),
            },
        ] {
            bells.notify([&mark]);
            assert!(hears(&mut ear).await, "{mark:?}");
            // More than once where two of its three bells are the same.
            let again = usize::from(hears(&mut ear).await) + usize::from(hears(&mut ear).await);
            assert!(again <= 2 && !hears(&mut ear).await);
        }
        bells.notify([&RevocationKey::Account(claims.account_id().unwrap())]);
        drop(bells);
        assert!(hears(&mut ear).await, "what rang before the end");
        while hears(&mut ear).await {}
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_session_wakes_few() {
        let bells = RevocationNotifier::default();
        let mut woken = 0;
        let mut ears: Vec<Subscription> = (0..1_000)
            .map(|user| bells.listen(&claims(&format!("\"oid\":\"{user}\",\"sid\":\"s{user}\""))))
            .collect();
        bells.notify([&RevocationKey::Session {
            tenant: Uuid::from_u128(7),
            session: "invented".into(),
        }]);
        for ear in &mut ears {
            woken += usize::from(hears(ear).await);
        }
        // Of 64 bells each listens to two or three; 47 at the most are expected.
        assert!(woken < 120, "{woken}");
    }
}
