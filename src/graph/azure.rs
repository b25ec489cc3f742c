//! The only file that imports `azure_core`: a credential of the Azure SDK gives the assertions.

use std::sync::Arc;

use azure_core::credentials::TokenCredential;

use super::credential::{AssertionFuture, ClientAssertionProvider, ClientCredential};

struct FromAzure(Arc<dyn TokenCredential>);

impl ClientCredential {
    /// A credential of the Azure SDK, such as `ManagedIdentityCredential`.
    ///
    /// Its token for `api://AzureADTokenExchange` is the assertion, so the registration needs a
    /// federated credential that trusts its identity. The SDK keeps and renews the token.
    /// Source: Microsoft, "Configure an application to trust a managed identity".
    #[must_use]
    pub fn azure(credential: Arc<dyn TokenCredential>) -> Self {
        Self::assertion_provider(FromAzure(credential))
    }
}

impl ClientAssertionProvider for FromAzure {
    fn assertion(&self) -> AssertionFuture<'_> {
        Box::pin(async {
            let token = self.0.get_token(&[SCOPE], None).await?;
            Ok(token.token.secret().to_owned())
        })
    }
}

const SCOPE: &str = "api://AzureADTokenExchange/.default";
