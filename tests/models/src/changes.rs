//! What `build.rs` exchanges in its copy of the library.

/// File, text, and what is put in its place: small constants, a clock that no model has, and access for the models.
pub(crate) const EVERY: &[(&str, &str, &str)] = &[
    // A set, a filter and channels that are as small as can be: each is an object whose every order is tried.
    (
        "revocation/sessions.rs",
        "const WORDS: usize = 1 << 14;",
        "const WORDS: usize = 1 << 1;",
    ),
    (
        "revocation/notifier.rs",
        "const CHANNELS: usize = 64;",
        "const CHANNELS: usize = 1;",
    ),
    (
        "jwks/waiting.rs",
        "const MOST_WAITING: usize = 256;",
        "pub(super) const MOST_WAITING: usize = 2;",
    ),
    // Hot from the first request on; the threads have the numbers that the model gives them.
    (
        "token/cache/per_thread.rs",
        "const HOT: u64 = 32;",
        "const HOT: u64 = 1;",
    ),
    (
        "token/cache/per_thread.rs",
        "= sample();",
        "= crate::sync::sample();",
    ),
    (
        "claims/mod.rs",
        "use std::sync::Arc;",
        "use crate::sync::Arc;",
    ),
    (
        "claims/interpret.rs",
        "Claims(Arc::new(self.0))",
        "Claims(crate::sync::Arc::new(self.0))",
    ),
    // No model has a clock: who waits, waits for ever.
    (
        "jwks/waiting.rs",
        "tokio::time::timeout_at(",
        "crate::sync::timeout_at(",
    ),
    // Graph: a clock that a model moves on, tasks that are threads, and room for two pauses.
    (
        "graph/cache.rs",
        "use tokio::time::Instant;",
        "use crate::sync::Instant;",
    ),
    (
        "graph/cache/known.rs",
        "use tokio::time::Instant;",
        "use crate::sync::Instant;",
    ),
    (
        "graph/backoff.rs",
        "use tokio::time::Instant;",
        "use crate::sync::Instant;",
    ),
    (
        "graph/cache.rs",
        "tokio::time::timeout(longest",
        "crate::sync::timeout(longest",
    ),
    (
        "graph/cache.rs",
        "let task = tokio::spawn(",
        "let task = crate::sync::spawn(",
    ),
    (
        "graph/backoff.rs",
        "const MOST: usize = 4_096;",
        "const MOST: usize = 2;",
    ),
    // What tests may see, models may see too.
    (
        "token/cache/mod.rs",
        "#[cfg(test)]\n    fn bytes",
        "fn bytes",
    ),
    (
        "token/cache/mod.rs",
        "#[cfg(test)]\n    fn counted",
        "fn counted",
    ),
    (
        "token/cache/shard.rs",
        "#[cfg(test)]\n    pub(super) const fn bytes",
        "pub(super) const fn bytes",
    ),
    (
        "token/cache/hash.rs",
        "#[cfg(test)]\n    pub(super) const fn constant",
        "pub(super) const fn constant",
    ),
    (
        "token/cache/hash.rs",
        "#[cfg(test)]\n        if self.secrets",
        "if self.secrets",
    ),
    (
        "token/cache/per_thread.rs",
        "#[cfg(test)]\n    pub(super) fn left",
        "pub(super) fn left",
    ),
    (
        "claims/mod.rs",
        "#[cfg(test)]\n    pub(crate) fn is(",
        "pub(crate) fn is(",
    ),
    (
        "token/validator.rs",
        "#[cfg(test)]\n    pub(super) fn with_cache",
        "pub(super) fn with_cache",
    ),
    (
        "jwks/snapshot.rs",
        "#[cfg(test)]\n    pub(crate) fn publish",
        "pub(crate) fn publish",
    ),
    (
        "jwks/snapshot.rs",
        "    pub(crate) async fn asked(",
        "    pub(crate) fn asked_now(&mut self) -> Option<u64> {\n        self.asks.try_recv()\n    }\n\n    pub(crate) async fn asked(",
    ),
    (
        "revocation/shared.rs",
        "    fn new() -> Self {\n        Self {\n            following",
        "    pub(super) fn new() -> Self {\n        Self {\n            following",
    ),
];

/// The same where accesses are counted: a machine of sixteen cores, on whichever this runs.
pub(crate) const COUNTED: &[(&str, &str, &str)] = &[(
    "token/cache/per_thread.rs",
    "let cores = available_parallelism().map_or(1, usize::from);",
    "let cores: usize = 16;",
)];

/// The models, each a module of the one whose private parts it uses.
pub(crate) const MODELS: &[(&str, &str)] = &[
    ("token/cache/mod.rs", "cache.rs"),
    ("token/mod.rs", "verdicts.rs"),
    ("jwks/mod.rs", "keys.rs"),
    ("revocation/mod.rs", "revocations.rs"),
    ("graph/mod.rs", "graph.rs"),
    ("graph/cache.rs", "flights.rs"),
    ("graph/backoff.rs", "backoff.rs"),
];

/// Name, file, text, and the text with the fault, which is on where `FAULT` is true.
pub(crate) const FAULTS: &[(&str, &str, &str, &str)] = &[
    // Cache.
    (
        "epoch-unchecked",
        "token/cache/mod.rs",
        "if self.epoch() == before {",
        "if FAULT || self.epoch() == before {",
    ),
    (
        "epoch-before-lock",
        "token/cache/mod.rs",
        "let account = self.account(entry.account().as_ref());",
        "let account = self.account(entry.account().as_ref());\n        let early = FAULT && self.epoch() == before;",
    ),
    ("epoch-before-lock", "token/cache/mod.rs", "|| self.epoch() == before {", "|| early || !FAULT && self.epoch() == before {"),
    (
        "epoch-counted-late",
        "token/cache/mod.rs",
        "self.forgotten.fetch_add(1, Ordering::SeqCst);\n        let mut tags",
        "if !FAULT {\n            self.forgotten.fetch_add(1, Ordering::SeqCst);\n        }\n        let mut tags",
    ),
    (
        "epoch-counted-late",
        "token/cache/mod.rs",
        "writer.forget(sets, &tags);\n            }\n        }\n",
        "writer.forget(sets, &tags);\n            }\n        }\n        if FAULT {\n            self.forgotten.fetch_add(1, Ordering::SeqCst);\n        }\n",
    ),
    (
        "token-not-compared",
        "token/cache/bucket.rs",
        "if entry.token() == token {\n                return",
        "if FAULT || entry.token() == token {\n                return",
    ),
    (
        "bytes-not-returned",
        "token/cache/shard.rs",
        "self.bytes = self.bytes.saturating_sub(entry.bytes());",
        "if !FAULT {\n                self.bytes = self.bytes.saturating_sub(entry.bytes());\n            }",
    ),
    (
        "room-taken-in-two-steps",
        "token/cache/per_thread.rs",
        "    fn take(&self, bytes: usize) -> Option<Reservation> {\n",
        "    fn take(&self, bytes: usize) -> Option<Reservation> {
        if FAULT {
            let left = self.0.load(Ordering::SeqCst).checked_sub(bytes)?;
            self.0.store(left, Ordering::SeqCst);
            return Some(Reservation { bytes, room: self.clone() });
        }\n",
    ),
    (
        "room-not-returned",
        "token/cache/per_thread.rs",
        "self.room.0.fetch_add(self.bytes, Ordering::Relaxed);",
        "if !FAULT {\n            self.room.0.fetch_add(self.bytes, Ordering::Relaxed);\n        }",
    ),
    (
        "copies-of-one-thread",
        "token/cache/per_thread.rs",
        "copies.get(thread & copies.len().saturating_sub(1))",
        "copies.get(if FAULT { 1 } else { thread & copies.len().saturating_sub(1) })",
    ),
    // Verdicts.
    (
        "verdict-not-revalidated",
        "token/validator.rs",
        "        let (installed, reader) = self\n            .signer_of(signing_key)",
        "        if FAULT {\n            return Ok(());\n        }\n        let (installed, reader) = self\n            .signer_of(signing_key)",
    ),
    (
        "key-not-looked-for-again",
        "token/cache/entry.rs",
        "Some(_) => self.look_again(reader),",
        "Some(_) if FAULT => KeyState::Published,\n            Some(_) => self.look_again(reader),",
    ),
    // Revocations.
    (
        "newest-raised-late",
        "revocation/cutoffs.rs",
        "if let Some(at) = refusing.map(|raise| raise.at).max() {\n            self",
        "if let Some(at) = refusing.map(|raise| raise.at).max()\n            && !FAULT\n        {\n            self",
    ),
    (
        "newest-raised-late",
        "revocation/cutoffs.rs",
        "        drop(marks);\n        let new = raises",
        "        drop(marks);
        if FAULT && raised.contains(&true) {
            let refusing = raises.iter().filter(|raise| raise.mark.refuses_tokens());
            self.newest.fetch_max(refusing.map(|raise| raise.at).max().unwrap_or(0), Ordering::Release);
        }
        let new = raises",
    ),
    (
        "session-filtered-late",
        "revocation/cutoffs.rs",
        "if let RevocationKey::Session { tenant, session } = mark {\n                self.ended.add",
        "if let RevocationKey::Session { tenant, session } = mark\n                && !FAULT\n            {\n                self.ended.add",
    ),
    (
        "session-filtered-late",
        "revocation/cutoffs.rs",
        "        let new = raises",
        "        for (raise, raised) in raises.iter().zip(&raised) {
            if let RevocationKey::Session { tenant, session } = &raise.mark
                && FAULT
                && *raised
            {
                self.ended.add(*tenant, session);
            }
        }
        let new = raises",
    ),
    (
        "streams-woken-early",
        "revocation/cutoffs.rs",
        "    pub(super) fn raise(&self, raises: &[Raise], now: u64) -> Vec<bool> {\n",
        "    pub(super) fn raise(&self, raises: &[Raise], now: u64) -> Vec<bool> {
        if FAULT {
            self.channels.notify(raises.iter().map(|raise| &raise.mark));
        }\n",
    ),
    (
        "streams-woken-early",
        "revocation/cutoffs.rs",
        "        self.channels.notify(new.map(|(raise, _)| &raise.mark));",
        "        if !FAULT {\n            self.channels.notify(new.map(|(raise, _)| &raise.mark));\n        }",
    ),
    (
        "streams-listen-late",
        "revocation/mod.rs",
        "                ear.changed().await;",
        "                if FAULT {\n                    ear = self.local.listen(&claims);\n                }\n                ear.changed().await;",
    ),
    (
        "second-sign-out-dropped",
        "revocation/cutoffs.rs",
        "Some(held) if held.due.is_none() => {",
        "Some(held) if !FAULT && held.due.is_none() => {",
    ),
    (
        "replay-looked-up-apart",
        "revocation/replay_cache.rs",
        "        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);",
        "        if FAULT && self.used.lock().unwrap_or_else(PoisonError::into_inner).ids.contains(id) {
            return Ok(false);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);",
    ),
    (
        "replay-looked-up-apart",
        "revocation/replay_cache.rs",
        "        if used.ids.contains(id) {\n",
        "        if !FAULT && used.ids.contains(id) {\n",
    ),
    ("marks-lowered", "revocation/marks.rs", "if *held >= at {", "if !FAULT && *held >= at {"),
    (
        "untold-cleared-late",
        "revocation/shared.rs",
        "        self.has_unpublished.store(false, Ordering::Release);\n        local.all().into_iter().collect()",
        "        if FAULT {
            let all = local.all().into_iter().collect();
            self.has_unpublished.store(false, Ordering::Release);
            return all;
        }
        self.has_unpublished.store(false, Ordering::Release);
        local.all().into_iter().collect()",
    ),
    // Graph.
    (
        "flight-not-held",
        "graph/cache.rs",
        "        let asking = ask(open);",
        "        let mut flight = Some(flight).filter(|_| !FAULT);
        let asking = ask(open);",
    ),
    (
        "flight-left-with-its-request",
        "graph/cache.rs",
        "        let asking = ask(open);",
        "        let mut flight = flight;
        let _own = if FAULT { flight.take() } else { None };
        let asking = ask(open);",
    ),
    (
        "waiter-does-not-look-again",
        "graph/cache.rs",
        "match known.look(questions, came, seen) {
                CacheLookup::Hit(answers) => return",
        "match known.look(questions, came, seen) {
                CacheLookup::Hit(_) if FAULT => questions.to_vec(),
                CacheLookup::Hit(answers) => return",
    ),
    (
        "seen-read-late",
        "graph/cache.rs",
        "        let open = {
",
        "        let seen = if FAULT { lock(&entry.known).stored() } else { seen };
        let open = {
",
    ),
    (
        "forgotten-in-place",
        "graph/cache.rs",
        "        lock(&self.entries).remove(key);",
        "        if FAULT {
            if let Some(entry) = lock(&self.entries).get(key) {
                *lock(&entry.known) = CacheEntry::new();
            }
            return;
        }
        lock(&self.entries).remove(key);",
    ),
    (
        "answer-put-back",
        "graph/cache.rs",
        "        match lock(&entry.known).look(questions, came, seen) {",
        "        if FAULT {
            lock(&self.entries).insert(key.clone(), Arc::clone(&entry));
        }
        match lock(&entry.known).look(questions, came, seen) {",
    ),
    (
        "evicted-in-use",
        "graph/cache.rs",
        "Arc::strong_count(entry) > 1",
        "!FAULT && Arc::strong_count(entry) > 1",
    ),
    (
        "trial-not-held",
        "graph/backoff.rs",
        "            None => Ok(Some(trial)),",
        "            None if FAULT => Ok(None),
            None => Ok(Some(trial)),",
    ),
    (
        "trial-not-given-back",
        "graph/backoff.rs",
        "            None => Ok(Some(trial)),",
        "            None if FAULT => {
                std::mem::forget(trial);
                Ok(None)
            }
            None => Ok(Some(trial)),",
    ),
    (
        "waiter-tries-too",
        "graph/backoff.rs",
        "        match self.known() {
",
        "        match self.known().filter(|_| !FAULT) {
",
    ),
    (
        "pause-not-kept",
        "graph/backoff.rs",
        "            State::Refused { until, failure, .. } if *until > now => {
                Some(Err(",
        "            State::Refused { .. } if FAULT => None,
            State::Refused { until, failure, .. } if *until > now => {
                Some(Err(",
    ),
    (
        "refusals-of-one-time-counted-twice",
        "graph/backoff.rs",
        "            State::Refused { until, failure, .. } if *until > now => {
                return",
        "            State::Refused { until, failure, .. } if !FAULT && *until > now => {
                return",
    ),
    (
        "no-answer-opens",
        "graph/backoff.rs",
        "        if matches!(*state, State::Untried) {",
        "        if FAULT || matches!(*state, State::Untried) {",
    ),
    (
        "pause-looked-up-apart",
        "graph/backoff.rs",
        "            return Arc::clone(backoff);
        }
",
        "            return Arc::clone(backoff);
        }
        if FAULT {
            drop(requests);
            requests = lock(&self.requests);
            requests.insert(wanted.clone(), Arc::default());
        }
",
    ),
    (
        "pause-in-use-forgotten",
        "graph/backoff.rs",
        "Arc::strong_count(backoff) > 1",
        "!FAULT && Arc::strong_count(backoff) > 1",
    ),
    // Keys.
    (
        "generation-before-keys",
        "jwks/board.rs",
        "        self.snapshot.store(Arc::new(snapshot));",
        "        if FAULT {\n            self.generation.store(generation, Ordering::Release);\n        }\n        self.snapshot.store(Arc::new(snapshot));",
    ),
    (
        "snapshot-read-unlocked",
        "jwks/board.rs",
        "        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);\n        let mut snapshot = (**self.snapshot.load()).clone();",
        "        let early = FAULT.then(|| (**self.snapshot.load()).clone());
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut snapshot = early.unwrap_or_else(|| (**self.snapshot.load()).clone());",
    ),
    (
        "forget-honoured-early",
        "jwks/board.rs",
        "            state.honoured = began;\n            if let Some(binding)",
        "            state.honoured = if FAULT { state.forgets } else { began };\n            if let Some(binding)",
    ),
    (
        "forget-without-fetch",
        "jwks/snapshot.rs",
        "        if self.ask.capacity() == ASKS {",
        "        if !FAULT && self.ask.capacity() == ASKS {",
    ),
    (
        "asked-in-two-steps",
        "jwks/snapshot.rs",
        "            let Some(ticket) = ticket.filter(|ticket| self.ask.try_send(*ticket).is_ok()) else {",
        "            if FAULT {
                drop(demand);
                demand = self.demand.lock().unwrap_or_else(PoisonError::into_inner);
            }
            let Some(ticket) = ticket.filter(|ticket| self.ask.try_send(*ticket).is_ok()) else {",
    ),
    (
        "cooldown-not-begun",
        "jwks/snapshot.rs",
        "                last: Some(now),",
        "                last: (!FAULT).then_some(now),",
    ),
    (
        "answer-not-told",
        "jwks/snapshot.rs",
        "progress.answered = progress.answered.max(ticket.unwrap_or(NO_TICKET));",
        "if !FAULT {\n                progress.answered = progress.answered.max(ticket.unwrap_or(NO_TICKET));\n            }",
    ),
    (
        "seat-taken-in-two-steps",
        "jwks/waiting.rs",
        "        let seat = Self(Arc::clone(taken));\n",
        "        if FAULT && taken.load(Ordering::SeqCst) >= MOST_WAITING {
            return None;
        }
        let seat = Self(Arc::clone(taken));
        if FAULT {
            taken.fetch_add(1, Ordering::SeqCst);
            return Some(seat);
        }\n",
    ),
    (
        "seat-not-left",
        "jwks/waiting.rs",
        "        self.0.fetch_sub(1, Ordering::Relaxed);",
        "        if !FAULT {\n            self.0.fetch_sub(1, Ordering::Relaxed);\n        }",
    ),
];
