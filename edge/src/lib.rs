//! The Worker: entry points, and the plan that he2.toml became.
//!
//! It takes `web_sys` requests and returns `web_sys` responses, so a body is a stream that is handed on and never
//! passes through Wasm. Everything decided is decided in `edge_core`.

mod background;
mod body;
mod crypto;
mod deliveries;
mod glue;
mod keys;
mod limiter;
mod metrics;
mod object;
mod origin;
mod panics;
mod pipe;
mod places;
mod platform;
mod pump;
mod purges;
mod revocations;
mod rim;
mod scope;
mod settings;
mod shard;
mod store;
mod stream;
mod task;
mod time;

use edge_core::fault::Fault;
use edge_core::gateway;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::{Context, Env, worker_sys};

/// What he2.toml became.
#[allow(clippy::unreadable_literal, reason = "written by the build, for the compiler")]
mod plan {
    include!(concat!(env!("OUT_DIR"), "/plan.rs"));
}

/// Every request of every user. What waits for nothing, a refusal or a short answer out of memory, is answered at once.
#[wasm_bindgen]
#[must_use]
pub fn fetch(request: web_sys::Request, env: Env, context: worker_sys::Context) -> JsValue {
    task::answer(time::one_reading_a_poll(answered(request, env, Context::new(context))))
}

/// The answer, whatever it takes; the platform's own words where not even a refusal can be made.
async fn answered(request: web_sys::Request, env: Env, context: Context) -> web_sys::Response {
    let refused = |error: worker::Error| glue::refusal(&Fault::Internal(error.to_string()));
    let response = answer(request, env, context).await.or_else(refused);
    response.unwrap_or_else(|_| web_sys::Response::error())
}

async fn answer(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    let settings = match settings::get(&env) {
        Ok(settings) => settings,
        Err(missing) => return glue::refusal(&Fault::Internal(missing)),
    };
    let arrived = rim::Arrived::new(request);
    let Some(request) = glue::request(&arrived) else {
        return glue::refusal(&Fault::Internal("the platform sent no URL or no method".to_owned()));
    };
    let platform = platform::Platform::new(arrived, settings, env, context);
    panics::tell(&platform);
    #[cfg(feature = "panics")]
    panics::on_demand(&request.headers).await;
    let (response, record) = gateway::handle(&plan::PLAN, &platform, request).await;
    if record.weight.is_some() {
        worker::console_log!("{}", serde_json::to_string(&record).unwrap_or_default());
    }
    metrics::tell(platform.env(), &record);
    glue::response(response).or_else(|error| {
        gateway::report(&platform, "response", &error.to_string(), &record);
        glue::refusal(&Fault::Internal(error.to_string()))
    })
}
