//! The Worker: entry points, and the plan that he2.toml became.
//!
//! It takes `web_sys` requests and returns `web_sys` responses, so a body is a stream that is handed on and never
//! passes through Wasm. Everything decided is decided in `edge_core`.

mod background;
mod body;
mod crypto;
mod deliveries;
mod fields;
mod glue;
mod keys;
mod limiter;
mod metrics;
mod object;
mod origin;
mod panics;
mod places;
mod platform;
mod pump;
mod purges;
mod revocations;
mod scope;
mod settings;
mod shard;
mod store;
mod stream;
mod time;

use edge_core::fault::Fault;
use edge_core::gateway;
use worker::{Context, Env, event};

/// What he2.toml became.
#[allow(clippy::unreadable_literal, reason = "written by the build, for the compiler")]
mod plan {
    include!(concat!(env!("OUT_DIR"), "/plan.rs"));
}

/// Every request of every user.
#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let settings = match settings::get(&env) {
        Ok(settings) => settings,
        Err(missing) => return glue::refusal(&Fault::Internal(missing)),
    };
    let Some(arrived) = glue::request(&request) else {
        return glue::refusal(&Fault::Internal("the platform sent no URL or no method".to_owned()));
    };
    let platform = platform::Platform::new(&request, settings, env, context);
    panics::tell(&platform);
    #[cfg(feature = "panics")]
    panics::on_demand(&request).await;
    let (response, record) = gateway::handle(&plan::PLAN, &platform, arrived).await;
    if record.weight.is_some() {
        worker::console_log!("{}", serde_json::to_string(&record).unwrap_or_default());
    }
    metrics::tell(platform.env(), &record);
    glue::response(response).or_else(|error| {
        gateway::report(&platform, "response", &error.to_string(), &record);
        glue::refusal(&Fault::Internal(error.to_string()))
    })
}
