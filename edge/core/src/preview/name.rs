//! The host name of a preview: which port of which sandbox it means.
//!
//! A sandbox is named by its id, a UUID in lower case, and nothing else: Daytona's API would take a sandbox's name too,
//! which can be guessed, and the address is all that a viewer needs to have.

use crate::plan::Previews;

/// What a host name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The port in the sandbox.
    pub port: u16,
    /// The sandbox's id.
    pub sandbox: String,
}

impl Name {
    /// The one label before the domain.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}-{}", self.port, self.sandbox)
    }
}

/// What `host` means, in lower case and without port; `None` for what is no preview's.
#[must_use]
pub fn parse(domain: &str, host: &str) -> Option<Name> {
    let label = host.strip_suffix(domain)?.strip_suffix('.')?;
    // The id has dashes of its own.
    let (port, sandbox) = label.split_once('-')?;
    let port = self::port(port)?;
    is_uuid(sandbox).then(|| Name { port, sandbox: sandbox.to_owned() })
}

/// Whether the plan shows a port.
#[must_use]
pub fn is_shown(previews: &Previews, port: u16) -> bool {
    previews.ports.iter().any(|ports| (ports.first..=ports.last).contains(&port))
        && !previews.reserved.contains(&port)
}

/// In one spelling: two names would be two origins to a browser, and one sandbox.
fn port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port: &u16| *port > 0 && port.to_string() == text)
}

/// 8-4-4-4-12 hexadecimal digits (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.split('-').all(digits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::PREVIEWS;

    const ID: &str = "0b5e9c1a-7f2d-4e60-9d3c-1a2b3c4d5e6f";

    fn parsed(host: &str) -> Option<(u16, String)> {
        parse("previews.example", host).map(|name| (name.port, name.sandbox))
    }

    #[test]
    fn a_label_is_split_at_its_first_dash() {
        assert_eq!(parsed(&format!("8080-{ID}.previews.example")), Some((8080, ID.to_owned())));
        assert_eq!(parsed(&format!("65535-{ID}.previews.example")), Some((65_535, ID.to_owned())));
    }

    #[test]
    fn what_is_not_exactly_a_port_and_an_id_is_no_preview() {
        for label in [
            "",
            "8080",
            "8080-",
            "-8080",
            &format!("-{ID}"),
            &format!("0-{ID}"),
            &format!("08080-{ID}"),
            &format!("+8080-{ID}"),
            &format!("65536-{ID}"),
            &format!("8080-{}", ID.to_uppercase()),
            &format!("8080-{ID}-x"),
            &format!("8080-{}", ID.replace('-', "")),
            "8080-my-sandbox",
            &format!("8080--{ID}"),
            &format!("a.8080-{ID}"),
            &format!("8080-{ID}.a"),
            &format!("8080-{}", ID.replace('a', "g")),
        ] {
            assert_eq!(parsed(&format!("{label}.previews.example")), None, "{label}");
        }
        for host in [
            "previews.example",
            ".previews.example",
            &format!("8080-{ID}previews.example"),
            &format!("8080-{ID}"),
            &format!("8080-{ID}.previews.example."),
            &format!("8080-{ID}.previews.example.evil.example"),
            &format!("8080-{ID}.evilpreviews.example"),
        ] {
            assert_eq!(parsed(host), None, "{host}");
        }
    }

    #[test]
    fn reserved_ports_are_not_shown_though_a_range_has_them() {
        let shown: Vec<u16> = [21, 22, 2_279, 2_280, 2_281, 3_000, 8_080, 22_222]
            .into_iter()
            .filter(|port| is_shown(&PREVIEWS, *port))
            .collect();
        assert_eq!(shown, [2_279, 2_281, 8_080]);
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_is_written(port in 1_u16.., id in "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") {
            let name = Name { port, sandbox: id };
            prop_assert_eq!(parse("p.example", &format!("{}.p.example", name.label())), Some(name));
        }

        #[test]
        fn a_host_that_is_read_has_no_other_spelling(host in "[0-9a-f+-]{1,6}-[0-9a-fA-F-]{30,40}\\.?p\\.example\\.?") {
            if let Some(name) = parse("p.example", &host) {
                prop_assert_eq!(format!("{}.p.example", name.label()), host);
            }
        }

        #[test]
        fn nothing_panics(domain in any::<String>(), host in any::<String>()) {
            let _ = parse(&domain, &host);
        }
    }
}
