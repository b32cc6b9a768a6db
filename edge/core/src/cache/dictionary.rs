//! Dictionaries of structured fields (RFC 9651 §3.2), as far as cache directives need them: what is whole numbers and
//! flags is told, the rest only has to be in form.

/// What a member says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole number that is not negative.
    Integer(u64),
    /// It is there, and true.
    Flag,
    /// Something else.
    Other,
}

/// The members, the last of each name in the place of the first; none where the text is no dictionary (§4.2.2).
pub(super) fn parse(text: &str) -> Option<Vec<(String, Value)>> {
    let mut rest = text.trim_matches(' ');
    let mut members: Vec<(String, Value)> = Vec::new();
    while !rest.is_empty() {
        let (name, value, after) = member(rest)?;
        match members.iter_mut().find(|(known, _)| known == name) {
            Some(known) => known.1 = value,
            None => members.push((name.to_owned(), value)),
        }
        rest = match after.trim_start_matches([' ', '\t']) {
            "" => "",
            more => more.strip_prefix(',')?.trim_start_matches([' ', '\t']),
        };
        if rest.is_empty() && after.contains(',') {
            return None;
        }
    }
    Some(members)
}

/// The strings of a list (§4.2.1), without their parameters; none where the text is no list, or has anything else in it.
pub(super) fn strings(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim_matches(' ');
    let mut found = Vec::new();
    while !rest.is_empty() {
        let content = rest.strip_prefix('"')?;
        let after = string(content)?;
        let quoted = content.strip_suffix(after)?.strip_suffix('"')?;
        found.push(quoted.replace("\\\"", "\"").replace("\\\\", "\\"));
        let after = parameters(after)?.trim_start_matches([' ', '\t']);
        rest = after.strip_prefix(',').map_or(after, |more| more.trim_start_matches([' ', '\t']));
        if rest.is_empty() != after.is_empty() || (rest.len() == after.len() && !rest.is_empty()) {
            return None;
        }
    }
    Some(found)
}

fn member(text: &str) -> Option<(&str, Value, &str)> {
    let (name, rest) = key(text)?;
    let (value, rest) = match rest.strip_prefix('=') {
        None => (Value::Flag, rest),
        Some(rest) if rest.starts_with('(') => (Value::Other, inner_list(rest)?),
        Some(rest) => bare(rest)?,
    };
    Some((name, value, parameters(rest)?))
}

/// §4.2.3.3.
fn key(text: &str) -> Option<(&str, &str)> {
    let starts = text.starts_with(|first: char| first.is_ascii_lowercase() || first == '*');
    let is_in =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-.*".contains(letter);
    starts.then(|| split(text, is_in))
}

/// §4.2.3.2.
fn parameters(mut text: &str) -> Option<&str> {
    while let Some(rest) = text.strip_prefix(';') {
        let (_, rest) = key(rest.trim_start_matches(' '))?;
        text = match rest.strip_prefix('=') {
            None => rest,
            Some(value) => bare(value)?.1,
        };
    }
    Some(text)
}

/// §4.2.1.2.
fn inner_list(text: &str) -> Option<&str> {
    let mut rest = text.strip_prefix('(')?.trim_start_matches(' ');
    while !rest.starts_with(')') {
        let (_, after) = bare(rest)?;
        let after = parameters(after)?;
        rest = after.trim_start_matches(' ');
        if rest.len() == after.len() && !rest.starts_with(')') {
            return None;
        }
    }
    rest.strip_prefix(')')
}

/// §4.2.3.1: an item without its parameters, and what is after it.
fn bare(text: &str) -> Option<(Value, &str)> {
    match text.chars().next()? {
        '-' | '0'..='9' => number(text),
        '"' => Some((Value::Other, string(text.strip_prefix('"')?)?)),
        ':' => {
            let (content, rest) = text.strip_prefix(':')?.split_once(':')?;
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            content.bytes().all(is_base64).then_some((Value::Other, rest))
        }
        '?' => match text.strip_prefix("?1") {
            Some(rest) => Some((Value::Flag, rest)),
            None => Some((Value::Other, text.strip_prefix("?0")?)),
        },
        '@' => number(text.strip_prefix('@')?).map(|(_, rest)| (Value::Other, rest)),
        first if first.is_ascii_alphabetic() || first == '*' => {
            let is_in = |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(letter);
            Some((Value::Other, split(text, is_in).1))
        }
        _ => None,
    }
}

/// §4.2.4.
fn number(text: &str) -> Option<(Value, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (digits, rest) = split(unsigned, |letter| letter.is_ascii_digit());
    if digits.is_empty() || digits.len() > 15 {
        return None;
    }
    if let Some(fraction) = rest.strip_prefix('.') {
        let (fraction, rest) = split(fraction, |letter| letter.is_ascii_digit());
        return ((1..=3).contains(&fraction.len()) && digits.len() <= 12).then_some((Value::Other, rest));
    }
    let value = digits.parse().ok().filter(|_| unsigned.len() == text.len());
    Some((value.map_or(Value::Other, Value::Integer), rest))
}

/// §4.2.5: what is after the closing quote.
fn string(text: &str) -> Option<&str> {
    let mut letters = text.char_indices();
    while let Some((_, letter)) = letters.next() {
        match letter {
            '"' => return Some(letters.as_str()),
            '\\' => {
                letters.next().filter(|(_, escaped)| matches!(escaped, '"' | '\\'))?;
            }
            ' '..='~' => {}
            _ => return None,
        }
    }
    None
}

/// Where the letters that belong together end.
fn split(text: &str, is_in: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !is_in(letter)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9651_4_2_2_members_are_read_with_their_types() {
        let text = "max-age=60;x=1, private, s=\"a, \\\"b\", l=(1 tok \"x\");p, b=:aGk=:, t=ab/c, f=1.5, n=-1, no=?0";
        let members = parse(text).unwrap();
        let said: Vec<_> = members.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        assert_eq!(said[..2], [("max-age", Value::Integer(60)), ("private", Value::Flag)]);
        assert!(said[2..].iter().all(|(_, value)| *value == Value::Other));
        assert_eq!(said.len(), 9);
        assert_eq!(parse("a=1, a=2").unwrap(), [("a".to_owned(), Value::Integer(2))]);
    }

    #[test]
    fn rfc9651_4_2_what_is_out_of_form_is_no_dictionary() {
        for text in [
            "&&&",
            "a=",
            "a,",
            "a b",
            "A=1",
            "a =1",
            "a= 1",
            "a=\"x",
            "a=(1",
            "a=(1\"x\")",
            "a=1.",
            "a=:*:",
            "a=?2",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
