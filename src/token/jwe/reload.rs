//! Key files that change while the program runs.

use std::sync::Arc;
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::time::{MissedTickBehavior, interval};

use super::DecryptionKeys;
use super::key::{LoadedKey, TokenDecryptionKey};
use crate::config_error::ConfigError;
use crate::jwks::sha256;

/// Where all keys come from, and what was read there last.
#[derive(Debug)]
pub(crate) struct KeyFileWatcher(Vec<Watched>);

/// One source of keys.
#[derive(Debug)]
struct Watched {
    description: TokenDecryptionKey,
    keys: Vec<Arc<LoadedKey>>,
    /// SHA-256 of the content that was tried last, whether it was good or not.
    tried: Option<[u8; 32]>,
    /// The last attempt failed and the log says so.
    told: bool,
}

/// How often files are read. They are small, and their size and times do not tell every change.
const INTERVAL: Duration = Duration::from_secs(5);

impl DecryptionKeys {
    /// Reads all keys; `None` for none.
    ///
    /// # Errors
    /// [`ConfigError`], for the first that cannot be used.
    pub(crate) fn load(
        descriptions: Vec<TokenDecryptionKey>,
    ) -> Result<Option<(Arc<Self>, KeyFileWatcher)>, ConfigError> {
        let watched = descriptions.into_iter().map(|description| {
            let content = description.content()?;
            Ok(Watched {
                keys: loaded(&description, &content)?,
                tried: Some(sha256(&content)),
                description,
                told: false,
            })
        });
        let watcher = KeyFileWatcher(watched.collect::<Result<_, ConfigError>>()?);
        let keys = watcher.keys();
        Ok((!keys.is_empty()).then(|| (Arc::new(Self::new(keys)), watcher)))
    }
}

fn loaded(
    description: &TokenDecryptionKey,
    content: &Zeroizing<Vec<u8>>,
) -> Result<Vec<Arc<LoadedKey>>, ConfigError> {
    let keys = description.load(content)?;
    Ok(keys.into_iter().map(Arc::new).collect())
}

impl KeyFileWatcher {
    /// Whether there is a file to watch.
    pub(crate) fn has_files(&self) -> bool {
        self.0.iter().any(|one| one.description.path().is_some())
    }

    /// Reads the files again and again, and publishes what has changed, until the keys have no
    /// other owner. `forget` is called where a key is gone.
    pub(crate) async fn run(mut self, keys: Arc<DecryptionKeys>, forget: impl Fn() + Send) {
        let keys = {
            let weak = Arc::downgrade(&keys);
            drop(keys);
            weak
        };
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if keys.strong_count() == 0 {
                return;
            }
            // Opening a PKCS#12 file takes a while, and disks may be slow.
            let reading = tokio::task::spawn_blocking(move || {
                let changed = self.read_again();
                (self, changed)
            });
            let Ok((watcher, changed)) = reading.await else {
                tracing::error!("the task that reads token decryption keys panicked");
                return;
            };
            self = watcher;
            let Some(keys) = keys.upgrade() else { return };
            if changed && keys.replace(self.keys()) {
                forget();
            }
        }
    }

    fn keys(&self) -> Vec<Arc<LoadedKey>> {
        let keys = self.0.iter().flat_map(|one| &one.keys);
        keys.cloned().collect()
    }

    /// Reads every file; whether the keys of one are others.
    fn read_again(&mut self) -> bool {
        let files = self.0.iter_mut();
        let files = files.filter(|one| one.description.path().is_some());
        let mut changed = false;
        for file in files {
            changed |= file.read_again();
        }
        changed
    }
}

impl Watched {
    fn read_again(&mut self) -> bool {
        let path = self.description.path();
        let path = path.map(|path| path.display().to_string());
        let path = path.unwrap_or_default();
        let read = self.description.content().and_then(|content| {
            let hash = sha256(&content);
            if self.tried.replace(hash) == Some(hash) {
                return Ok(None);
            }
            loaded(&self.description, &content).map(Some)
        });
        match read {
            Ok(None) => false,
            Ok(Some(keys)) => {
                tracing::info!(path, keys = keys.len(), "token decryption keys read again");
                self.told = false;
                self.keys = keys;
                true
            }
            Err(error) => {
                if !self.told {
                    tracing::error!(path, %error, "a file of token decryption keys cannot be used: the keys read before stay in use");
                }
                self.told = true;
                false
            }
        }
    }
}
