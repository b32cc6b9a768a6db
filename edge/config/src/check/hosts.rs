//! The domain and its public hosts.

use edge_core::plan::Host;

use super::text::{check_twice, is_host};
use crate::fault::Report;
use crate::read::Lined;
use crate::{leak, suggest, written};

pub(crate) fn domain(domain: Option<&Lined<String>>, report: &Report) -> Option<String> {
    let domain = domain?;
    let good = is_host(&domain.value) && domain.value.contains('.');
    if !good {
        report.add(domain.line, format!("domain `{}`: write it as `he2.ai`, in lower case", domain.value));
    }
    good.then(|| domain.value.clone())
}

/// `None` was reported while it was read.
pub(crate) fn check(hosts: Option<&[written::Host]>, domain: Option<&str>, report: &Report) -> Vec<Host> {
    let Some(hosts) = hosts else { return Vec::new() };
    let names: Vec<Lined<String>> = hosts.iter().filter_map(|host| host.name.clone()).collect();
    if names.is_empty() {
        report.add(1, "no [[host]]; add one with the name that the gateway answers for");
    }
    check_twice("host", &names, report);
    for name in &names {
        check_host(name, domain, report);
    }
    hosts.iter().filter_map(|host| checked(host, hosts, report)).collect()
}

fn check_host(name: &Lined<String>, domain: Option<&str>, report: &Report) {
    let text = &name.value;
    if !is_host(text) {
        report.add(
            name.line,
            format!("host `{text}`: write the bare name in lower case, without scheme or port"),
        );
    } else if domain.is_some_and(|domain| text != domain && !text.ends_with(&format!(".{domain}"))) {
        let domain = domain.unwrap_or_default();
        report
            .add(name.line, format!("host `{text}` is outside the domain `{domain}`; use a name inside it"));
    }
}

fn checked(host: &written::Host, all: &[written::Host], report: &Report) -> Option<Host> {
    let name = host.name.as_ref()?;
    if let Some(target) = host.redirect.good() {
        check_target(target, all, report);
    }
    let redirect = host.redirect.good().map(|target| leak::text(&target.value));
    Some(Host { name: leak::text(&name.value), redirect, line: name.line })
}

/// A redirect ends at a host that answers.
fn check_target(target: &Lined<String>, all: &[written::Host], report: &Report) {
    let is_target = |host: &&written::Host| host.redirect.is_absent();
    let answering: Vec<&str> =
        all.iter().filter(is_target).filter_map(|host| Some(host.name.as_ref()?.value.as_str())).collect();
    if !answering.contains(&target.value.as_str()) {
        let hint = suggest::hint(&target.value, answering);
        report.add(
            target.line,
            format!("redirect to `{}`, which is no host that answers; {hint}", target.value),
        );
    }
}
