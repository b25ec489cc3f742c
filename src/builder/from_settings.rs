//! A [`EntraBuilder`] out of settings: what each section says, and what the sections share.

use super::{Entra, EntraBuilder};
use crate::causes::WithCauses;
use crate::config_error::ConfigError;
#[cfg(feature = "redis")]
use crate::revocation::RedisStore;
use crate::settings::Settings;
use crate::transport::http_client::check_certificates;

impl EntraBuilder {
    /// Begins with what the settings say; the file that `CaFile` names is read.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use axum_entra::{EntraBuilder, settings::Settings};
    ///
    /// let read = |text: &str| Settings::from_parts(Some(("appsettings.json", text)), []);
    /// let settings = read(r#"{ "AzureAd": { "TenantId": "contoso.onmicrosoft.com",
    ///     "ClientId": "6e74172b-be56-4843-9ff4-e66a39bb12e3" } }"#)?;
    /// // What the file cannot say is said in code.
    /// let entra = EntraBuilder::from_settings(&settings)?.record_span_fields().build()?;
    ///
    /// assert!(EntraBuilder::from_settings(&read("{}")?).is_err());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ConfigError`] if no authority is set, or `CaFile` cannot be used.
    pub fn from_settings(settings: &Settings) -> Result<Self, ConfigError> {
        let mut sections = settings.sections();
        let first = sections
            .next()
            .ok_or_else(|| ConfigError::missing("AzureAd", "at least TenantId and ClientId"))?;
        let mut builder = Entra::builder_for(first.with_graph()?);
        for section in sections {
            builder = builder.authority(section.with_graph()?);
        }
        // A token is measured before it is known whose it is; what a section does not say is no wish.
        if let Some(most) = settings
            .sections()
            .filter_map(|section| section.max_token_bytes)
            .max()
        {
            builder = builder.max_token_size(most);
        }
        let resources = settings.sections().map(|section| &section.resources);
        let resources = resources.into_iter().find(|given| !given.is_empty());
        for resource in resources.into_iter().flatten() {
            builder = builder.resource(resource);
        }
        // One cache for all authorities.
        if let Some(most) = settings
            .sections()
            .filter_map(|section| section.token_cache_bytes)
            .max()
        {
            builder = builder.token_cache_capacity(most);
        }
        // Whose token it is, is known only once it is decrypted.
        for key in settings.sections().flat_map(|own| &own.decryption_keys) {
            builder = builder.token_decryption_key(key.clone());
        }
        for file in settings
            .sections()
            .filter_map(|section| section.ca_file.as_ref())
        {
            let unusable = |cause: &(dyn std::error::Error + 'static)| ConfigError::InvalidValue {
                setting: "CaFile".to_owned(),
                found: format!("`{}` ({})", file.display(), WithCauses(cause)),
                expected: "a readable file of PEM certificates".to_owned(),
            };
            let pem = std::fs::read(file).map_err(|error| unusable(&error))?;
            check_certificates(&pem).map_err(|error| unusable(&*error))?;
            builder = builder.root_certificates(pem);
        }
        // The scheme of a request is read before it is known whose its token is.
        let mut modes = settings.sections().filter_map(|section| section.pop_tokens);
        if let Some(pop) = modes.next() {
            if modes.any(|other| other != pop) {
                let found = "different values";
                return Err(ConfigError::value(
                    "PopTokens",
                    found,
                    "the same in both sections",
                ));
            }
            builder = builder.pop_tokens(pop);
        }
        builder.store_of(settings)
    }

    /// The store that the settings name, which both sections share.
    fn store_of(self, settings: &Settings) -> Result<Self, ConfigError> {
        let mut stores = settings
            .sections()
            .filter_map(|section| Some((section.redis_url.as_ref()?, section.on_loss)));
        let Some((url, on_loss)) = stores.next() else {
            return Ok(self);
        };
        let expected = |expected| ConfigError::value("Redis:Url", "(not shown)", expected);
        if stores.any(|other| other != (url, on_loss)) {
            return Err(expected("the same store in both sections"));
        }
        #[cfg(feature = "redis")]
        return Ok(self.redis(RedisStore::new(url.expose(), on_loss)));
        // What must be shared and is not would let revoked tokens pass.
        #[cfg(not(feature = "redis"))]
        return Err(expected("a build with the feature `redis`"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_that_says_nothing_of_a_limit_does_not_undo_the_others() {
        let file = r#"{
            "AzureAd": { "TenantId": "11111111-1111-4111-8111-111111111111",
                "ClientId": "22222222-2222-4222-8222-222222222222",
                "MaxTokenBytes": 1500, "TokenCache": { "MaxBytes": 0 } },
            "AzureAdB2C": { "Instance": "https://contoso.b2clogin.com",
                "Domain": "contoso.onmicrosoft.com", "SignUpSignInPolicyId": "b2c_1_susi",
                "ClientId": "33333333-3333-4333-8333-333333333333" }
        }"#;
        let built = |variables: Vec<(String, String)>| {
            let settings = Settings::from_parts(Some(("file", file)), variables).unwrap();
            let builder = EntraBuilder::from_settings(&settings).unwrap();
            (builder.most_bytes, builder.cache_bytes)
        };
        assert_eq!(built(Vec::new()), (1_500, 0));
        let more = [
            ("AzureAdB2C__MaxTokenBytes".to_owned(), "2000".to_owned()),
            (
                "AzureAdB2C__TokenCache__MaxBytes".to_owned(),
                "5".to_owned(),
            ),
        ];
        assert_eq!(built(more.into()), (2_000, 5));
    }
}
