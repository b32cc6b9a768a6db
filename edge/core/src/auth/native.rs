//! Signatures checked without Web Crypto: for `he2 explain` and the tests, which do not run in a Worker.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};

use super::keys::Jwk;

/// A verifying key.
#[derive(Debug, Clone)]
pub enum Key {
    /// ES256, as an uncompressed point.
    Ec(Vec<u8>),
    /// RS256: modulus and exponent.
    Rsa(Vec<u8>, Vec<u8>),
    /// `EdDSA`.
    Okp(Vec<u8>),
    /// HS256.
    Secret(hmac::Key),
}

impl Key {
    /// The key that a key set describes.
    pub fn import(jwk: &Jwk) -> Result<Self, String> {
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|error| error.to_string());
        Ok(match jwk {
            Jwk::Ec { x, y } => Self::Ec([vec![UNCOMPRESSED], bytes(x)?, bytes(y)?].concat()),
            Jwk::Rsa { n, e } => Self::Rsa(bytes(n)?, bytes(e)?),
            Jwk::Okp { x } => Self::Okp(bytes(x)?),
            Jwk::Secret(secret) => Self::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())),
        })
    }

    /// Whether `signature` is this key's over `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Ec(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            Self::Rsa(n, e) => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            Self::Okp(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Secret(key) => hmac::verify(key, message, signature),
        };
        verified.is_ok()
    }
}

/// Begins a point that is given by both coordinates (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;
