//! Refusals of the token endpoint, in Entra's words (Microsoft, reference-error-codes).

mod agents;
mod on_behalf_of;
mod sign_in;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{authority::unix_now, seeds};

/// One refusal: an OAuth error with Entra's number and sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    sentence: String,
    suberror: Option<&'static str>,
    claims: Option<String>,
}

impl Refusal {
    pub(super) fn missing_parameter(name: &str) -> Self {
        let sentence = format!("The request body must contain the following parameter: '{name}'.");
        Self::bad_request("invalid_request", 900_144, sentence)
    }

    pub(super) fn unsupported_grant(grant: &str) -> Self {
        let sentence = format!("The app requested an unsupported grant type '{grant}'.");
        Self::bad_request("unsupported_grant_type", 70_003, sentence)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let sentence = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are \
             signing into the correct cloud."
        );
        Self::bad_request("invalid_request", 90_002, sentence)
    }

    pub(super) fn unknown_client(client: &str, tenant: &str) -> Self {
        let sentence = format!(
            "Application with identifier '{client}' was not found in the directory '{tenant}'."
        );
        Self::bad_request("unauthorized_client", 700_016, sentence)
    }

    pub(super) fn missing_secret() -> Self {
        let sentence = "The request body must contain the following parameter: 'client_assertion' \
                        or 'client_secret'.";
        Self::unauthorized(7_000_218, sentence.to_owned())
    }

    pub(super) fn wrong_secret(client: &str) -> Self {
        let sentence = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the \
             client secret value, not the client secret ID, for a secret added to app '{client}'."
        );
        Self::unauthorized(7_000_215, sentence)
    }

    pub(super) fn wrong_password() -> Self {
        let sentence = "Error validating credentials due to invalid username or password.";
        Self::bad_request("invalid_grant", 50_126, sentence.to_owned())
    }

    pub(super) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        let sentence = format!(
            "The resource principal named {resource} was not found in the tenant named {tenant}."
        );
        Self::bad_request("invalid_resource", 500_011, sentence)
    }

    pub(super) fn unknown_scope(client: &str, scope: &str, resource: &str) -> Self {
        let sentence = format!(
            "The application '{client}' asked for scope '{scope}' that doesn't exist on the \
             resource '{resource}'."
        );
        Self::bad_request("invalid_client", 650_053, sentence)
    }

    pub(super) fn other_resource() -> Self {
        let sentence = "The resource parameter provided in the request doesn't match with the \
                        requested scopes.";
        Self::bad_request("invalid_target", 9_010_010, sentence.to_owned())
    }

    pub(super) fn several_resources() -> Self {
        let sentence = "Provided value for the input parameter scope is not valid because it \
                        contains more than one resource.";
        Self::bad_request("invalid_request", 28_000, sentence.to_owned())
    }

    pub(super) fn not_default_scope(scope: &str) -> Self {
        let sentence = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a \
             scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Self::bad_request("invalid_scope", 1_002_012, sentence)
    }

    pub(super) fn out_of_order() -> Self {
        let sentence = "The emulator could not sign the token.".to_owned();
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::bad_request("server_error", 90_033, sentence)
        }
    }

    fn bad_request(error: &'static str, code: u32, sentence: String) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            code,
            sentence,
            suberror: None,
            claims: None,
        }
    }

    fn unauthorized(code: u32, sentence: String) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            ..Self::bad_request("invalid_client", code, sentence)
        }
    }

    /// The OAuth error, for a redirect.
    pub(super) fn error(&self) -> &'static str {
        self.error
    }

    /// Entra's number and sentence, for a redirect or a page.
    pub(super) fn description(&self) -> String {
        format!("AADSTS{}: {}", self.code, self.sentence)
    }

    /// The answer, for the emulator at that base address.
    pub(super) fn into_response_at(self, base: &str) -> Response {
        let Self {
            status,
            error,
            code,
            sentence,
            suberror,
            claims,
        } = self;
        let (trace, correlation) = (seeds::fresh_id(), seeds::fresh_id());
        let time = utc(unix_now(), ' ');
        let mut body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{code}: {sentence}\r\nTrace ID: {trace}\r\n\
                 Correlation ID: {correlation}\r\nTimestamp: {time}"
            ),
            "error_codes": [code],
            "timestamp": time,
            "trace_id": trace.to_string(),
            "correlation_id": correlation.to_string(),
            "error_uri": format!("{base}/error?code={code}"),
        });
        if let Some(body) = body.as_object_mut() {
            body.extend(suberror.map(|suberror| ("suberror".to_owned(), json!(suberror))));
            body.extend(claims.map(|claims| ("claims".to_owned(), json!(claims))));
        }
        let headers = [
            (header::CACHE_CONTROL, "no-store"),
            (header::PRAGMA, "no-cache"),
        ];
        (status, headers, axum::Json(body)).into_response()
    }
}

/// `2023-11-14 22:13:20Z`, the way these answers write the time; Graph has a `T` in the middle.
pub(super) fn utc(unix: u64, between: char) -> String {
    let (days, seconds) = (unix / 86_400, unix % 86_400);
    // Howard Hinnant, "chrono-compatible low-level date algorithms": civil_from_days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_time_is_written_as_entra_writes_it() {
        assert_eq!(super::utc(0, ' '), "1970-01-01 00:00:00Z");
        assert_eq!(super::utc(951_782_399, ' '), "2000-02-28 23:59:59Z");
        assert_eq!(super::utc(1_709_164_800, ' '), "2024-02-29 00:00:00Z");
        assert_eq!(super::utc(1_700_000_000, ' '), "2023-11-14 22:13:20Z");
    }
}
