//! Daytona's API: what is asked of it, and what its answers say.

use http::{StatusCode, Uri};
use serde_json::Value;

use super::name::Name;

/// More of an answer is not read (bytes): a sandbox's description is a few kilobytes.
pub const LONGEST: u32 = 64 << 10;
/// An answer is not waited for longer (ms).
pub const TIMEOUT_MS: u32 = 5_000;

/// Where Daytona's proxy shows a port of a sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// Scheme and authority.
    pub url: String,
    /// What the proxy asks for. Another one after a restart of the sandbox.
    pub token: String,
}

/// How a sandbox stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sandbox {
    /// It runs.
    Started,
    /// It can be started.
    Asleep,
    /// It is on its way from one to the other.
    Changing,
    /// It will not run: its state.
    Failed(String),
    /// It is nobody's to look at here: why.
    Hidden(&'static str),
}

/// The address of a sandbox's description.
#[must_use]
pub fn sandbox_url(api: &str, name: &Name) -> String {
    format!("{api}/sandbox/{}", name.sandbox)
}

/// The address that tells its door.
#[must_use]
pub fn door_url(api: &str, name: &Name) -> String {
    format!("{api}/sandbox/{}/ports/{}/preview-url", name.sandbox, name.port)
}

/// The address that starts it.
#[must_use]
pub fn start_url(api: &str, name: &Name) -> String {
    format!("{api}/sandbox/{}/start", name.sandbox)
}

/// How a sandbox stands, by the answer of [`sandbox_url`].
pub fn sandbox(status: StatusCode, content: &[u8]) -> Result<Sandbox, String> {
    match status {
        StatusCode::NOT_FOUND => return Ok(Sandbox::Hidden("there is no such sandbox")),
        StatusCode::FORBIDDEN => return Ok(Sandbox::Hidden("the API key may not see the sandbox")),
        StatusCode::OK => {}
        status => return Err(unexpected(status)),
    }
    let described: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    let state = described.get("state").and_then(Value::as_str).ok_or("a sandbox without a state")?;
    Ok(match described.get("public") {
        Some(Value::Bool(true)) => standing(state),
        _ => Sandbox::Hidden("the sandbox is not public"),
    })
}

/// The states of `apps/api/src/sandbox/enums/sandbox-state.enum.ts`.
fn standing(state: &str) -> Sandbox {
    match state {
        "started" => Sandbox::Started,
        "stopped" | "archived" => Sandbox::Asleep,
        "destroyed" | "destroying" => Sandbox::Hidden("the sandbox is destroyed"),
        "error" | "build_failed" => Sandbox::Failed(state.to_owned()),
        _ => Sandbox::Changing,
    }
}

/// A door, by the answer of [`door_url`] of the API at this address.
pub fn door(api: &str, status: StatusCode, content: &[u8]) -> Result<Door, String> {
    if status != StatusCode::OK {
        return Err(unexpected(status));
    }
    let described: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    let text = |name| described.get(name).and_then(Value::as_str).unwrap_or_default();
    let (url, token) = (base(text("url")), text("token"));
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    let url = url.filter(|url| is_plain && (url.starts_with("https:") || api.starts_with("http:")));
    // What it was is not said: the token stands beside it.
    Ok(Door { url: url.ok_or("no address and token of a preview")?, token: token.to_owned() })
}

/// Scheme and authority of an address that has nothing else.
fn base(url: &str) -> Option<String> {
    let parsed: Uri = url.parse().ok()?;
    let (scheme, authority) = (parsed.scheme_str()?, parsed.authority()?.as_str());
    let plain = matches!(scheme, "http" | "https") && !authority.contains('@') && parsed.path() == "/";
    (plain && parsed.query().is_none()).then(|| format!("{scheme}://{authority}"))
}

/// What a start came to; an error says why it was refused. A sandbox that is starting already is no fault (409, or 400).
pub fn started(status: StatusCode) -> Result<(), String> {
    match status {
        StatusCode::CONFLICT | StatusCode::BAD_REQUEST => Ok(()),
        status if status.is_success() => Ok(()),
        status => Err(unexpected(status)),
    }
}

fn unexpected(status: StatusCode) -> String {
    match status {
        StatusCode::UNAUTHORIZED => "the API key is refused".to_owned(),
        status => format!("status {}", status.as_u16()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(state: &str, rest: &str) -> Result<Sandbox, String> {
        sandbox(StatusCode::OK, format!("{{\"id\":\"x\",\"state\":\"{state}\"{rest}}}").as_bytes())
    }

    #[test]
    fn only_public_sandboxes_are_anybodys_to_look_at() {
        assert_eq!(described("started", ",\"public\":true"), Ok(Sandbox::Started));
        for private in [",\"public\":false", ""] {
            assert!(matches!(described("started", private), Ok(Sandbox::Hidden(_))));
        }
        assert!(matches!(sandbox(StatusCode::NOT_FOUND, b""), Ok(Sandbox::Hidden(_))));
        assert!(matches!(sandbox(StatusCode::FORBIDDEN, b""), Ok(Sandbox::Hidden(_))));
    }

    #[test]
    fn each_state_is_running_asleep_on_its_way_failed_or_gone() {
        let public = |state| described(state, ",\"public\":true").unwrap();
        for state in ["stopped", "archived"] {
            assert_eq!(public(state), Sandbox::Asleep, "{state}");
        }
        for state in
            ["starting", "stopping", "restoring", "archiving", "creating", "unknown", "what comes next"]
        {
            assert_eq!(public(state), Sandbox::Changing, "{state}");
        }
        assert_eq!(public("error"), Sandbox::Failed("error".into()));
        assert!(matches!(public("destroyed"), Sandbox::Hidden(_)));
    }

    #[test]
    fn an_answer_that_is_none_says_so_and_shows_nothing_of_its_content() {
        assert_eq!(sandbox(StatusCode::UNAUTHORIZED, b""), Err("the API key is refused".into()));
        assert_eq!(sandbox(StatusCode::BAD_GATEWAY, b"x"), Err("status 502".into()));
        assert!(sandbox(StatusCode::OK, b"{}").is_err());
        let door = |content: &str| door("https://api", StatusCode::OK, content.as_bytes());
        for content in [
            r#"{"url":"https://8080-x.proxy.example/path","token":"secret"}"#,
            r#"{"url":"https://user@8080-x.proxy.example","token":"secret"}"#,
            r#"{"url":"http://8080-x.proxy.example","token":"secret"}"#,
            r#"{"url":"8080-x.proxy.example","token":"secret"}"#,
            r#"{"url":"https://8080-x.proxy.example","token":""}"#,
            r#"{"url":"https://8080-x.proxy.example","token":"sec\nret"}"#,
            r#"{"url":"https://8080-x.proxy.example?a","token":"secret"}"#,
        ] {
            let error = door(content).unwrap_err();
            assert!(!error.contains("secret") && !error.contains("proxy"), "{error}");
        }
        let open = door(r#"{"url":"https://8080-x.proxy.example/","token":"t-1","legacyProxyUrl":"x"}"#);
        assert_eq!(open, Ok(Door { url: "https://8080-x.proxy.example".into(), token: "t-1".into() }));
    }
}
