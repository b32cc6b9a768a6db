//! `he2 explain`: a request through the gateway's own code, with a platform that does nothing.

mod limits;
mod offline;
mod previews;
mod print;
mod redact;
mod steps;

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::UNIX_EPOCH;

use edge_core::gateway;
use edge_core::host::{Cf, Request};
use edge_core::plan::{Edge, Plan};
use edge_core::record::Record;
use edge_core::target::{self, Target};
use he2_config::Lines;
use http::{HeaderMap, Method, Response};

use crate::args::Asked;
use crate::{Failure, Said, file};
use offline::{Offline, Reached};

/// All that was seen of one request's way.
struct Seen {
    file: String,
    plan: &'static Plan,
    lines: Lines,
    method: Method,
    target: Target,
    headers: HeaderMap,
    record: Record,
    response: Response<String>,
    reached: Reached,
}

pub(crate) fn run(asked: &Asked) -> Said {
    let (file, config) = file::load(asked.config.as_deref())?;
    let target = target::parse(&asked.url)
        .ok_or_else(|| Failure::Usage("the URL must be absolute, as https://he2.ai/api/agents".to_owned()))?;
    // Made once per run and used until its end.
    let plan: &'static Plan = Box::leak(Box::new(config.plan()));
    let platform = Offline::new(plan, asked, now_ms(asked)?)?;
    let body = asked.body.as_deref().map(offline::read).transpose()?.unwrap_or_default();
    let (response, record) = finish(gateway::handle(plan, &platform, request(asked, &target, body)));
    let (method, headers, lines) = (asked.method.clone(), asked.headers.clone(), config.lines().clone());
    let mut reached = platform.reached();
    // Who asks whether the gateway is ready has it ask others, but is not passed on.
    reached.sent =
        reached.sent.filter(|_| record.matched.is_none_or(|route| route.edge != Some(Edge::Ready)));
    let seen = Seen { file, plan, lines, method, target, headers, record, response, reached };
    Ok(if asked.json { print::json(&seen) } else { print::text(&seen) })
}

fn request(asked: &Asked, target: &Target, body: String) -> Request<String> {
    let Target { scheme, host, path, query } = target.clone();
    Request {
        method: asked.method.clone(),
        scheme,
        host,
        path,
        query,
        headers: asked.headers.clone(),
        ip: Some(asked.ip),
        cf: Cf::default(),
        body,
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of the host, where this clock works")]
fn now_ms(asked: &Asked) -> Result<u64, Failure> {
    let seconds = match asked.now {
        Some(seconds) => seconds,
        None => std::time::SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_err(|_| Failure::Usage("the clock stands before 1970; use --now".to_owned()))?
            .as_secs(),
    };
    Ok(seconds.saturating_mul(1000))
}

/// Runs a future that never waits: the platform's every answer is ready.
fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(done) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return done;
        }
    }
}
