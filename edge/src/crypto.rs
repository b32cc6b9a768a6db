//! Signatures, by the platform's Web Crypto: the only cryptography that is not compiled in, because RSA and elliptic
//! curves in Wasm are slow and weigh more than all the rest.

use edge_core::auth::keys::Jwk;
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::CryptoKey;

use crate::scope;

/// A key that verifies. It belongs to no event, so an isolate may keep it.
#[derive(Debug)]
pub(crate) struct Key {
    key: CryptoKey,
    /// Web Crypto's description of the algorithm, for each call.
    algorithm: Object,
}

/// Makes a key ready for use; fails for one that is none, such as a point beside its curve.
pub(crate) async fn import(jwk: &Jwk) -> Result<Key, JsValue> {
    let algorithm = algorithm(jwk)?;
    let (format, data) = data(jwk)?;
    let usages = Array::of1(&"verify".into());
    let key = scope::subtle()?.import_key_with_object(format, &data, &algorithm, false, &usages)?;
    Ok(Key { key: JsFuture::from(key).await?.dyn_into()?, algorithm })
}

/// Whether `signature` is the key's over `message`; what cannot even be tried is none.
pub(crate) async fn verify(key: &Key, message: &[u8], signature: &[u8]) -> bool {
    try_verify(key, message, signature).await.is_ok_and(|verified| verified == JsValue::TRUE)
}

async fn try_verify(
    Key { key, algorithm }: &Key,
    message: &[u8],
    signature: &[u8],
) -> Result<JsValue, JsValue> {
    let subtle = scope::subtle()?;
    JsFuture::from(subtle.verify_with_object_and_u8_array_and_u8_array(algorithm, key, signature, message)?)
        .await
}

/// The algorithm as both `importKey` and `verify` take it
/// (<https://www.w3.org/TR/webcrypto-2/#algorithm-overview>).
fn algorithm(jwk: &Jwk) -> Result<Object, JsValue> {
    match jwk {
        Jwk::Ec { .. } => object(&[("name", "ECDSA"), ("namedCurve", "P-256"), ("hash", "SHA-256")]),
        Jwk::Rsa { .. } => object(&[("name", "RSASSA-PKCS1-v1_5"), ("hash", "SHA-256")]),
        Jwk::Okp { .. } => object(&[("name", "Ed25519")]),
        Jwk::Secret(_) => object(&[("name", "HMAC"), ("hash", "SHA-256")]),
    }
}

/// The key as `importKey` takes it: the name of its format, and the key in it.
fn data(jwk: &Jwk) -> Result<(&'static str, Object), JsValue> {
    Ok(match jwk {
        Jwk::Ec { x, y } => ("jwk", object(&[("kty", "EC"), ("crv", "P-256"), ("x", x), ("y", y)])?),
        Jwk::Rsa { n, e } => ("jwk", object(&[("kty", "RSA"), ("n", n), ("e", e)])?),
        Jwk::Okp { x } => ("jwk", object(&[("kty", "OKP"), ("crv", "Ed25519"), ("x", x)])?),
        Jwk::Secret(secret) => ("raw", Uint8Array::from(secret.as_bytes()).into()),
    })
}

fn object(members: &[(&str, &str)]) -> Result<Object, JsValue> {
    let object = Object::new();
    for &(name, value) in members {
        Reflect::set(&object, &name.into(), &value.into())?;
    }
    Ok(object)
}
