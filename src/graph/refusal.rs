//! What a token endpoint means by a refusal: for the user, for an administrator, or for this API.
//!
//! Sources: RFC 6749 section 5.2; Microsoft, "Microsoft Entra authentication and authorization
//! error codes" and "OAuth 2.0 On-Behalf-Of flow", section "Error response".

use serde_json::Value;

use super::error::GraphError;
use super::http::printable;
use super::request_error::GraphRequestError;
use super::token_endpoint::Grant;
use crate::transport::HttpAnswer;

/// Who can do something about a refusal.
#[derive(Debug)]
pub(super) enum ValidationFailure {
    /// The caller or an administrator of the tenant: another attempt does not help.
    Caller(GraphError),
    /// Who runs this API: every caller gets the same.
    Api {
        failure: GraphRequestError,
        /// It is the credential that is refused, and so everything that is asked for with it.
        credential: bool,
    },
    /// Waiting is enough; no action is needed.
    Later(GraphRequestError),
}

/// The body of a refusal.
struct Body {
    error: String,
    suberror: String,
    numbers: Vec<u64>,
    claims: Option<String>,
}

/// Reads an answer that is no success.
pub(super) fn read(
    call: &'static str,
    answer: &HttpAnswer,
    scopes: &str,
    grant: Grant<'_>,
) -> ValidationFailure {
    let body = Body::read(&answer.body);
    let status = answer.status.as_u16();
    let code = body.code();
    if !answer.status.is_client_error() || matches!(status, 408 | 429) {
        return ValidationFailure::Later(GraphRequestError::Status { call, status, code });
    }
    if let Grant::OnBehalfOf(_) = grant
        && let Some(error) = body.for_the_caller(scopes)
    {
        tracing::warn!(
            code,
            error = %error,
            "the authority gives out no token on the caller's behalf"
        );
        return ValidationFailure::Caller(error);
    }
    ValidationFailure::Api {
        failure: GraphRequestError::Refused { call, code },
        credential: body.error == "invalid_client"
            && (body.numbers.is_empty() || body.has(&CREDENTIAL)),
    }
}

impl Body {
    /// Member by member, since a body that holds one of another type is a refusal all the same.
    fn read(json: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(json).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let listed = body.get("error_codes").and_then(Value::as_array);
        let mut numbers: Vec<u64> = listed
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .take(MOST_NUMBERS)
            .collect();
        if numbers.is_empty() {
            numbers.extend(text("error_description").and_then(number_in));
        }
        Self {
            error: text("error").unwrap_or_default().to_owned(),
            suberror: text("suberror").unwrap_or_default().to_owned(),
            numbers,
            claims: text("claims")
                .filter(|claims| is_challenge(claims))
                .map(str::to_owned),
        }
    }

    fn has(&self, numbers: &[u64]) -> bool {
        self.numbers.iter().any(|own| numbers.contains(own))
    }

    /// The permanent refusals of on-behalf-of, in the order in which they are tried.
    fn for_the_caller(&self, scopes: &str) -> Option<GraphError> {
        let consent = "consent_required";
        if self.error == consent || self.suberror == consent || self.has(&[NO_CONSENT]) {
            return Some(GraphError::ConsentRequired {
                scopes: scopes.to_owned(),
            });
        }
        if self.suberror == "message_only" || self.has(&[NOT_ASSIGNED, BLOCKED]) {
            return Some(GraphError::Refused);
        }
        let signs_in = ["invalid_grant", "interaction_required", "login_required"];
        if self.claims.is_some() || signs_in.contains(&&*self.error) {
            return Some(GraphError::InteractionRequired {
                claims: self.claims.clone(),
            });
        }
        None
    }

    /// For the log: the error, and what Entra counts it by.
    fn code(&self) -> String {
        let mut code = printable(&self.error);
        for number in &self.numbers {
            code.push_str(&format!(" AADSTS{number}"));
        }
        code
    }
}

/// The number in `AADSTS50076: Due to …`.
fn number_in(description: &str) -> Option<u64> {
    let (_, rest) = description.split_once("AADSTS")?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
}

/// A JSON object of a size that fits into a header.
fn is_challenge(claims: &str) -> bool {
    claims.len() <= MOST_CLAIMS
        && serde_json::from_str::<serde_json::Map<String, Value>>(claims).is_ok()
}

/// The user or an administrator has not consented.
const NO_CONSENT: u64 = 65_001;

/// The signed-in user is not assigned to a role for the application.
const NOT_ASSIGNED: u64 = 50_105;

/// Access was blocked by a Conditional Access policy.
const BLOCKED: u64 = 53_003;

/// Of `invalid_client`, those that concern the credential whatever is asked for: a secret that is
/// wrong (7000215) or has expired (7000222), a certificate that is not registered (700027), an
/// assertion out of its time (700024) or that no federated credential trusts (700211 to 700213),
/// none at all (7000216, 7000218).
const CREDENTIAL: [u64; 9] = [
    7_000_215, 7_000_222, 700_027, 700_024, 700_211, 700_212, 700_213, 7_000_216, 7_000_218,
];

const MOST_NUMBERS: usize = 4;
const MOST_CLAIMS: usize = 4_096;

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use secrecy::SecretString;
    use serde_json::json;

    use super::*;

    /// What becomes of a body, in a word.
    fn word(status: u16, body: &Value, on_behalf: bool) -> String {
        let answer = HttpAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            arrived: 0,
            body: body.to_string().into_bytes(),
        };
        let assertion = SecretString::from("a.b.c");
        let grant = match on_behalf {
            true => Grant::OnBehalfOf(&assertion),
            false => Grant::Own,
        };
        match read("token endpoint", &answer, "api://x/read", grant) {
            ValidationFailure::Caller(GraphError::ConsentRequired { scopes }) => {
                assert_eq!(scopes, "api://x/read");
                "consent".to_owned()
            }
            ValidationFailure::Caller(GraphError::Refused) => "refused".to_owned(),
            ValidationFailure::Caller(GraphError::InteractionRequired { claims: None }) => {
                "sign in".to_owned()
            }
            ValidationFailure::Caller(GraphError::InteractionRequired {
                claims: Some(claims),
            }) => {
                format!("sign in {claims}")
            }
            ValidationFailure::Caller(other) => format!("{other:?}"),
            ValidationFailure::Api {
                failure,
                credential: true,
            } => format!("credential: {failure}"),
            ValidationFailure::Api { failure, .. } => format!("api: {failure}"),
            ValidationFailure::Later(failure) => format!("later: {failure}"),
        }
    }

    #[test]
    fn refusals_on_behalf_of_a_user_are_told_apart_in_the_contracts_order() {
        let claims = r#"{"access_token": {"acrs":{"value":"c1"}}}"#;
        let rows = [
            // Consent goes first, whatever else stands there.
            (400, json!({ "error": "consent_required" }), "consent"),
            (
                400,
                json!({ "error": "invalid_grant", "suberror": "consent_required", "claims": claims }),
                "consent",
            ),
            (
                400,
                json!({ "error": "invalid_grant", "suberror": "message_only", "error_codes": [65001] }),
                "consent",
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_description": "AADSTS65001: The user or administrator has not consented" }),
                "consent",
            ),
            // A block that no sign-in lifts, although it comes with claims.
            (
                400,
                json!({ "error": "invalid_grant", "suberror": "message_only", "error_codes": [53003], "claims": claims }),
                "refused",
            ),
            (
                400,
                json!({ "error": "interaction_required", "error_codes": [53003], "claims": claims }),
                "refused",
            ),
            (
                400,
                json!({ "error": "interaction_required", "error_codes": [50105] }),
                "refused",
            ),
            // Claims, with any 4xx.
            (
                400,
                json!({ "error": "interaction_required", "error_codes": [50076], "claims": claims }),
                &format!("sign in {claims}"),
            ),
            (
                401,
                json!({ "error": "invalid_client", "claims": claims }),
                &format!("sign in {claims}"),
            ),
            (
                403,
                json!({ "error": "anything", "claims": claims }),
                &format!("sign in {claims}"),
            ),
            (
                400,
                json!({ "error": "invalid_grant", "claims": "[]" }),
                "sign in",
            ),
            (
                400,
                json!({ "error": "invalid_grant", "claims": format!("{{\"a\":\"{}\"}}", "x".repeat(4_096)) }),
                "sign in",
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_codes": [50173] }),
                "sign in",
            ),
            (
                400,
                json!({ "error": "invalid_grant", "error_codes": [700082] }),
                "sign in",
            ),
            (400, json!({ "error": "interaction_required" }), "sign in"),
            (
                400,
                json!({ "error": "login_required", "error_codes": [50058] }),
                "sign in",
            ),
            // This API's own trouble.
            (
                401,
                json!({ "error": "invalid_client", "error_codes": [7000222] }),
                "credential: token endpoint: refused: invalid_client AADSTS7000222",
            ),
            (
                401,
                json!({ "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret" }),
                "credential: token endpoint: refused: invalid_client AADSTS7000215",
            ),
            (
                401,
                json!({ "error": "invalid_client" }),
                "credential: token endpoint: refused: invalid_client",
            ),
            (
                400,
                json!({ "error": "invalid_client", "error_codes": [650052] }),
                "api: token endpoint: refused: invalid_client AADSTS650052",
            ),
            (
                400,
                json!({ "error": "unauthorized_client", "error_codes": [700016] }),
                "api: token endpoint: refused: unauthorized_client AADSTS700016",
            ),
            (
                400,
                json!({ "error": "invalid_scope", "error_codes": "70011" }),
                "api: token endpoint: refused: invalid_scope",
            ),
            (404, json!("no object"), "api: token endpoint: refused: "),
            // Trouble that passes.
            (
                429,
                json!({ "error": "invalid_grant" }),
                "later: token endpoint: status 429 invalid_grant",
            ),
            (
                500,
                json!({ "error": "invalid_grant", "claims": claims }),
                "later: token endpoint: status 500 invalid_grant",
            ),
            (302, json!({}), "later: token endpoint: status 302 "),
        ];
        for (status, body, expected) in rows {
            assert_eq!(word(status, &body, true), expected, "{status} {body}");
        }
        // The application itself has no user who could sign in.
        let body = json!({ "error": "invalid_grant", "suberror": "consent_required" });
        assert_eq!(
            word(400, &body, false),
            "api: token endpoint: refused: invalid_grant"
        );
    }
}
