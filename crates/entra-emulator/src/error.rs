//! What can go wrong when the emulator starts or signs.

use std::{error::Error, io, net::SocketAddr};

/// The emulator could not start, or could not make or use a key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// The address is reachable from other machines, and the emulator's passwords are public.
    #[error("{0} is not a loopback address, and the emulator's passwords are public")]
    NotLoopback(SocketAddr),
    /// The socket could not be opened.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The crypto library could not make an RSA key pair.
    #[error("the crypto library could not make an RSA key pair")]
    KeyPair,
    /// The self-signed certificate of a key (`x5c`) could not be made.
    #[error("the certificate of a signing key could not be made")]
    Certificate(#[source] Box<dyn Error + Send + Sync>),
    /// The certificate of the TLS listener could not be made.
    #[error("the certificate of the TLS listener could not be made")]
    Tls(#[source] Box<dyn Error + Send + Sync>),
    /// A PEM text that tokens should be encrypted to holds no RSA certificate and no public key.
    #[error("no certificate or public key of RSA with 2048 to 8192 bits, in PEM form")]
    EncryptionKey,
    /// The crypto library could not encrypt.
    #[error("the crypto library could not encrypt")]
    Encryption,
    /// The crypto library could not sign.
    #[error("the crypto library could not sign")]
    Signature,
}
