//! What the program does.

mod check;
mod demo;
mod explain;
mod reload;
mod sample_service;
mod serve;

use std::path::Path;

use axum_entra::settings::Settings;
use axum_entra::{Entra, EntraBuilder};

pub(crate) use self::check::check;
pub(crate) use self::demo::demo;
pub(crate) use self::explain::explain;
pub(crate) use self::serve::serve;

/// Something that the operator has to change: exit code 2 and one line.
pub(crate) struct Wrong(pub(crate) String);

impl<E: std::error::Error> From<E> for Wrong {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// The authorities of a settings file and of the environment; there has to be one.
fn entra(settings: Option<&Path>) -> Result<Entra, Wrong> {
    let loaded = Settings::load(settings)?;
    if loaded.is_empty() {
        let file = settings.map(|file| format!("--settings {}: ", file.display()));
        return Err(Wrong(format!(
            "{}expected a section AzureAd or AzureAdB2C, in the file or the environment",
            file.unwrap_or_default()
        )));
    }
    Ok(EntraBuilder::from_settings(&loaded)?.build()?)
}
