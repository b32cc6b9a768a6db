//! Who issues tokens, word for word.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use toml::value::Date;

use super::Texts;
use super::condition::ClaimTest;
use crate::fault::Report;
use crate::read::{Given, Lined, Read, Section};

pub(crate) struct Issuer {
    pub(crate) name: Lined<String>,
    pub(crate) variable: Option<Lined<String>>,
    pub(crate) jwks: Given<String>,
    pub(crate) audience_claim: Given<String>,
    pub(crate) audiences: Option<Lined<Audiences>>,
    pub(crate) algorithms: Texts,
    pub(crate) hs256: Given<Hs256>,
    pub(crate) roles: Given<Vec<Lined<String>>>,
    pub(crate) claims: Given<ClaimNames>,
    pub(crate) require: Given<Vec<ClaimTest>>,
    pub(crate) cookie: Given<bool>,
    pub(crate) jwks_max_age: Option<Lined<u32>>,
    pub(crate) jwks_stale: Option<Lined<u32>>,
    pub(crate) jwks_cooldown: Option<Lined<u32>>,
}

pub(crate) enum Audiences {
    Listed(Vec<Lined<String>>),
    /// `None` when the name is missing or mistyped, which is reported.
    Variable(Option<Lined<String>>),
}

pub(crate) struct Hs256 {
    pub(crate) secret: Option<Lined<String>>,
    pub(crate) until: Option<Lined<Date>>,
}

pub(crate) struct ClaimNames {
    pub(crate) user: Given<String>,
    pub(crate) role: Given<String>,
    pub(crate) session: Given<String>,
    pub(crate) aal: Given<String>,
    pub(crate) anonymous: Given<String>,
}

pub(super) fn issuer(name: Lined<String>, table: &DeTable<'_>, report: &Report) -> Issuer {
    let mut section = Section::new(format!("[issuer.{}]", name.value), name.line, table, report);
    let issuer = Issuer {
        variable: section.required("variable"),
        jwks: section.optional("jwks"),
        audience_claim: section.optional("audience_claim"),
        audiences: section.required("audiences"),
        algorithms: section.required("algorithms"),
        hs256: section.optional("hs256"),
        roles: section.optional("roles"),
        claims: section.optional("claims"),
        require: section.optional("require"),
        cookie: section.optional("cookie"),
        jwks_max_age: section.required("jwks_max_age_seconds"),
        jwks_stale: section.required("jwks_stale_seconds"),
        jwks_cooldown: section.required("jwks_cooldown_seconds"),
        name,
    };
    section.finish();
    issuer
}

impl Read for Audiences {
    const WANTED: &'static str = "an array of strings, or { variable = \"NAME\" }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            return Vec::read(value, report).map(Self::Listed);
        };
        let mut section = Section::new("audiences", report.line(&value.span()), table, report);
        let variable = section.required("variable");
        section.finish();
        Some(Self::Variable(variable))
    }
}

impl Read for Hs256 {
    const WANTED: &'static str = "a table, as { secret = \"NAME\", until = 2027-06-30 }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let line = report.line(&value.span());
        let mut section = Section::new("hs256", line, value.get_ref().as_table()?, report);
        let hs256 = Self { secret: section.required("secret"), until: section.required("until") };
        section.finish();
        Some(hs256)
    }
}

impl Read for ClaimNames {
    const WANTED: &'static str = "a table, as { session = \"session_id\" }";

    fn read(value: &Spanned<DeValue<'_>>, report: &Report) -> Option<Self> {
        let line = report.line(&value.span());
        let mut section = Section::new("claims", line, value.get_ref().as_table()?, report);
        let names = Self {
            user: section.optional("user"),
            role: section.optional("role"),
            session: section.optional("session"),
            aal: section.optional("aal"),
            anonymous: section.optional("anonymous"),
        };
        section.finish();
        Some(names)
    }
}
