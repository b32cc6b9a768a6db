//! Sets of paths, as the gateway's patterns and the load balancer's wildcards describe them.
//!
//! Decides whether two sets share a path, and whether one holds the other. The second may say no where the truth
//! is yes: a rule too many then, never a wrong one.

use edge_core::plan::{Route, Segment};

/// A set of paths: what may stand at each place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Paths(Vec<Token>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    class: Class,
    /// Any number of times, and not at all.
    many: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Byte(u8),
    NotSlash,
    Any,
}

/// The load balancer's pattern that takes at least what the segments take.
pub(super) fn glob(segments: &[Segment]) -> String {
    let text = |segment: &Segment| match segment {
        Segment::Literal(text) => text,
        Segment::Param(_) | Segment::Tail(_) => "*",
    };
    let parts: Vec<&str> = segments.iter().map(text).collect();
    format!("/{}", parts.join("/"))
}

impl Paths {
    /// What a pattern of the load balancer takes.
    pub(super) fn of_glob(glob: &str) -> Self {
        let token = |byte| match byte {
            b'*' => Token { class: Class::Any, many: true },
            _ => Token { class: Class::Byte(byte), many: false },
        };
        Self(glob.bytes().map(token).collect())
    }

    /// What a route takes, whoever comes before it.
    pub(super) fn of_route(route: &Route) -> Self {
        if route.segments.is_empty() {
            return Self::of_glob("/");
        }
        Self(route.segments.iter().flat_map(segment).collect())
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        meet(&self.0, &other.0)
    }

    pub(super) fn holds(&self, other: &Self) -> bool {
        hold(&self.0, &other.0)
    }
}

fn segment(segment: &Segment) -> Vec<Token> {
    let rest = match segment {
        Segment::Literal(text) => Paths::of_glob(text).0,
        Segment::Param(_) => [false, true].map(|many| Token { class: Class::NotSlash, many }).to_vec(),
        Segment::Tail(_) => Paths::of_glob("*").0,
    };
    [Paths::of_glob("/").0, rest].concat()
}

fn meet(one: &[Token], other: &[Token]) -> bool {
    match (one.split_first(), other.split_first()) {
        (None, None) => true,
        (Some((head, rest)), _) if head.many => meet(rest, other) || absorbs(*head, one, other),
        (_, Some((head, rest))) if head.many => meet(one, rest) || absorbs(*head, other, one),
        (Some((a, one)), Some((b, other))) => a.class.shares(b.class) && meet(one, other),
        _ => false,
    }
}

/// Whether they meet with at least one more character under `head`, the first of `own`.
fn absorbs(head: Token, own: &[Token], other: &[Token]) -> bool {
    other.split_first().is_some_and(|(next, rest)| head.class.shares(next.class) && meet(own, rest))
}

fn hold(whole: &[Token], part: &[Token]) -> bool {
    match (whole.split_first(), part.split_first()) {
        (None, None) => true,
        (Some((head, rest)), next) if head.many => {
            hold(rest, part)
                || next.is_some_and(|(next, part)| head.class.covers(next.class) && hold(whole, part))
        }
        (Some((head, whole)), Some((next, part))) => {
            !next.many && head.class.covers(next.class) && hold(whole, part)
        }
        _ => false,
    }
}

impl Class {
    fn shares(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    fn covers(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (Self::NotSlash, Self::NotSlash) => true,
            (Self::NotSlash, Self::Byte(byte)) => byte != b'/',
            (Self::Byte(one), Self::Byte(other)) => one == other,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meets(one: &str, other: &str) -> bool {
        let (one, other) = (Paths::of_glob(one), Paths::of_glob(other));
        assert_eq!(one.meets(&other), other.meets(&one));
        one.meets(&other)
    }

    fn holds(whole: &str, part: &str) -> bool {
        Paths::of_glob(whole).holds(&Paths::of_glob(part))
    }

    #[test]
    fn wildcards_meet_where_a_path_fits_both() {
        assert!(meets("/a/*", "/a/b"));
        assert!(meets("/a/*", "/a/"));
        assert!(meets("/a/*/c", "/a/b/*"));
        assert!(meets("/*/c", "/a/b/c"));
        assert!(!meets("/a/*", "/a"));
        assert!(!meets("/a/*/c", "/a/b/d"));
        assert!(!meets("/a/b*", "/a/c*"));
    }

    #[test]
    fn a_wildcard_holds_what_is_below_it_and_no_more() {
        assert!(holds("/a/*", "/a/*/*/c"));
        assert!(holds("/a/*", "/a/*"));
        assert!(holds("/*", "/"));
        assert!(!holds("/a/*", "/*"));
        assert!(!holds("/a/*/c", "/a/*"));
    }
}
