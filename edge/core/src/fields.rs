//! Header fields as text, for the platform's border: a text costs one crossing, however many fields there are.
//!
//! Fields come in as lines of `name:value`. Back goes only what is to change of them, as a line for each edit, which the
//! platform applies to its own copy: `=name:value` sets a field, `+name:value` adds a value to it, `-name:` deletes it.
//! So what is passed on as it came is never taken apart. A name has no colon, and a value no line break (RFC 9110 §5.5).

use std::iter;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// The fields of a text; those that `http` cannot hold are left out, as no origin could be sent them.
///
/// Their values share one copy of the text: a head is cloned several times on its way, and this way nothing is copied.
#[must_use]
pub fn parse(text: &str) -> HeaderMap {
    let shared = Bytes::copy_from_slice(text.as_bytes());
    let text = str::from_utf8(&shared).unwrap_or_default();
    let held = |value: &str| HeaderValue::from_maybe_shared(shared.slice_ref(value.as_bytes())).ok();
    let field = |(name, value): (&str, &str)| Some((name.parse::<HeaderName>().ok()?, held(value)?));
    let mut fields = HeaderMap::with_capacity(32);
    for (name, value) in lines(text).filter_map(field) {
        fields.append(name, value);
    }
    fields
}

/// What makes the fields of a text the wanted ones.
#[must_use]
pub fn edits(text: &str, wanted: &HeaderMap) -> String {
    let mut arrived: Vec<_> = lines(text).collect();
    // The platform has sorted them already. The values of one name stay in their order.
    arrived.sort_by_key(|(name, _)| *name);
    let mut edits = String::with_capacity(1024);
    for fields in arrived.chunk_by(|(one, _), (other, _)| one == other) {
        let name = fields.first().map_or("", |(name, _)| name);
        if !wanted.contains_key(name) {
            edits.extend(["-", name, ":\n"]);
        }
    }
    for name in wanted.keys() {
        let from = arrived.partition_point(|(other, _)| *other < name.as_str());
        let had = arrived.iter().skip(from).take_while(|(other, _)| *other == name.as_str());
        let values = wanted.get_all(name);
        if !values.iter().map(HeaderValue::as_bytes).eq(had.map(|(_, value)| value.as_bytes())) {
            write(&mut edits, name, values.iter());
        }
    }
    edits
}

/// The platform takes UTF-8.
fn write<'v>(edits: &mut String, name: &HeaderName, values: impl Iterator<Item = &'v HeaderValue>) {
    for (value, edit) in values.zip(iter::once("=").chain(iter::repeat("+"))) {
        edits.extend([edit, name.as_str(), ":", &String::from_utf8_lossy(value.as_bytes()), "\n"]);
    }
}

fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split('\n').filter_map(|line| line.split_once(':'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Fields = Vec<(String, String)>;

    /// What the platform does.
    fn applied(text: &str, edits: &str) -> Fields {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let mut fields: Fields = lines(text).map(owned).collect();
        for line in edits.lines() {
            let (edit, rest) = line.split_at(1);
            let (name, value) = rest.split_once(':').unwrap();
            if edit != "+" {
                fields.retain(|(other, _)| other != name);
            }
            if edit != "-" {
                fields.push((name.to_owned(), value.to_owned()));
            }
        }
        fields
    }

    fn written(wanted: &HeaderMap) -> Fields {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        wanted.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    fn sorted(mut fields: Fields) -> Fields {
        fields.sort_by(|(one, _), (other, _)| one.cmp(other));
        fields
    }

    #[test]
    fn what_stays_as_it_came_is_not_written_again() {
        let arrived = "accept:*/*\ncookie:a=1\nset-cookie:a=1\nset-cookie:b=2\n";
        assert_eq!(edits(arrived, &parse(arrived)), "");
    }

    #[test]
    fn fields_are_deleted_set_and_given_further_values() {
        let mut wanted = parse("accept:*/*\nvia:1.1 other\n");
        wanted.insert("x-he2-user", HeaderValue::from_static("u"));
        wanted.append("via", HeaderValue::from_static("1.1 he2-edge"));
        let edits = edits("accept:*/*\nhost:he2.ai\nvia:1.1 other\n", &wanted);
        assert_eq!(edits, "-host:\n=via:1.1 other\n+via:1.1 he2-edge\n=x-he2-user:u\n");
    }

    #[test]
    fn a_field_that_cannot_be_held_is_deleted() {
        let arrived = "accept:*/*\nx-bell:\u{7}\n";
        assert_eq!(edits(arrived, &parse(arrived)), "-x-bell:\n");
    }

    proptest! {
        #[test]
        fn the_edits_make_the_arrived_fields_the_wanted_ones(
            arrived in prop::collection::vec(("[a-f]", "[ -~é\u{1}]{0,3}"), 0..8),
            wanted in prop::collection::vec(("[a-f]", "[ -~é]{0,3}"), 0..8),
            kept in any::<bool>(),
        ) {
            let line = |(name, value): &(String, String)| [name, ":", value, "\n"].concat();
            let text = |fields: &Fields| fields.iter().map(line).collect::<Vec<_>>().concat();
            let arrived = text(&arrived);
            let mut map = parse(&text(&wanted));
            if kept {
                map.extend(parse(&arrived));
            }
            let made = applied(&arrived, &edits(&arrived, &map));
            prop_assert_eq!(sorted(made), sorted(written(&map)));
        }
    }
}
