//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use lexopt::prelude::*;
use serde_json::json;

use crate::{Failure, purge};

pub(crate) const HELP: &str = "\
he2 check [FILE]
    Report every fault of he2.toml at once.

he2 explain METHOD URL [options]
    Say step by step what the gateway would do with a request, and why. Nothing is sent anywhere.
    -H 'Name: value'     a header of the request; may be repeated
    --jwks FILE          the issuer's key set, as from ISSUER/.well-known/jwks.json
    --jwks-age SECONDS   the set was fetched so long ago, and the issuer is down since
    --issuer URL         what the Worker has in ISSUER
    --revocations FILE   what is revoked, as from GET /.edge/revocations
    --body FILE          the request's content
    --ip ADDRESS         the caller's address (192.0.2.1)
    --now SECONDS        the time, since 1970 (now)
    --config FILE        he2.toml (the nearest, upwards from here)
    --json               for programs
    The Worker's other variables and secrets are taken from the environment, by their names: JWT_HS256_SECRET for
    tokens signed with a shared secret, STRIPE_WEBHOOK_SECRET and the like for webhooks.

he2 purge URL | --prefix URL | --tag TAG | --everything
    Purge what the gateway has stored, everywhere within seconds. The operators' key is taken from ADMIN_API_KEY.
    --soft               only make it stale: validated, and served on while the origin is down
    --at ADDRESS         the gateway, as https://he2-edge-staging.account.workers.dev (that of he2.toml)
    --config FILE        he2.toml (the nearest, upwards from here)
";

/// What to do.
pub(crate) enum Command {
    Help,
    Check { file: Option<PathBuf> },
    Explain(Box<Asked>),
    Purge(purge::Asked),
}

/// A request to explain.
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) jwks: Option<PathBuf>,
    pub(crate) jwks_age: Option<u64>,
    pub(crate) revocations: Option<PathBuf>,
    pub(crate) body: Option<PathBuf>,
    pub(crate) issuer: Option<String>,
    pub(crate) ip: IpAddr,
    pub(crate) now: Option<u64>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) json: bool,
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(format!("{error}; see `he2 --help`"))
    }
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    match parser.next()? {
        None | Some(Short('h') | Long("help")) => Ok(Command::Help),
        Some(Value(name)) if name == "check" => check(parser),
        Some(Value(name)) if name == "explain" => explain(parser),
        Some(Value(name)) if name == "purge" => purge(parser),
        Some(Value(name)) => {
            let known = "known are `check`, `explain`, `purge`";
            Err(Failure::Usage(format!("unknown command `{}`; {known}", name.display())))
        }
        Some(other) => Err(other.unexpected().into()),
    }
}

fn check(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut file = None;
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Value(path) if file.is_none() => file = Some(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Command::Check { file })
}

fn explain(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut positional: Vec<String> = Vec::new();
    let mut asked = Asked {
        method: Method::GET,
        url: String::new(),
        headers: HeaderMap::new(),
        jwks: None,
        jwks_age: None,
        revocations: None,
        body: None,
        issuer: None,
        ip: IpAddr::from([192, 0, 2, 1]),
        now: None,
        config: None,
        json: false,
    };
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Short('H') => add_header(&mut asked.headers, &parser.value()?.string()?)?,
            Long("jwks") => asked.jwks = Some(parser.value()?.into()),
            Long("jwks-age") => asked.jwks_age = Some(parser.value()?.parse()?),
            Long("revocations") => asked.revocations = Some(parser.value()?.into()),
            Long("body") => asked.body = Some(parser.value()?.into()),
            Long("issuer") => asked.issuer = Some(parser.value()?.string()?),
            Long("ip") => asked.ip = parser.value()?.parse()?,
            Long("now") => asked.now = Some(parser.value()?.parse()?),
            Long("config") => asked.config = Some(parser.value()?.into()),
            Long("json") => asked.json = true,
            Value(text) if positional.len() < 2 => positional.push(text.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let [method, url] = <[String; 2]>::try_from(positional).map_err(|_| {
        Failure::Usage("explain needs METHOD and URL, as `explain GET https://he2.ai/`".to_owned())
    })?;
    asked.method = method.parse().map_err(|_| Failure::Usage(format!("`{method}` is no method")))?;
    asked.url = url;
    Ok(Command::Explain(Box::new(asked)))
}

fn purge(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut scopes, mut soft, mut at, mut config) = (Vec::new(), false, None, None);
    while let Some(arg) = parser.next()? {
        match arg {
            Short('h') | Long("help") => return Ok(Command::Help),
            Long("prefix") => scopes.push(("prefix", json!(parser.value()?.string()?))),
            Long("tag") => scopes.push(("tag", json!(parser.value()?.string()?))),
            Long("everything") => scopes.push(("everything", json!(true))),
            Long("soft") => soft = true,
            Long("at") => at = Some(parser.value()?.string()?),
            Long("config") => config = Some(parser.value()?.into()),
            Value(url) => scopes.push(("url", json!(url.string()?))),
            other => return Err(other.unexpected().into()),
        }
    }
    let [(member, what)] = <[(&str, _); 1]>::try_from(scopes).map_err(|_| {
        Failure::Usage("purge needs one of URL, --prefix URL, --tag TAG and --everything".to_owned())
    })?;
    let scope = [(member.to_owned(), what)].into_iter().collect();
    Ok(Command::Purge(purge::Asked { scope, soft, at, config }))
}

fn add_header(headers: &mut HeaderMap, line: &str) -> Result<(), Failure> {
    // Never the value: it may be a secret, and errors end up in logs.
    let fault = |name: &str| Failure::Usage(format!("-H `{name}`: write it as 'Name: value'"));
    let (name, value) = line.split_once(':').ok_or_else(|| fault("…"))?;
    let parsed = (name.parse::<HeaderName>(), value.trim().parse::<HeaderValue>());
    let (Ok(parsed_name), Ok(parsed_value)) = parsed else { return Err(fault(name)) };
    headers.append(parsed_name, parsed_value);
    Ok(())
}
