//! Who may pass a route, word for word: a class in quotes, or a table with one.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::condition::ClaimTest;
use crate::fault::Report;
use crate::read::{Given, Lined, OneOrMore, Read, Section};

pub(crate) enum RouteAuth {
    Callers(Callers),
    Admin(Admin),
    Webhook(Webhook),
    /// A class that there is not.
    Unknown(Lined<String>),
    /// No class, which is reported.
    Faulty,
}

/// Classes that tell callers by their own credentials, or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Public,
    Blocked,
    Optional,
    User,
    ApiKey,
    AnyOf,
}

pub(crate) struct Callers {
    pub(crate) class: Lined<Class>,
    pub(crate) sources: Given<Vec<Lined<String>>>,
    pub(crate) grace: Given<u32>,
    pub(crate) aal: Given<OneOrMore<String>>,
    pub(crate) anonymous: Given<bool>,
    pub(crate) roles: Given<Vec<Lined<String>>>,
    pub(crate) claims: Given<Vec<ClaimTest>>,
}

pub(crate) struct Admin {
    pub(crate) secret: Option<Lined<String>>,
    pub(crate) networks: Given<Vec<Lined<String>>>,
}

pub(crate) struct Webhook {
    pub(crate) scheme: Option<Lined<String>>,
    pub(crate) header: Given<String>,
    pub(crate) secret: Option<Lined<String>>,
    pub(crate) tolerance: Given<u32>,
    pub(crate) max_body: Option<Lined<u32>>,
}

impl Class {
    pub(crate) const ALL: [Self; 6] =
        [Self::Public, Self::Blocked, Self::Optional, Self::User, Self::ApiKey, Self::AnyOf];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Blocked => "blocked",
            Self::Optional => "optional",
            Self::User => "user",
            Self::ApiKey => "api_key",
            Self::AnyOf => "any_of",
        }
    }
}

impl Read for RouteAuth {
    const WANTED: &'static str = "a class in quotes, or a table with a `class`";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let line = report.line(&value.span());
        if let Some(class) = value.get_ref().as_str() {
            return Some(of(Lined { line, value: class.to_owned() }, &DeTable::new(), report));
        }
        let table = value.get_ref().as_table()?;
        let class = Section::new("auth", line, table, report).required("class");
        Some(class.map_or(Self::Faulty, |class| of(class, table, report)))
    }
}

fn of(class: Lined<String>, table: &DeTable<'_>, report: &Report) -> RouteAuth {
    let section = Section::new(format!("auth `{}`", class.value), class.line, table, report);
    let known = Class::ALL.into_iter().find(|known| known.name() == class.value);
    match (class.value.as_str(), known) {
        ("admin", _) => RouteAuth::Admin(admin(section)),
        ("webhook", _) => RouteAuth::Webhook(webhook(section)),
        (_, Some(value)) => RouteAuth::Callers(callers(Lined { line: class.line, value }, section)),
        (_, None) => RouteAuth::Unknown(class),
    }
}

fn callers(class: Lined<Class>, mut section: Section<'_>) -> Callers {
    let callers = Callers {
        class,
        sources: section.optional("sources"),
        grace: section.optional("grace_seconds"),
        aal: section.optional("aal"),
        anonymous: section.optional("anonymous"),
        roles: section.optional("roles"),
        claims: section.optional("claims"),
    };
    finish(section);
    callers
}

fn admin(mut section: Section<'_>) -> Admin {
    let admin = Admin { secret: section.required("secret"), networks: section.optional("networks") };
    finish(section);
    admin
}

fn webhook(mut section: Section<'_>) -> Webhook {
    let webhook = Webhook {
        scheme: section.required("scheme"),
        header: section.optional("header"),
        secret: section.required("secret"),
        tolerance: section.optional("tolerance_seconds"),
        max_body: section.required("max_body_bytes"),
    };
    finish(section);
    webhook
}

/// The class has been read before.
fn finish(mut section: Section<'_>) {
    let _: Given<String> = section.optional("class");
    section.finish();
}
