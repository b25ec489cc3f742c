//! Settings: any text is read or refused in one line, and what was read can be described.
#![no_main]

use axum_entra::settings::Settings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    let (text, variable) = data.split_once('\u{1e}').unwrap_or((data, ""));
    let variable = variable
        .split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    match Settings::from_parts(Some(("settings.json", text)), variable) {
        Ok(settings) => {
            let _ = settings.is_empty();
            let shown = format!("{settings:?}");
            assert!(!shown.contains("hunter2-secret"), "a secret is shown");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
