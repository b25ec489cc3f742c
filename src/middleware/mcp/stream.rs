//! Streams of events that stay open longer than a request, and end with their token.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum_core::body::Body;
use axum_core::response::Response;
use http::header::CONTENT_TYPE;
use http_body::{Body as HttpBody, Frame};
use pin_project_lite::pin_project;

use super::super::expiry::TokenExpiry;

/// The answer; a stream of events in it ends when the token does.
pub(super) fn until(expiry: TokenExpiry, response: Response) -> Response {
    let stated = response.headers().get(CONTENT_TYPE);
    let is_stream = stated.is_some_and(|stated| {
        let essence = stated.as_bytes().split(|byte| *byte == b';').next();
        essence.is_some_and(|text| text.trim_ascii().eq_ignore_ascii_case(EVENT_STREAM))
    });
    match is_stream {
        true => response.map(|body| {
            let is_over = false;
            Body::new(UntilExpiry {
                body,
                expiry,
                is_over,
            })
        }),
        false => response,
    }
}

pin_project! {
    struct UntilExpiry {
        #[pin]
        body: Body,
        #[pin]
        expiry: TokenExpiry,
        is_over: bool,
    }
}

impl HttpBody for UntilExpiry {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let own = self.project();
        *own.is_over = *own.is_over || own.expiry.poll(context).is_ready();
        match *own.is_over {
            true => Poll::Ready(None),
            false => own.body.poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.body.is_end_stream()
    }
}

const EVENT_STREAM: &[u8] = b"text/event-stream";
