//! The request's body, read once and under a limit.

use std::future::poll_fn;
use std::pin::pin;

use axum_core::body::Body;
use futures_core::Stream;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};

/// The longest body, in bytes: an MCP message with its arguments is far shorter.
pub(super) const MAX_BODY: usize = 1_048_576;

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLong,
    /// The connection broke, or a layer outside this one stopped it.
    Broken,
}

/// A body in memory; one that came in one piece is not copied.
pub(super) enum Whole<D> {
    Empty,
    Piece(D),
    Pieces(Vec<u8>),
}

impl<D: AsRef<[u8]> + Into<Body>> Whole<D> {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Piece(piece) => piece.as_ref(),
            Self::Pieces(pieces) => pieces,
        }
    }

    /// The same bytes, for the service inside.
    pub(super) fn into_body(self) -> Body {
        match self {
            Self::Empty => Body::empty(),
            Self::Piece(piece) => piece.into(),
            Self::Pieces(pieces) => pieces.into(),
        }
    }

    fn add(self, next: D, length: usize) -> Self {
        match self {
            Self::Empty => Self::Piece(next),
            Self::Piece(piece) => {
                let mut pieces = Vec::with_capacity(length.max(FIRST_ROOM));
                pieces.extend_from_slice(piece.as_ref());
                pieces.extend_from_slice(next.as_ref());
                Self::Pieces(pieces)
            }
            Self::Pieces(mut pieces) => {
                pieces.extend_from_slice(next.as_ref());
                Self::Pieces(pieces)
            }
        }
    }
}

const FIRST_ROOM: usize = 16_384;

/// Reads a body of at most [`MAX_BODY`] bytes.
pub(super) async fn read<D, E>(stream: impl Stream<Item = Result<D, E>>) -> Result<Whole<D>, Unread>
where
    D: AsRef<[u8]> + Into<Body>,
{
    let mut stream = pin!(stream);
    let (mut whole, mut length) = (Whole::Empty, 0_usize);
    while let Some(next) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let next = next.map_err(|_| Unread::Broken)?;
        let more = next.as_ref().len();
        // Frames may be empty.
        if more == 0 {
            continue;
        }
        length = length.saturating_add(more);
        if length > MAX_BODY {
            return Err(Unread::TooLong);
        }
        whole = whole.add(next, length);
    }
    Ok(whole)
}

/// Whether `Content-Length` is beyond the limit; then nothing is read.
pub(super) fn is_too_long(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    let length = length.and_then(|value| value.to_str().ok()?.trim().parse::<u128>().ok());
    length.is_some_and(|length| length > MAX_BODY as u128)
}

/// Whether the body is in a coding that the guard cannot look through.
pub(super) fn is_encoded(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    values.any(|value| {
        let mut codings = value.as_bytes().split(|byte| *byte == b',');
        codings.any(|coding| !coding.trim_ascii().eq_ignore_ascii_case(b"identity"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    async fn length_of(body: Body) -> Result<usize, Unread> {
        read(body.into_data_stream())
            .await
            .map(|whole| whole.bytes().len())
    }

    #[tokio::test]
    async fn a_body_of_a_mebibyte_is_read_and_a_longer_one_is_not() {
        assert_eq!(length_of(Body::empty()).await, Ok(0));
        assert_eq!(
            length_of(Body::from(vec![b' '; MAX_BODY])).await,
            Ok(MAX_BODY)
        );
        let longer = Body::from(vec![b' '; MAX_BODY + 1]);
        assert_eq!(length_of(longer).await, Err(Unread::TooLong));
    }

    #[tokio::test]
    async fn pieces_are_put_together_and_counted_together() {
        let pieces = |count: usize, each: usize| {
            let piece = move |_| Ok::<_, std::io::Error>(vec![b'x'; each]);
            Body::from_stream(tokio_stream::iter((0..count).map(piece)))
        };
        assert_eq!(length_of(pieces(3, 5)).await, Ok(15));
        assert_eq!(length_of(pieces(1_000, 0)).await, Ok(0));
        assert_eq!(length_of(pieces(16, MAX_BODY / 16)).await, Ok(MAX_BODY));
        assert_eq!(
            length_of(pieces(17, MAX_BODY / 16)).await,
            Err(Unread::TooLong)
        );
        let broken = [Ok(vec![b'x']), Err(std::io::Error::other("gone"))];
        let broken = Body::from_stream(tokio_stream::iter(broken));
        assert_eq!(length_of(broken).await, Err(Unread::Broken));
    }

    #[test]
    fn a_coding_other_than_identity_is_seen() {
        let encoded = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            is_encoded(&headers)
        };
        for plain in [&[][..], &["identity"], &["Identity", "IDENTITY , identity"]] {
            assert!(!encoded(plain), "{plain:?}");
        }
        for coded in [
            &["gzip"][..],
            &["identity, gzip"],
            &["identity", "br"],
            &[""],
            &["identity;q=1"],
        ] {
            assert!(encoded(coded), "{coded:?}");
        }
    }
}
