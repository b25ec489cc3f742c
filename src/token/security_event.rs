//! Security events (RFC 8417) of the Continuous Access Evaluation Profile.

use serde_json::Value;
use uuid::Uuid;

use crate::authority::ResolvedTransmitter;
use crate::authority::issuer::first_guid;
use crate::claims::AccountId;
use crate::guid::parse_guid;

use super::invalid_token::InvalidToken;
use super::logout::SessionTermination;
use super::signed_message::{SignedMessage, whole};

/// Events after which older tokens say something that is not true any more.
///
/// Source: OpenID Continuous Access Evaluation Profile 1.0 sections 3.1 to 3.3.
const KNOWN: [&str; 3] = [
    "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
    "https://schemas.openid.net/secevent/caep/event-type/credential-change",
    "https://schemas.openid.net/secevent/caep/event-type/token-claims-change",
];

/// Clocks of transmitters are this far apart at most.
const SKEW: u64 = 300;

/// More events than any transmitter puts into one message.
const MOST_EVENTS: usize = 16;

impl SignedMessage {
    /// What the events of a message end; nothing for events that are of no matter here.
    ///
    /// # Errors
    /// [`InvalidToken`] also where a known event's subject cannot be determined: it must not pass for
    /// done.
    pub(crate) fn security_events(
        &self,
        signals: &ResolvedTransmitter,
        now: u64,
    ) -> Result<Vec<SessionTermination>, InvalidToken> {
        self.check_audience(|audience| signals.audiences.iter().any(|own| own == audience))?;
        let issued_at = self.check_times(SKEW, now)?;
        let events = self.get("events").and_then(Value::as_object);
        let events = events
            .filter(|events| !events.is_empty() && events.len() <= MOST_EVENTS)
            .ok_or(InvalidToken::Malformed)?;
        // RFC 8417 section 2.2: it distinguishes one message from another, and is never absent.
        self.text("jti").ok_or(InvalidToken::Malformed)?;
        let known = events
            .iter()
            .filter(|(name, _)| KNOWN.contains(&name.as_str()));
        known
            .map(|(_, event)| {
                // Before the final framework the subject stood in the event.
                let subject = self.get("sub_id").or_else(|| event.get("subject"));
                let mut named = EventSubject::default();
                named.read(subject.ok_or(InvalidToken::Malformed)?);
                // Tokens issued between the event and the message are good.
                let at = event.get("event_timestamp").and_then(whole);
                let at = at.or_else(|| self.get("toe").and_then(whole));
                let at = at.unwrap_or(issued_at);
                // Not later than its message either, or each repetition would end more.
                let latest = now.min(issued_at.saturating_add(SKEW));
                let at = if at > now.saturating_add(SKEW) {
                    latest
                } else {
                    at
                };
                named.ended(at).ok_or(InvalidToken::Malformed)
            })
            .collect()
    }
}

/// The account that a subject names (RFC 9493, and "complex" subjects of the framework's section 3).
#[derive(Debug, Default)]
struct EventSubject<'s> {
    issuer_subject: Option<(&'s str, &'s str)>,
    user: Option<&'s str>,
    tenant: Option<&'s str>,
    session: Option<&'s str>,
}

impl<'s> EventSubject<'s> {
    fn read(&mut self, subject: &'s Value) {
        let member = |value: &'s Value, name: &str| value.get(name).and_then(Value::as_str);
        match member(subject, "format").unwrap_or_default() {
            "iss_sub" => {
                self.issuer_subject = member(subject, "iss").zip(member(subject, "sub"));
            }
            "opaque" => self.user = member(subject, "id"),
            "complex" => {
                let of = |name: &str| subject.get(name);
                if let Some(user) = of("user") {
                    match member(user, "format").unwrap_or_default() {
                        "iss_sub" | "opaque" => self.read(user),
                        _ => {}
                    }
                }
                self.tenant = of("tenant").and_then(|tenant| member(tenant, "id"));
                self.session = of("session").and_then(|session| member(session, "id"));
            }
            // An address or a number can be reassigned, so it does not identify an account here.
            _ => {}
        }
    }

    fn ended(&self, at: u64) -> Option<SessionTermination> {
        let stated = self.tenant.and_then(parse_guid);
        let of_issuer = self
            .issuer_subject
            .and_then(|(issuer, _)| first_guid(issuer))
            .map(|(_, tenant)| tenant);
        let tenant: Option<Uuid> = stated.or(of_issuer);
        let mut accounts = Vec::new();
        if let Some((issuer, subject)) = self.issuer_subject.filter(|(_, sub)| !sub.is_empty()) {
            accounts.push(AccountId::Subject {
                issuer: issuer.into(),
                subject: subject.into(),
            });
        }
        let id = self.user.or(self.issuer_subject.map(|(_, sub)| sub));
        if let (Some(tenant), Some(object)) = (tenant, id.and_then(parse_guid)) {
            accounts.push(AccountId::Entra {
                tenant_id: tenant,
                object_id: object,
            });
        }
        let session = tenant.zip(self.session.map(str::to_owned));
        (!accounts.is_empty() || session.is_some()).then_some(SessionTermination {
            // Most access tokens do not say which session they are of: where the account is
            // named, all its tokens are revoked, and the other sessions renew silently.
            all_sessions: true,
            accounts,
            session,
            at,
        })
    }
}
