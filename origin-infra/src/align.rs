//! What hcl-rs leaves out and `terraform fmt` asks for: `=` in a column.
//!
//! A run is consecutive lines `key = value` of one depth whose value ends on its line; its keys are padded to the
//! longest. A line that opens a bracket ends the run and stays as it is. Trailing comments and heredocs are not
//! emitted, so they are not handled.

/// The text with its runs aligned.
pub(crate) fn align(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run: Vec<Line<'_>> = Vec::new();
    for line in text.lines() {
        match Line::of(line) {
            Some(member) if run.first().is_none_or(|first| first.depth == member.depth) => run.push(member),
            member => {
                flush(&mut run, &mut out);
                match member {
                    Some(member) => run.push(member),
                    None => push(&mut out, line),
                }
            }
        }
    }
    flush(&mut run, &mut out);
    out
}

struct Line<'a> {
    depth: usize,
    key: &'a str,
    value: &'a str,
}

impl<'a> Line<'a> {
    /// `None` unless the line is `key = value`, the value complete.
    fn of(line: &'a str) -> Option<Self> {
        let (key, value) = line.split_once(" = ")?;
        let depth = key.len().saturating_sub(key.trim_start().len());
        let key = key.trim();
        let name = key.trim_matches('"');
        let plain = !key.starts_with('#') && (key.len() > name.len() || !name.contains([' ', '(', '[', '{']));
        (plain && is_closed(value)).then_some(Self { depth, key, value: value.trim_start() })
    }
}

/// Whether every bracket that a value opens is closed on its line; strings are skipped.
fn is_closed(value: &str) -> bool {
    let (mut open, mut quoted, mut escaped) = (0_i32, false, false);
    for character in value.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => open = open.saturating_add(1),
            ')' | ']' | '}' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open == 0
}

fn flush(run: &mut Vec<Line<'_>>, out: &mut String) {
    let width = run.iter().map(|line| line.key.chars().count()).max().unwrap_or_default();
    for Line { depth, key, value } in run.drain(..) {
        push(out, &format!("{}{key:<width$} = {value}", " ".repeat(depth)));
    }
}

fn push(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
