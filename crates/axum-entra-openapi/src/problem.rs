//! The bodies of refusals (RFC 9457), as a schema and as answers.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// The name of the problem bodies' schema among the document's components.
pub const PROBLEM_SCHEMA_NAME: &str = "EntraProblem";

/// The schema: what every refusal of this crate's layers says.
pub(super) fn schema() -> RefOr<Schema> {
    let text = |about: &str| {
        ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .description(Some(about))
    };
    let object = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::Object))
        .description(Some("Why a request was rejected (RFC 9457)."))
        .property(
            "type",
            text("Always about:blank: the status says the kind."),
        )
        .property("title", text("The status in words."))
        .property(
            "status",
            ObjectBuilder::new()
                .schema_type(SchemaType::Type(Type::Integer))
                .minimum(Some(400.0))
                .maximum(Some(599.0)),
        )
        .property("detail", text("A sentence for people."))
        .property(
            "error",
            text("The error code, that of RFC 6750 where it has one.").enum_values(Some(ERRORS)),
        )
        .property("reason", text("The stable code of what exactly was wrong."));
    let object = ["type", "title", "status", "detail", "error", "reason"]
        .into_iter()
        .fold(object, ObjectBuilder::required);
    RefOr::T(Schema::Object(object.build()))
}

/// An answer with a problem body, with a challenge or without one.
pub(super) fn answer(description: impl Into<String>, has_challenge: bool) -> Response {
    let body = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(PROBLEM_SCHEMA_NAME)))
        .build();
    let answer = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", body);
    if !has_challenge {
        return answer.build();
    }
    let challenge = HeaderBuilder::new()
        .schema(Some(
            ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)),
        ))
        .description(Some("A Bearer challenge (RFC 6750 section 3)."))
        .build();
    answer.header("WWW-Authenticate", challenge).build()
}

/// Every `error` of the layers' answers, as in `middleware/rejection.rs`.
const ERRORS: [&str; 9] = [
    "missing_token",
    "invalid_request",
    "invalid_token",
    "insufficient_scope",
    "forbidden",
    "insufficient_claims",
    "not_found",
    "temporarily_unavailable",
    "server_error",
];
