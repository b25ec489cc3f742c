//! The company's own error body, with the same status and the same challenge.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use axum_entra::Rejection;
use serde_json::json;

// ANCHOR: map
/// Given to `EntraBuilder::map_rejection`; status and `WWW-Authenticate` stay, since clients act on them.
pub(crate) fn in_company_form(rejection: &Rejection, usual: Response) -> Response {
    let (mut head, usual) = usual.into_parts();
    // gRPC callers and `HEAD` have no body to replace.
    let is_problem = head.headers.get(header::CONTENT_TYPE)
        == Some(&HeaderValue::from_static("application/problem+json"));
    if !is_problem {
        return Response::from_parts(head, usual);
    }
    let body = json!({
        "code": rejection.reason(),
        "message": rejection.detail(),
        "help": "https://help.example/api/refusals",
    });
    let json = HeaderValue::from_static("application/json");
    head.headers.insert(header::CONTENT_TYPE, json);
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, body.to_string().into())
}
// ANCHOR_END: map

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test stops at the first surprise"
    )]

    use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
    use entra_emulator::Emulator;

    use super::in_company_form;
    use crate::asked::{json, request, send, trusting};
    use crate::per_method;

    #[tokio::test]
    async fn the_body_is_the_companys_and_the_challenge_stays() {
        let emulator = Emulator::start().await.unwrap();
        let builder = trusting(&emulator, &[]);
        let usual = per_method::app(&builder.build().unwrap());
        let builder = trusting(&emulator, &[]).map_rejection(in_company_form);
        let own = per_method::app(&builder.build().unwrap());
        let poor = emulator.token().scope("Other");
        let late = emulator.token().expired();
        for (token, code) in [
            (None, "missing_token"),
            (Some(&late), "expired"),
            (Some(&poor), "scope"),
        ] {
            let ask = || request("GET /todos", token);
            let (before, after) = (send(&usual, ask()).await, send(&own, ask()).await);
            assert_eq!(before.status(), after.status());
            let challenge = &after.headers()[WWW_AUTHENTICATE];
            assert_eq!(challenge, before.headers()[WWW_AUTHENTICATE]);
            assert_eq!(after.headers()[CONTENT_TYPE], "application/json");
            assert_eq!(json(after).await["code"], code);
        }
    }
}
