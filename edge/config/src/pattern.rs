//! Path patterns: `/api/agents/{agent_id}`, `/files/{*file_id}`.
//!
//! Text may hold unreserved characters only (RFC 3986 §2.3). The gateway decodes the escapes of exactly
//! these, so each has one spelling; any other could arrive escaped and slip past the route.

use edge_core::plan::Segment;

use crate::leak;

/// The segments of `pattern`, or everything that is wrong with it.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Segment>, Vec<String>> {
    let Some(rest) = pattern.strip_prefix('/') else {
        return Err(vec![format!("path `{pattern}` must begin with `/`")]);
    };
    if rest.is_empty() {
        return Ok(Vec::new());
    }
    let parsed = rest.split('/').map(segment);
    let (good, bad): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
    let segments: Vec<Segment> = good.into_iter().flatten().collect();
    let mut faults: Vec<String> = bad.into_iter().filter_map(Result::err).collect();
    faults.extend(together(rest, &segments));
    match faults.is_empty() {
        true => Ok(segments),
        false => Err(faults.into_iter().map(|fault| format!("path `{pattern}`: {fault}")).collect()),
    }
}

fn segment(text: &str) -> Result<Segment, String> {
    if let Some(inside) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        return capture(inside);
    }
    match text {
        "" => Err("it has an empty segment; remove the extra `/`".into()),
        "." | ".." => Err(format!("the dot segment `{text}` never arrives; write the path without it")),
        _ if text.contains(['{', '}']) => {
            Err(format!("`{text}` mixes text and braces; a capture is a whole segment"))
        }
        _ if text.bytes().all(is_unreserved) => Ok(Segment::Literal(leak::text(text))),
        _ => {
            Err(format!("`{text}` may hold letters, digits and `-._~` only; use a {{capture}} for the rest"))
        }
    }
}

fn capture(inside: &str) -> Result<Segment, String> {
    let (name, make): (&str, fn(&'static str) -> Segment) = match inside.strip_prefix('*') {
        Some(name) => (name, Segment::Tail),
        None => (inside, Segment::Param),
    };
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match is_name {
        true => Ok(make(leak::text(name))),
        false => {
            Err(format!("`{{{inside}}}` needs a name of letters, digits and `_`, as `{{id}}` or `{{*rest}}`"))
        }
    }
}

/// What only the whole pattern shows.
fn together(rest: &str, segments: &[Segment]) -> Vec<String> {
    let mut faults = Vec::new();
    if rest.rsplit('/').skip(1).any(|text| text.starts_with("{*")) {
        faults.push("a `{*tail}` takes all that follows; it must come last".into());
    }
    let mut seen = Vec::new();
    for segment in segments {
        let (Segment::Param(name) | Segment::Tail(name)) = segment else { continue };
        if seen.contains(name) {
            faults.push(format!("the name `{name}` is used twice; rename one"));
        }
        seen.push(name);
    }
    faults
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}
