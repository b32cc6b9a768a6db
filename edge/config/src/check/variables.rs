//! Variables of the containers: the services' own, and those of the groups that they are in.

use super::text::{check_known, check_list, check_name, leaked};
use crate::fault::Report;
use crate::infra::{Part, Party, Variable};
use crate::read::{Given, Lined};
use crate::written::infra as written;
use crate::written::{self as all, Written};
use crate::{leak, suggest};

/// Endings of names whose values nobody may read.
const SECRET_ENDINGS: [&str; 6] = ["_KEY", "_SECRET", "_TOKEN", "_PASSWORD", "_PASS", "_DSN"];

const PLACEHOLDERS: [&str; 5] = ["environment", "region", "redis_host", "public_url", "keep_alive_ms"];

/// What one service gets, by name.
pub(super) struct Settings {
    pub(super) variables: Vec<Variable>,
    pub(super) secrets: Vec<&'static str>,
}

/// Checks the groups; gives those that belong to a party outside.
pub(super) fn parties(written: &Written, report: &Report) -> Vec<Party> {
    let known: Vec<&str> = written.services.iter().map(|service| service.name.value.as_str()).collect();
    written.settings.iter().filter_map(|group| party(group, &known, report)).collect()
}

fn party(group: &written::Settings, known: &[&str], report: &Report) -> Option<Party> {
    check_name(&group.name, report);
    check_list("services", &group.services, report);
    let services = group.services.as_ref()?;
    check_known("service", &services.value, known, report);
    let name = leak::text(&group.party.good()?.value);
    Some(Party { name, services: leaked(&services.value).to_vec() })
}

/// The service's own and those of its groups. A name that comes twice is a fault where it comes again.
pub(super) fn settings(service: &all::Service, groups: &[written::Settings], report: &Report) -> Settings {
    let mut collected = Collected { report, names: Vec::new(), keep_alive: service.keep_alive.good() };
    let is_in = |group: &&written::Settings| {
        let services = group.services.iter().flat_map(|services| &services.value);
        services.into_iter().any(|member| member.value == service.name.value)
    };
    let mut settings = collected.take(&service.variables, &service.secrets);
    for group in groups.iter().filter(is_in) {
        let more = collected.take(&group.variables, &group.secrets);
        settings.variables.extend(more.variables);
        settings.secrets.extend(more.secrets);
    }
    settings.variables.sort_by_key(|variable| variable.name);
    settings.secrets.sort_unstable();
    settings
}

struct Collected<'w> {
    report: &'w Report,
    names: Vec<&'w Lined<String>>,
    keep_alive: Option<&'w Lined<u32>>,
}

impl<'w> Collected<'w> {
    fn take(
        &mut self,
        variables: &'w Given<Vec<written::Variable>>,
        secrets: &'w Given<Vec<Lined<String>>>,
    ) -> Settings {
        let variables = variables.good().map_or(&[][..], |variables| &variables.value);
        let secrets = secrets.good().map_or(&[][..], |secrets| &secrets.value);
        variables.iter().map(|variable| &variable.name).chain(secrets).for_each(|name| self.note(name));
        Settings {
            variables: variables.iter().map(|variable| self.variable(variable)).collect(),
            secrets: leaked(secrets).to_vec(),
        }
    }

    fn note(&mut self, name: &'w Lined<String>) {
        if !is_variable(&name.value) {
            let text = format!("variable `{}`: use capital letters, digits and `_`", name.value);
            self.report.add(name.line, text);
        }
        if let Some(before) = self.names.iter().find(|other| other.value == name.value) {
            let text = format!("variable `{}` is already on line {}; remove one", name.value, before.line);
            self.report.add(name.line, text);
        }
        self.names.push(name);
    }

    fn variable(&self, variable: &written::Variable) -> Variable {
        let Lined { line, value: name } = &variable.name;
        if SECRET_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            self.report
                .add(*line, format!("variable `{name}` is a secret by its name; list it under `secrets`"));
        }
        Variable { name: leak::text(name), value: self.parts(*line, &variable.value) }
    }

    /// Text and placeholders by turns.
    fn parts(&self, line: u32, value: &str) -> Vec<Part> {
        let mut pieces = value.split('{');
        let first = pieces.next().filter(|text| !text.is_empty()).map(|text| Part::Text(leak::text(text)));
        let mut parts = Vec::from_iter(first);
        for piece in pieces {
            let (name, text) = piece.split_once('}').unwrap_or((piece, ""));
            parts.extend(self.part(line, name));
            parts.extend((!text.is_empty()).then(|| Part::Text(leak::text(text))));
        }
        parts
    }

    fn part(&self, line: u32, name: &str) -> Option<Part> {
        match name {
            "environment" => Some(Part::Environment),
            "region" => Some(Part::Region),
            "redis_host" => Some(Part::RedisHost),
            "public_url" => Some(Part::PublicUrl),
            "keep_alive_ms" => self.keep_alive(line),
            other => {
                let hint = suggest::hint(other, PLACEHOLDERS);
                self.report.add(line, format!("unknown placeholder `{{{other}}}`; {hint}"));
                None
            }
        }
    }

    fn keep_alive(&self, line: u32) -> Option<Part> {
        if self.keep_alive.is_none() {
            self.report
                .add(line, "`{keep_alive_ms}` is of a service with `keep_alive_seconds`; give it there");
        }
        Some(Part::Text(leak::text(&self.keep_alive?.value.saturating_mul(1000).to_string())))
    }
}

pub(super) fn is_variable(name: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().next().is_some_and(|first| first.is_ascii_uppercase()) && name.bytes().all(inner)
}
