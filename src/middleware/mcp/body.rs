//! The request's body, read once and under a limit.

use std::ops::Deref;

use axum_core::body::Body;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// The longest body, in bytes: an MCP message with its arguments is far shorter.
pub(super) const MAX_BODY: usize = 1_048_576;

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    TooLong,
    /// The connection broke, or a layer outside this one stopped it.
    Broken,
}

/// Reads a body of at most [`MAX_BODY`] bytes; one that came in one piece is not copied.
///
/// Further pieces are copied as they come: kept as they are, pieces of one byte would take many times
/// their length.
pub(super) async fn read(body: Body) -> Result<impl Deref<Target = [u8]> + Into<Body>, Unread> {
    let mut body = Limited::new(body, MAX_BODY);
    let mut first = None;
    let mut copied = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.is::<LengthLimitError>() {
            true => Unread::TooLong,
            false => Unread::Broken,
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        match &first {
            None => first = Some(data),
            Some(first) => {
                if copied.is_empty() {
                    copied.extend_from_slice(first);
                }
                copied.extend_from_slice(&data);
            }
        }
    }
    Ok(match copied.is_empty() {
        true => first.unwrap_or_default(),
        false => copied.into(),
    })
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
        read(body).await.map(|whole| whole.len())
    }

    #[tokio::test]
    async fn pieces_are_put_together_in_their_order() {
        for pieces in [
            &[][..],
            &["a"],
            &["", "a"],
            &["a", "", "b"],
            &["ab", "c", "d"],
        ] {
            let sent = pieces.iter().map(|piece| Ok::<_, std::io::Error>(*piece));
            let stream = tokio_stream::iter(sent.collect::<Vec<_>>());
            let whole = read(Body::from_stream(stream)).await.ok().unwrap();
            assert_eq!(&*whole, pieces.concat().as_bytes());
        }
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
