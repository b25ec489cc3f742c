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

    /// 8-4-4-4-12, without the `uuid` crate.
    fn is_guid(text: &str) -> bool {
        let parts: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let digit = |letter: char| "0123456789abcdefABCDEF".contains(letter);
        lengths == [8, 4, 4, 4, 12] && parts.iter().all(|part| part.chars().all(digit))
    }

    #[test]
    fn every_text_that_differs_from_a_guid_in_two_places_is_one_or_not() {
        const GUID: &str = "0a1B2c3D-4e5F-6789-abCD-ef0123456789";
        let check = |bytes: &[u8]| {
            let Ok(text) = std::str::from_utf8(bytes) else {
                return false;
            };
            let read = parse_guid(text);
            assert_eq!(read.is_some(), is_guid(text), "{text:?}");
            if let Some(guid) = read {
                assert!(guid.to_string().eq_ignore_ascii_case(text), "{text}");
            }
            read.is_some()
        };
        let with = |place: usize, byte: u8| {
            let mut text = GUID.as_bytes().to_vec();
            text[place] = byte;
            text
        };
        let mut good = 0;
        for place in 0..GUID.len() {
            good += (0..=u8::MAX)
                .filter(|byte| check(&with(place, *byte)))
                .count();
            // One letter more or less.
            let mut text = GUID.as_bytes().to_vec();
            text.remove(place);
            check(&text);
            for byte in *b"0aAgG-{}: " {
                let mut text = GUID.as_bytes().to_vec();
                text.insert(place, byte);
                check(&text);
                for other in 0..GUID.len() {
                    for second in *b"0aAgG-{}: " {
                        let mut text = with(place, byte);
                        text[other] = second;
                        check(&text);
                    }
                }
            }
        }
        // 32 digits of 22 values each, and four hyphens.
        assert_eq!(good, 32 * 22 + 4);
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
