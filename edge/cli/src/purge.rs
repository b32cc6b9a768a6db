//! `he2 purge`: asks the gateway to purge what it has stored. The request is curl's work; the operators' key reaches it by
//! its standard input, so that no list of processes shows it.

use std::env;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use edge_core::plan::{Edge, Plan};
use serde_json::{Map, Value, json};

use crate::{Failure, Said, file};

/// The variable that holds the operators' key.
const KEY: &str = "ADMIN_API_KEY";

/// What to purge, and where.
pub(crate) struct Asked {
    /// As the gateway takes it: `{"url": …}`.
    pub(crate) scope: Map<String, Value>,
    pub(crate) soft: bool,
    pub(crate) at: Option<String>,
    pub(crate) config: Option<PathBuf>,
}

pub(crate) fn run(asked: &Asked) -> Said {
    let key = env::var(KEY).ok().filter(|key| is_plain(key));
    let key = key.ok_or_else(|| Failure::Usage(format!("set {KEY} to the operators' key")))?;
    let at = match &asked.at {
        Some(at) => at.trim_end_matches('/').to_owned(),
        None => gateway(&file::load(asked.config.as_deref())?.1.plan())?,
    };
    let mut content = asked.scope.clone();
    content.extend(asked.soft.then(|| ("soft".to_owned(), json!(true))));
    curl(&[
        ("url", format!("{at}/.edge/purge")),
        ("header", format!("X-Admin-Api-Key: {key}")),
        ("header", "Content-Type: application/json".to_owned()),
        ("data", json!(content).to_string()),
    ])
}

/// Nothing that could end a line of curl's configuration.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

/// The first host that takes purges.
fn gateway(plan: &Plan) -> Result<String, Failure> {
    let route = plan.routes.iter().find(|route| route.edge == Some(Edge::Purge));
    let host = route.and_then(|route| route.hosts.first());
    let host =
        host.ok_or_else(|| Failure::Usage("he2.toml has no route with edge = \"purge\"".to_owned()))?;
    Ok(format!("https://{host}"))
}

/// Sends it, and gives the answer. A line of curl's configuration is quoted like JSON, as far as plain ASCII goes.
fn curl(options: &[(&str, String)]) -> Said {
    let failed = |error: std::io::Error| Failure::Usage(format!("curl: {error}"));
    let mut child = Command::new("curl")
        .args(["--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        let lines = options.iter().map(|(name, value)| format!("{name} = {}\n", json!(value)));
        input.write_all(lines.collect::<String>().as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    let answer = String::from_utf8_lossy(&output.stdout);
    if output.status.success() {
        return Ok(format!("{answer}\n"));
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(Failure::Usage(format!("not purged: {} {answer}", reason.trim())))
}
