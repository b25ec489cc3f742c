//! Base64url (RFC 4648 section 5, RFC 7515 section 2), by another decoder over every short text.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::token::decode_buffer::DecodeBuffer;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Both say the same of a text; whether it was good.
fn agree(text: &[u8]) -> bool {
    let mut buffer = DecodeBuffer::new();
    let own = buffer
        .room(text.len())
        .decode(text)
        .ok()
        .map(<[u8]>::to_vec);
    // An empty part is malformed here (RFC 7515 has none that may be).
    let other = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .filter(|_| !text.is_empty());
    assert_eq!(own, other, "{text:?}");
    if let Some(bytes) = &own {
        // One spelling for one value: no bit is lost.
        assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(bytes).as_bytes(), text);
    }
    own.is_some()
}

#[test]
fn every_text_of_one_and_two_bytes() {
    assert!(!agree(b""));
    let good = (0..=u8::MAX).filter(|byte| agree(&[*byte])).count();
    assert_eq!(good, 0, "six bits are no byte");
    let good = (0..=u16::MAX)
        .filter(|bytes| agree(&bytes.to_be_bytes()))
        .count();
    // Four of the twelve bits must be 0.
    assert_eq!(good, 64 * 4);
}

/// The alphabet, and its neighbours: the other alphabet's letters, padding, blanks, what is beyond ASCII.
fn letters() -> Vec<u8> {
    [&ALPHABET[..], b"+/= .\n\0\x80\xff"].concat()
}

#[test]
fn every_text_of_three_letters() {
    let letters = letters();
    let mut good = 0;
    for first in &letters {
        for second in &letters {
            for third in &letters {
                good += u32::from(agree(&[*first, *second, *third]));
            }
        }
    }
    // Two of the eighteen bits must be 0.
    assert_eq!(good, 64 * 64 * 16);
}

#[test]
fn every_pair_at_every_end_of_texts_that_are_decoded_many_bytes_at_a_time() {
    let letters = letters();
    for length in (0..=20).chain([30, 31, 32, 33, 46, 47, 48, 62, 63, 64, 65]) {
        let body: Vec<u8> = (0..length).map(|place| ALPHABET[place * 7 % 64]).collect();
        for first in &letters {
            for second in &letters {
                agree(&[&body[..], &[*first, *second]].concat());
            }
        }
    }
}

#[test]
fn every_byte_at_every_place_of_longer_texts() {
    for length in [4, 16, 17, 32, 34, 63, 64, 66, 128] {
        for place in 0..length {
            for byte in 0..=u8::MAX {
                let mut text = vec![b'A'; length];
                text[place] = byte;
                agree(&text);
            }
        }
    }
}
