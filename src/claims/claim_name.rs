//! The claims this crate knows by name, and where their values stand.

use super::groups::SpanRange;
use super::raw::Malformed;
use super::span::Span;

/// What stands behind a member's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// There is no such member, or it is `null`, which counts as absence.
    Absent,
    /// A string, without its quotes and with its escapes resolved.
    Text(Span),
    /// Any other JSON value, as it is written.
    Json(Span),
}

macro_rules! names {
    ($($variant:ident = $name:literal,)+) => {
        /// The claims this crate knows by name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::enum_variant_names, reason = "some claims are names")]
        pub(crate) enum Name { $($variant),+ }

        impl Name {
            pub(crate) const COUNT: usize = [$(Name::$variant),+].len();

            pub(super) fn known(text: &[u8]) -> Option<Self> {
                match text {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }

            #[cfg(test)]
            pub(super) const ALL: [(Name, &'static [u8]); Self::COUNT] = [$((Name::$variant, $name)),+];
        }
    };
}

names! {
    Audience = b"aud",
    Issuer = b"iss",
    Tenant = b"tid",
    ExpiresAt = b"exp",
    NotBefore = b"nbf",
    IssuedAt = b"iat",
    Version = b"ver",
    Subject = b"sub",
    Object = b"oid",
    IdentityProvider = b"idp",
    AuthorizedParty = b"azp",
    AuthorizedPartyStrength = b"azpacr",
    AppId = b"appid",
    AppIdStrength = b"appidacr",
    Scopes = b"scp",
    Roles = b"roles",
    Groups = b"groups",
    HasGroups = b"hasgroups",
    DistributedClaims = b"_claim_names",
    DirectoryRoles = b"wids",
    Methods = b"amr",
    ContextClass = b"acr",
    AuthContexts = b"acrs",
    ClientCapabilities = b"xms_cc",
    IdentityType = b"idtyp",
    AccountStatus = b"acct",
    AuthTime = b"auth_time",
    Policy = b"tfp",
    Confirmation = b"cnf",
    SessionId = b"sid",
    TokenId = b"uti",
    JwtId = b"jti",
    ReuseData = b"aio",
    ReuseHash = b"rh",
    DisplayName = b"name",
    PreferredUsername = b"preferred_username",
    UniqueName = b"unique_name",
    Upn = b"upn",
    Email = b"email",
    FamilyName = b"family_name",
    GivenName = b"given_name",
    Nickname = b"nickname",
    IpAddress = b"ipaddr",
    OnPremisesSid = b"onprem_sid",
    PasswordExpiry = b"pwd_exp",
    PasswordUrl = b"pwd_url",
    InCorporateNetwork = b"in_corp",
    LoginHint = b"login_hint",
    ActorFacets = b"xms_act_fct",
    SubjectFacets = b"xms_sub_fct",
    Relations = b"xms_idrel",
    Blueprint = b"xms_par_app_azp",
    CodeHash = b"c_hash",
    AccessTokenHash = b"at_hash",
}

/// The values of the claims that have a name here, of which few are in one token; and every other
/// span of the same text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Values {
    /// For each name the place of its value, counted from 1; 0 where it is absent.
    places: [u8; Name::COUNT],
    /// The values, and behind them the elements of lists.
    spans: Vec<Span>,
}

/// In a value's start: that it is JSON other than a string. Texts are shorter than this.
const JSON: u32 = 1 << 31;

/// Values, elements and other members of most tokens.
const USUAL_SPANS: usize = 56;

impl Default for Values {
    fn default() -> Self {
        Self {
            places: [0; Name::COUNT],
            spans: Vec::with_capacity(USUAL_SPANS),
        }
    }
}

impl Values {
    #[inline]
    pub(crate) fn of(&self, name: Name) -> Value {
        let place = self.places.get(name as usize).copied().unwrap_or_default();
        let place = usize::from(place).checked_sub(1);
        match place.and_then(|place| self.spans.get(place).copied()) {
            None => Value::Absent,
            Some(span) if span.start & JSON == 0 => Value::Text(span),
            Some(span) => Value::Json(without_mark(span)),
        }
    }

    /// The elements of a list.
    #[inline]
    pub(super) fn list(&self, listing: SpanRange) -> &[Span] {
        self.spans.get(listing.range()).unwrap_or_default()
    }

    /// Without the room for more, to be kept.
    pub(super) fn shrunk(mut self) -> Self {
        self.spans.shrink_to_fit();
        self
    }

    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val::<[Span]>(&self.spans)
    }

    pub(super) fn set(&mut self, name: Name, value: Value) -> Result<(), Malformed> {
        let span = match value {
            Value::Absent => return Ok(()),
            Value::Text(span) => span,
            Value::Json(span) => Span {
                start: span.start | JSON,
                ..span
            },
        };
        self.spans.push(span);
        let place = u8::try_from(self.spans.len()).map_err(|_| Malformed)?;
        *self.places.get_mut(name as usize).ok_or(Malformed)? = place;
        Ok(())
    }

    /// Makes a value absent; its text is not copied any more.
    pub(super) fn remove(&mut self, name: Name) {
        let Some(place) = self.places.get_mut(name as usize) else {
            return;
        };
        let place = usize::from(std::mem::take(place)).checked_sub(1);
        if let Some(span) = place.and_then(|place| self.spans.get_mut(place)) {
            *span = Span { start: 0, end: 0 };
        }
    }

    /// How long the values' texts are together. To be asked before there are lists.
    pub(super) fn length(&self) -> usize {
        let spans = self.spans.iter();
        spans.map(|span| without_mark(*span).length()).sum()
    }

    /// Moves the values into another text. To be done before there are lists.
    pub(super) fn move_to(&mut self, from: &str, to: &mut String) -> Result<(), Malformed> {
        for span in &mut self.spans {
            let mark = span.start & JSON;
            let mut moved = without_mark(*span);
            moved.move_to(from, to)?;
            moved.start |= mark;
            *span = moved;
        }
        Ok(())
    }

    /// Where the next list begins.
    pub(super) fn end(&self) -> usize {
        self.spans.len()
    }

    /// Adds an element to the last list.
    pub(super) fn push(&mut self, element: Span) {
        self.spans.push(element);
    }

    /// Puts another element in the place of one.
    pub(super) fn put(&mut self, place: usize, element: Span) -> Result<(), Malformed> {
        *self.spans.get_mut(place).ok_or(Malformed)? = element;
        Ok(())
    }

    /// The list of what was pushed since `end` was `start`.
    pub(super) fn since(&self, start: usize) -> Result<SpanRange, Malformed> {
        SpanRange::of(start, self.spans.len()).ok_or(Malformed)
    }
}

const fn without_mark(span: Span) -> Span {
    Span {
        start: span.start & !JSON,
        ..span
    }
}
