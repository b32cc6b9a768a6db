//! Paths of all routes of the app and of he2.toml, and paths that look like them.

use std::collections::BTreeSet;

use edge_core::plan::Plan;

/// HEAD goes where GET goes; the last stands for methods that no route names.
pub(crate) const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "DELETE", "PROPFIND"];

/// What stands where a pattern has a capture: an id, escapes, a slash in an escape, nothing, two segments, a word that
/// other routes have there.
const CAPTURES: [&str; 6] =
    ["5f0c6f1e-7d0b-4c39-9d57-0c4f3f2f7a11", "a%3Ab@c", "scope%2Fname", "", "a/b", "webhook"];

/// Sorted, each once.
pub(crate) fn paths(plan: &Plan) -> BTreeSet<String> {
    let app = include_str!("../../../edge/config/tests/app-routes.tsv");
    let rows = app.lines().filter(|line| !line.starts_with('#')).skip(1);
    let app = rows.map(|row| row.split('\t').nth(1).expect("a path"));
    let own = plan.routes.iter().map(|route| route.pattern);
    app.chain(own).flat_map(filled).flat_map(|path| alike(&path)).collect()
}

/// The pattern with each kind of capture in all of its places.
fn filled(pattern: &str) -> Vec<String> {
    let with = |capture: &str| {
        let fill =
            |segment: &str| if segment.starts_with('{') { capture.to_owned() } else { segment.to_owned() };
        pattern.split('/').map(fill).collect::<Vec<_>>().join("/")
    };
    CAPTURES.map(with).to_vec()
}

/// The path, and paths that differ in one place.
fn alike(path: &str) -> Vec<String> {
    let mut all = vec![
        path.to_owned(),
        format!("{path}/"),
        format!("{path}/more"),
        format!("{path}/more/segments"),
        format!("{path}X"),
        format!("/more{path}"),
        path.to_uppercase(),
        path.replacen("/api", "/APi", 1),
        path.replacen("/api", "/%61pi", 1),
        path.replacen("/api", "//api", 1),
        path.replacen("/api/", "/api/more/", 1),
        path.replacen("/api/", "/apiX/", 1),
        path.replace('/', "%2F"),
        path.replace("webhook", "webhooks"),
    ];
    let segments: Vec<&str> = path.split('/').collect();
    for place in 1..segments.len() {
        let with = |text: String| {
            let mut changed: Vec<String> = segments.iter().map(|&segment| segment.to_owned()).collect();
            changed[place] = text;
            changed.join("/")
        };
        let segment = segments[place];
        all.extend([with(format!("{segment}X")), with(format!("{segment}/")), with(escaped(segment))]);
        all.push([&segments[..place], &segments[place + 1..]].concat().join("/"));
    }
    all
}

/// The segment with its first character escaped, which is the same path in normal form.
fn escaped(segment: &str) -> String {
    match segment.as_bytes().split_first() {
        Some((first, _)) if first.is_ascii_alphanumeric() => format!("%{first:02X}{}", &segment[1..]),
        _ => segment.to_owned(),
    }
}
