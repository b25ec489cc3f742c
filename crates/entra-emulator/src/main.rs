//! Entra ID on your machine: `cargo run -p entra-emulator`.
//!
//! For a front end, or an API in any language, that should run without a tenant. The passwords are
//! public, so it listens on loopback only. With `--tls` it speaks HTTPS, which MSAL insists on:
//! trust the file of `--ca-file` (`NODE_EXTRA_CA_CERTS`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`).
#![allow(clippy::print_stdout, reason = "the program's purpose")]

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use entra_emulator::{API_ID, API_SECRET, CLI_ID, CONTOSO, Emulator, TokenEncryption, sample_api};
use tokio::signal::unix::{SignalKind, signal};

/// An emulator of Microsoft Entra ID and of the parts of Microsoft Graph that an API needs.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen, on loopback; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8400")]
    listen: SocketAddr,
    /// Speak HTTPS with a certificate of a CA that is made at the start.
    #[arg(long)]
    tls: bool,
    /// Write the CA's certificate to this file (with --tls).
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca_file: Option<PathBuf>,
    /// Encrypt the sample API's access tokens to the certificate (or public key) in this PEM file.
    #[arg(long, value_name = "FILE")]
    encrypt_tokens: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut builder = Emulator::builder().listen(arguments.listen);
    if arguments.tls {
        builder = builder.tls();
    }
    if let Some(path) = &arguments.encrypt_tokens {
        let pem = std::fs::read_to_string(path)?;
        let encryption = TokenEncryption::to(pem)?;
        builder = builder.app(sample_api().with_token_encryption(encryption));
    }
    // The process catches the signals before any client can know the address.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let emulator = builder.start().await?;
    if let (Some(path), Some(pem)) = (&arguments.ca_file, emulator.ca_pem()) {
        std::fs::write(path, pem)?;
    }

    let base = emulator.url();
    println!("listening on {base}\n");
    println!("{}", emulator.describe());
    println!("An API in front of it: paste these lines, then start the API");
    println!("  export AzureAd__Instance={base}/");
    println!("  export AzureAd__StsInstance={base}/");
    println!("  export AzureAd__TenantId={CONTOSO}");
    println!("  export AzureAd__ClientId={API_ID}");
    if let Some(path) = &arguments.ca_file {
        println!("  export AzureAd__CaFile={}", path.display());
        println!("  export CURL_CA_BUNDLE={}", path.display());
    }
    if arguments.encrypt_tokens.is_some() {
        println!("  export AzureAd__TokenDecryptionCredentials__0__SourceType=Path");
        println!(
            "  export AzureAd__TokenDecryptionCredentials__0__CertificateDiskPath=…   # the private key"
        );
    }
    println!("and for groups overage, on-behalf-of and revocation");
    println!("  export AzureAd__ClientSecret={API_SECRET}");
    println!("  export AzureAd__Graph__BaseUrl={}", emulator.graph_url());
    println!("\nA sign-in page to look at");
    println!(
        "  {}?client_id={CLI_ID}&response_type=code&redirect_uri=http://localhost/callback\
         &scope=openid%20api://{API_ID}/access_as_user&code_challenge_method=S256\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        emulator.authorization_endpoint(CONTOSO),
    );

    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
