//! Where the parts of a token are decoded: most need no memory of their own.

use std::mem::MaybeUninit;

use super::invalid_token::InvalidToken;

/// Room for what a token's parts decode to, while it is checked.
#[derive(Debug)]
pub(crate) struct DecodeBuffer {
    small: [MaybeUninit<u8>; SMALL],
    /// For the few tokens that are greater.
    great: Vec<u8>,
}

/// Bytes of most tokens, decoded; a token of 200 groups needs twice as many.
const SMALL: usize = 4_096;

/// What is left of a buffer.
pub(super) struct DecodeSlice<'d>(&'d mut [MaybeUninit<u8>]);

impl DecodeBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            small: [MaybeUninit::uninit(); SMALL],
            great: Vec::new(),
        }
    }

    /// Room for what is decoded of so many characters.
    pub(super) fn room(&mut self, characters: usize) -> DecodeSlice<'_> {
        // A little more than three bytes of four characters.
        if characters <= SMALL {
            return DecodeSlice(&mut self.small);
        }
        self.great = Vec::with_capacity(characters);
        DecodeSlice(self.great.spare_capacity_mut())
    }
}

impl<'d> DecodeSlice<'d> {
    /// Base64url without padding, in its one canonical spelling (RFC 7515 section 2).
    pub(super) fn decode(&mut self, part: &[u8]) -> Result<&'d [u8], InvalidToken> {
        if part.is_empty() {
            return Err(InvalidToken::Malformed);
        }
        let base64 = base64_simd::URL_SAFE_NO_PAD;
        let length = base64.estimated_decoded_length(part.len());
        let (own, rest) = std::mem::take(&mut self.0)
            .split_at_mut_checked(length)
            .ok_or(InvalidToken::Malformed)?;
        self.0 = rest;
        let own = base64_simd::Out::from_uninit_slice(own);
        base64
            .decode(part, own)
            .map(|decoded| &*decoded)
            .map_err(|_| InvalidToken::Malformed)
    }
}
