//! Wakes the streams that a revocation may concern, and few others.

use std::hash::{BuildHasher, Hash};

use uuid::Uuid;

use crate::claims::{AccountId, Claims};
use crate::sync::{RandomState, watch};

use super::event::{AccountKey, RevocationKey};

/// One channel for many accounts and sessions. A client that ends a session without proof, as a
/// browser's logout does, wakes about one stream of twenty, and not all of them.
#[derive(Debug)]
pub(super) struct RevocationNotifier {
    hasher: RandomState,
    channels: Box<[watch::Sender<()>]>,
}

/// One for each bit of a word.
const CHANNELS: usize = 64;

impl Default for RevocationNotifier {
    fn default() -> Self {
        let channel = || watch::Sender::new(());
        Self {
            hasher: RandomState::new(),
            channels: std::iter::repeat_with(channel).take(CHANNELS).collect(),
        }
    }
}

impl RevocationNotifier {
    /// Wakes those who listen for one of these accounts and sessions; each channel once.
    pub(super) fn notify<'m>(&self, marks: impl IntoIterator<Item = &'m RevocationKey>) {
        let channels = marks.into_iter().fold(0_u64, |channels, mark| {
            let channel = match mark {
                RevocationKey::Account(account) | RevocationKey::SignedOut(account) => {
                    Some(self.of_account(account))
                }
                // Ends nothing that is open.
                RevocationKey::Forgotten(_) | RevocationKey::Lifted(_) => None,
                RevocationKey::Session { tenant, session } => {
                    Some(self.of_session(*tenant, session))
                }
            };
            channels | channel.map_or(0, |channel| 1 << channel)
        });
        for (number, channel) in self.channels.iter().enumerate() {
            if channels >> number & 1 == 1 {
                channel.send_replace(());
            }
        }
    }

    /// Listens for the account of a token, by both of its names, and for its session.
    pub(super) fn listen(&self, claims: &Claims) -> Subscription {
        let account = |account: Option<AccountId>| Some(self.of_account(&account?));
        let session = || Some(self.of_session(claims.tenant_id()?, claims.session_id()?));
        let receiver =
            |channel: Option<usize>| self.channels.get(channel?).map(watch::Sender::subscribe);
        Subscription {
            account: receiver(account(claims.account_id())),
            subject: receiver(account(claims.subject_key())),
            session: receiver(session()),
        }
    }

    fn of_account(&self, account: &AccountId) -> usize {
        self.of(AccountKey::from(account))
    }

    fn of_session(&self, tenant: Uuid, session: &str) -> usize {
        self.of((tenant, session))
    }

    /// The number of a channel, less than [`CHANNELS`].
    fn of(&self, key: impl Hash) -> usize {
        let [hash, ..] = self.hasher.hash_one(key).to_le_bytes();
        usize::from(hash) % CHANNELS
    }
}

/// Hears what may concern one token, and now and then what does not.
pub(super) struct Subscription {
    account: Option<watch::Receiver<()>>,
    subject: Option<watch::Receiver<()>>,
    session: Option<watch::Receiver<()>>,
}

impl Subscription {
    /// Completes at the next notification, or at one since the last time.
    pub(super) async fn changed(&mut self) {
        tokio::select! {
            () = next(&mut self.account) => {}
            () = next(&mut self.subject) => {}
            () = next(&mut self.session) => {}
        }
    }
}

async fn next(channel: &mut Option<watch::Receiver<()>>) {
    let Some(receiver) = channel else {
        return std::future::pending().await;
    };
    if receiver.changed().await.is_err() {
        // The channels are gone, and notify no more.
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

    async fn receiver(ear: &mut Subscription) -> bool {
        let moment = std::time::Duration::from_millis(1);
        tokio::time::timeout(moment, ear.changed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_hears_of_its_account_by_both_names_and_of_its_session() {
        let channels = RevocationNotifier::default();
        let claims = claims(r#""iss":"i","sub":"s","oid":"o","sid":"d""#);
        let mut ear = channels.listen(&claims);
        assert!(!receiver(&mut ear).await);
        for mark in [
            RevocationKey::Account(claims.account_id().unwrap()),
            RevocationKey::Account(claims.subject_key().unwrap()),
            RevocationKey::SignedOut(claims.account_id().unwrap()),
            RevocationKey::Session {
                tenant: Uuid::from_u128(7),
                session: "d".into(),
            },
        ] {
            channels.notify([&mark]);
            assert!(receiver(&mut ear).await, "{mark:?}");
            // More than once where two of its three channels are the same.
            let again =
                usize::from(receiver(&mut ear).await) + usize::from(receiver(&mut ear).await);
            assert!(again <= 2 && !receiver(&mut ear).await);
        }
        channels.notify([&RevocationKey::Account(claims.account_id().unwrap())]);
        drop(channels);
        assert!(receiver(&mut ear).await, "what rang before the end");
        while receiver(&mut ear).await {}
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_session_wakes_few() {
        let channels = RevocationNotifier::default();
        let mut woken = 0;
        let mut ears: Vec<Subscription> = (0..1_000)
            .map(|user| {
                channels.listen(&claims(&format!("\"oid\":\"{user}\",\"sid\":\"s{user}\"")))
            })
            .collect();
        channels.notify([&RevocationKey::Session {
            tenant: Uuid::from_u128(7),
            session: "invented".into(),
        }]);
        for ear in &mut ears {
            woken += usize::from(receiver(ear).await);
        }
        // Of 64 channels each listens to two or three; 47 at the most are expected.
        assert!(woken < 120, "{woken}");
    }
}
