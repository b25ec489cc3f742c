//! `entra-gate explain`.

use std::fmt::Write;
use std::io::Read;
use std::time::Duration;

use axum_entra::{Entra, Rejection};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::time::{Instant, sleep};

use super::serve::gate;
use super::{Wrong, entra};
use crate::arguments::ExplainArguments;
use crate::original::Original;
use crate::policy::{Policy, Verdict};
use crate::rules::Allow;

/// How long the keys are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Says which rule a request falls under, what is checked, and what the answer is.
pub(crate) async fn explain(arguments: ExplainArguments) -> Result<String, Wrong> {
    let entra = entra(arguments.settings.as_deref())?;
    let (gate, _) = gate(entra, &arguments.rules, Vec::new())?;
    let mut token = String::new();
    std::io::stdin().lock().read_to_string(&mut token)?;
    let token = token.trim();
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = tell(
        &mut text,
        &gate.entra,
        &gate.policy.load(),
        &arguments,
        token,
    )
    .await;
    Ok(text)
}

async fn tell(
    text: &mut String,
    entra: &Entra,
    policy: &Policy,
    arguments: &ExplainArguments,
    token: &str,
) -> std::fmt::Result {
    let mut headers = HeaderMap::new();
    if !token.is_empty()
        && let Ok(mut value) = HeaderValue::try_from(format!("Bearer {token}"))
    {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let (method, host) = (arguments.method.as_bytes(), arguments.host.as_bytes());
    let original = match Original::new(method, host, arguments.path.as_bytes(), headers) {
        Ok(original) => original,
        Err(problem) => {
            writeln!(text, "status  {}", problem.status.as_u16())?;
            writeln!(text, "reason  {}", problem.reason)?;
            return writeln!(text, "detail  {}", problem.detail);
        }
    };
    writeln!(text, "path    {}", original.path())?;
    let rule = policy.rule(&original);
    match rule {
        Some(rule) => {
            let file = arguments.rules.display();
            writeln!(text, "rule    {file}:{}: {}", rule.line, rule.describe())?;
            writeln!(text, "allow   {}", rule.allow.describe())?;
        }
        None => writeln!(text, "rule    none: refused, whatever the token")?,
    }
    if !matches!(rule.map(|rule| &rule.allow), Some(Allow::Open)) {
        wait_for_keys(entra).await;
        if !token.is_empty() {
            let mut explanation = entra.explain(token).await;
            if let Some(Allow::Guarded(guard)) = rule.map(|rule| &rule.allow) {
                explanation = explanation.with_guard("allow", guard);
            }
            writeln!(text, "checks")?;
            for line in explanation.to_string().lines() {
                writeln!(text, "  {line}")?;
            }
        }
    }
    match policy.decide(original).await.0 {
        Verdict::Granted(granted) => {
            writeln!(text, "status  {}", StatusCode::OK.as_u16())?;
            let reason = match granted.claims {
                Some(_) => "allowed",
                None => "allowed without a caller",
            };
            writeln!(text, "reason  {reason}")
        }
        Verdict::Refused(response) => {
            writeln!(text, "status  {}", response.status().as_u16())?;
            if let Some(rejection) = response.extensions().get::<Rejection>() {
                writeln!(text, "reason  {}", rejection.reason())?;
                writeln!(text, "detail  {}", rejection.detail())?;
            }
            let challenges = response.headers().get_all(WWW_AUTHENTICATE);
            let challenges = challenges.iter().filter_map(|value| value.to_str().ok());
            for challenge in challenges {
                writeln!(text, "challenge  {challenge}")?;
            }
            Ok(())
        }
    }
}

async fn wait_for_keys(entra: &Entra) {
    let end = Instant::now() + PATIENCE;
    let has_failed = || {
        let status = entra.status();
        let mut documents = status.iter().flat_map(|authority| &authority.jwks);
        documents.any(|document| document.last_error.is_some())
    };
    while !entra.is_ready() && !has_failed() && Instant::now() < end {
        sleep(Duration::from_millis(20)).await;
    }
}
