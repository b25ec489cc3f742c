//! GUIDs as Entra writes them.

use uuid::Uuid;

/// The tenant of personal Microsoft accounts (outlook.com, hotmail.com, live.com).
///
/// Source: Microsoft, "Access token claims reference", claims `iss` and `tid`.
pub const CONSUMERS_TENANT_ID: Uuid = Uuid::from_u128(0x9188_040d_6c67_4c5b_b112_36a3_04b6_6dad);

/// Reads a GUID in its 8-4-4-4-12 form, in either letter case, and in no other form.
///
/// `uuid` also reads braces, `urn:uuid:` and bare digits; a token's `tid` has none of them.
pub(crate) fn parse_guid(text: &str) -> Option<Uuid> {
    (text.len() == 36)
        .then(|| Uuid::try_parse_ascii(text.as_bytes()).ok())
        .flatten()
}

/// Whether two ids are the same: GUIDs without letter case, other names as they are.
pub(crate) fn same_id(left: &str, right: &str) -> bool {
    left == right || (left.eq_ignore_ascii_case(right) && parse_guid(left).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_a_guid() {
        let guid = "11111111-1111-4111-8111-11111111111A";
        assert!(parse_guid(guid).is_some());
        assert!(parse_guid(&guid.to_lowercase()).is_some());
        for other in [
            "",
            "1111111111114111811111111111111a",
            "{11111111-1111-4111-8111-11111111111a}",
            "urn:uuid:11111111-1111-4111-8111-11111111111a",
            "fa15d692-e9c7-4460-a743-29f29522229",
            "11111111-1111-4111-8111-11111111111g",
            "111111111-111-4111-8111-11111111111a",
        ] {
            assert!(parse_guid(other).is_none(), "{other}");
        }
    }

    #[test]
    fn letter_case_is_folded_for_guids_alone() {
        assert!(same_id(
            "AAAAAAAA-0000-4000-8000-000000000001",
            "aaaaaaaa-0000-4000-8000-000000000001"
        ));
        assert!(same_id("Sales", "Sales"));
        assert!(!same_id("Sales", "sales"));
    }
}
