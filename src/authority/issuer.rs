//! Issuers: exact texts, and texts with a place for a tenant's id.

use uuid::Uuid;

use crate::guid::parse_guid;

/// What Entra writes in its own documents where a tenant's id belongs.
pub(crate) const TENANT_PLACEHOLDER: &str = "{tenantid}";

/// What stands for a policy's name in the key under which an issuer is looked up.
const POLICY_PLACE: &str = "{policy}";

/// An issuer, exactly, or for every tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssuerPattern {
    text: Box<str>,
    is_template: bool,
}

impl IssuerPattern {
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        Self {
            is_template: text.contains(TENANT_PLACEHOLDER),
            text,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern with its place filled; as it is where it has none.
    pub(crate) fn for_tenant(&self, tenant: Uuid) -> Self {
        Self::new(
            self.text
                .replace(TENANT_PLACEHOLDER, &tenant.hyphenated().to_string()),
        )
    }

    pub(crate) const fn is_template(&self) -> bool {
        self.is_template
    }

    /// Whether an issuer is this one, byte for byte; a place is filled by a GUID in lower case.
    pub(crate) fn matches(&self, issuer: &str) -> bool {
        if *self.text == *issuer {
            return !self.is_template();
        }
        self.tenant_in(issuer)
            .is_some_and(|tenant| self.is_filled(tenant, issuer))
    }

    /// Whether an issuer is this template with a tenant in every place. Nothing is allocated: it is
    /// asked for each new token, and for each key that may have signed it.
    fn is_filled(&self, tenant: Uuid, issuer: &str) -> bool {
        let mut buffer = Uuid::encode_buffer();
        let tenant: &str = tenant.hyphenated().encode_lower(&mut buffer);
        let mut between = self.text.split(TENANT_PLACEHOLDER);
        let first = between.next().unwrap_or_default();
        let rest = between.try_fold(issuer.strip_prefix(first), |rest, text| {
            Some(rest?.strip_prefix(tenant)?.strip_prefix(text))
        });
        rest.flatten() == Some("")
    }

    /// What stands in this template's first place; `None` for an exact issuer.
    fn tenant_in(&self, issuer: &str) -> Option<Uuid> {
        let start = self.text.find(TENANT_PLACEHOLDER)?;
        parse_guid(issuer.get(start..start.checked_add(36)?)?)
    }

    /// Whether a document may state `stated`: this very text; or, where the tenant is read from the
    /// document which tenant it speaks for, one that fits.
    pub(crate) fn allows_statement(&self, stated: &str, tenant_from_discovery: bool) -> bool {
        *self.text == *stated || (tenant_from_discovery && self.matches(stated))
    }

    /// The same for B2C, whose documents spell the policy in a letter case of their own.
    pub(crate) fn allows_policy_statement(
        &self,
        stated: &str,
        tenant_from_discovery: bool,
    ) -> bool {
        let own = Self::new(with_small_policy(&self.text));
        own.allows_statement(&with_small_policy(stated), tenant_from_discovery)
    }
}

/// `/tfp/{tenant}/{policy}/` with the policy in lower case.
fn with_small_policy(issuer: &str) -> String {
    let Some((start, rest)) = issuer.split_once("/tfp/") else {
        return issuer.to_owned();
    };
    let mut segments: Vec<String> = rest.split('/').map(str::to_owned).collect();
    if let Some(policy) = segments.get_mut(1) {
        policy.make_ascii_lowercase();
    }
    format!("{start}/tfp/{}", segments.join("/"))
}

/// The first GUID in a text and where it begins.
pub(crate) fn first_guid(text: &str) -> Option<(usize, Uuid)> {
    // A GUID stands behind `//` or `/`; nothing else needs to be tried.
    text.match_indices('/').find_map(|(slash, _)| {
        let start = slash.checked_add(1)?;
        let guid = parse_guid(text.get(start..start.checked_add(36)?)?)?;
        Some((start, guid))
    })
}

/// The same issuer with places for its tenant and policy: what templates are looked up by.
///
/// `https://host/tfp/{guid}/b2c_1_susi/v2.0/` becomes `https://host/tfp/{tenantid}/{policy}/v2.0/`.
pub(crate) fn lookup_key(issuer: &str) -> Option<(String, Uuid)> {
    let (start, tenant) = first_guid(issuer)?;
    let guid = issuer.get(start..start.checked_add(36)?)?;
    let mut key = issuer.replace(guid, TENANT_PLACEHOLDER);
    if let Some((before, after)) = key.split_once("/tfp/{tenantid}/")
        && let Some((_, rest)) = after.split_once('/')
    {
        key = format!("{before}/tfp/{TENANT_PLACEHOLDER}/{POLICY_PLACE}/{rest}");
    }
    Some((key, tenant))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        /// Against the template with its places replaced, for texts that nearly fit.
        #[test]
        fn a_template_is_compared_as_if_its_places_were_replaced(
            template in prop::collection::vec(prop_oneof!["[ab/{}]{0,3}", Just(TENANT_PLACEHOLDER.to_owned())], 0..5),
            tenant in any::<u128>(),
            change in prop_oneof![Just(""), Just("x"), Just("-"), Just("A")],
            place in 0_usize..80,
        ) {
            let template = template.concat();
            let pattern = IssuerPattern::new(template.as_str());
            let tenant = Uuid::from_u128(tenant);
            let filled = template.replace(TENANT_PLACEHOLDER, &tenant.hyphenated().to_string());
            let mut issuer = filled.clone();
            issuer.insert_str(place.min(issuer.len()), change);
            let places = template.contains(TENANT_PLACEHOLDER);
            prop_assert_eq!(pattern.is_filled(tenant, &issuer), issuer == filled);
            prop_assert_eq!(pattern.matches(&filled), filled != template || !places);
        }
    }

    use super::*;

    const V2: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const T: &str = "fa15d692-e9c7-4460-a743-29f2956fd429";

    fn filled(template: &str) -> String {
        template.replace(TENANT_PLACEHOLDER, T)
    }

    #[test]
    fn a_template_takes_one_guid_in_lower_case_and_nothing_else() {
        let template = IssuerPattern::new(V2);
        assert!(template.matches(&filled(V2)));
        for bad in [
            V2.to_owned(),
            filled(V2).replace("v2.0", "v2.0/"),
            filled(V2).replace(T, &T.to_uppercase()),
            filled(V2).replace(T, "fa15d692-e9c7-4460-a743-29f29522229"),
            filled(V2).replace("https", "http"),
            format!("{}x", filled(V2)),
            filled(V2).replace(".com/", ".com//"),
            String::new(),
        ] {
            assert!(!template.matches(&bad), "{bad}");
        }
    }

    #[test]
    fn both_places_of_an_external_id_issuer_hold_the_same_tenant() {
        let template = IssuerPattern::new("https://{tenantid}.ciamlogin.com/{tenantid}/v2.0");
        let good = filled(template.as_str());
        assert!(template.matches(&good));
        let mixed = good.replacen(T, "11111111-1111-4111-8111-111111111111", 1);
        assert!(!template.matches(&mixed));
    }

    #[test]
    fn issuers_of_one_shape_share_a_key() {
        let key = |issuer: &str| lookup_key(issuer).map(|(key, _)| key);
        assert_eq!(key(&filled(V2)).as_deref(), Some(V2));
        let tfp = format!("https://c.b2clogin.com/tfp/{T}/b2c_1_susi/v2.0/");
        assert_eq!(
            key(&tfp).as_deref(),
            Some("https://c.b2clogin.com/tfp/{tenantid}/{policy}/v2.0/")
        );
        assert_eq!(key("https://login.microsoftonline.com/common/v2.0"), None);
        assert_eq!(key(""), None);
    }
}
