//! Logout tokens (OpenID Connect Back-Channel Logout 1.0).

use uuid::Uuid;

use crate::authority::ResolvedAuthority;
use crate::authority::issuer::first_guid;
use crate::claims::AccountId;
use crate::guid::parse_guid;

use super::invalid_token::InvalidToken;
use super::signed_message::SignedMessage;

/// What ended, and when: what has to be refused from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionTermination {
    /// Every key under which the account may be known.
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) session: Option<(Uuid, String)>,
    /// Whether it ends all of the account's sessions, or that one.
    pub(crate) all_sessions: bool,
    /// When it happened, by its author's clock: a message that comes twice, or late, refuses no
    /// token that was issued after it.
    pub(crate) at: u64,
}

/// The time of an event by its author's clock; one that is further ahead than clocks may be apart
/// counts as now.
pub(super) const fn not_ahead(at: u64, skew: u64, now: u64) -> u64 {
    if at > now.saturating_add(skew) {
        now
    } else {
        at
    }
}

/// The one event of a logout token (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl SignedMessage {
    /// The checks of section 2.6 behind that of the signature.
    pub(crate) fn logout(
        &self,
        trust: &ResolvedAuthority,
        now: u64,
    ) -> Result<SessionTermination, InvalidToken> {
        let ours = |audience: &str| {
            audience == trust.client_id || trust.audiences.iter().any(|own| own == audience)
        };
        self.check_audience(ours)?;
        if self.get("exp").is_none() {
            return Err(InvalidToken::Malformed);
        }
        let issued_at = self.check_times(trust.clock_skew, now)?;
        let at = not_ahead(
            issued_at.saturating_add(trust.backdate.seconds()),
            trust.clock_skew,
            trust.clock.now(now),
        );
        let event = self.get("events").and_then(|events| events.get(EVENT));
        // An id token has a nonce; one of them must not do for the other.
        if self.text("jti").is_none()
            || !event.is_some_and(serde_json::Value::is_object)
            || self.get("nonce").is_some()
        {
            return Err(InvalidToken::Malformed);
        }
        let tenant = first_guid(&self.issuer).map(|(_, tenant)| tenant);
        if tenant.is_some_and(|tenant| !trust.allows_tenant(tenant)) {
            return Err(InvalidToken::TenantNotAllowed);
        }
        let mut accounts = Vec::new();
        if let Some(subject) = self.text("sub") {
            accounts.push(AccountId::Subject {
                issuer: self.issuer.as_str().into(),
                subject: subject.into(),
            });
        }
        if let (Some(tenant), Some(object)) = (tenant, self.text("oid").and_then(parse_guid)) {
            accounts.push(AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            });
        }
        let session = tenant.zip(self.text("sid").map(str::to_owned));
        if accounts.is_empty() && session.is_none() {
            return Err(InvalidToken::Malformed);
        }
        Ok(SessionTermination {
            accounts,
            all_sessions: session.is_none(),
            session,
            at,
        })
    }
}
