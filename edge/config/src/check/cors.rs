//! Which pages may call the API (Fetch standard).

use edge_core::plan::Cors;

use super::text::{check_known, check_list, is_authority, is_token, leaked};
use crate::fault::Report;
use crate::read::Lined;
use crate::{leak, reach, written};

pub(crate) fn check(cors: &written::Cors, report: &Report) -> Option<Cors> {
    let lists = [
        ("origins", &cors.origins),
        ("methods", &cors.methods),
        ("headers", &cors.headers),
        ("expose", &cors.expose),
    ];
    for (key, list) in lists {
        check_list(key, list, report);
    }
    cors.origins.iter().flat_map(|list| &list.value).for_each(|origin| check_origin(origin, report));
    cors.methods.iter().for_each(|list| check_known("method", &list.value, &reach::METHODS, report));
    let headers = cors.headers.iter().chain(&cors.expose).flat_map(|list| &list.value);
    headers.for_each(|header| check_header(header, report));
    Some(Cors {
        origins: leaked(&cors.origins.as_ref()?.value),
        methods: joined(&cors.methods.as_ref()?.value),
        headers: joined(&cors.headers.as_ref()?.value),
        expose: joined(&cors.expose.as_ref()?.value),
        max_age_seconds: cors.max_age.as_ref()?.value,
    })
}

/// An origin is compared byte for byte with what browsers send, so it must be in their form.
fn check_origin(origin: &Lined<String>, report: &Report) {
    let text = &origin.value;
    let fault = match text.split_once("://") {
        _ if text == "*" => "goes with no credentials; name each origin",
        _ if text.ends_with('/') => "has a trailing slash, which browsers never send; remove it",
        Some(("https", rest)) if is_authority(rest, "443") => return,
        Some(("http", rest)) if is_authority(rest, "80") && is_local(rest) => return,
        Some(("http", _)) => "is not encrypted; use https (http is for localhost only)",
        _ => "is not as browsers send it; write `https://host` or `https://host:port` in lower case",
    };
    report.add(origin.line, format!("origin `{text}` {fault}"));
}

fn is_local(authority: &str) -> bool {
    authority.split(':').next().is_some_and(|host| host == "localhost" || host == "127.0.0.1")
}

/// `*` is a name like any other where credentials are allowed.
fn check_header(header: &Lined<String>, report: &Report) {
    if header.value == "*" || !is_token(&header.value) {
        report.add(header.line, format!("`{}` is no header name; name each header", header.value));
    }
}

fn joined(items: &[Lined<String>]) -> &'static str {
    let names: Vec<&str> = items.iter().map(|item| item.value.as_str()).collect();
    leak::text(&names.join(", "))
}
