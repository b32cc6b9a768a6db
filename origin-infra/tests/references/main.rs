//! Every reference in the emitted Terraform names something that is emitted.
//!
//! Terraform says the same when it validates, but only where it is installed; this runs everywhere.

#![allow(clippy::unwrap_used, reason = "only tests here")]

/// What a file refers to.
mod walk;

use std::collections::BTreeSet;

use hcl::{Block, Body};

use walk::references;

/// Names of what these bodies declare, as references write them.
fn declared<'b>(bodies: impl IntoIterator<Item = &'b Body>) -> BTreeSet<String> {
    bodies.into_iter().flat_map(Body::blocks).flat_map(declares).collect()
}

fn declares(block: &Block) -> Vec<String> {
    let labels: Vec<&str> = block.labels().iter().map(hcl::BlockLabel::as_str).collect();
    match (block.identifier(), labels.as_slice()) {
        ("resource", [kind, name]) => vec![format!("{kind}.{name}")],
        ("data", [kind, name]) => vec![format!("data.{kind}.{name}")],
        ("module", [name]) => vec![format!("module.{name}")],
        ("variable", [name]) => vec![format!("var.{name}")],
        ("locals", _) => block.body().attributes().map(|local| format!("local.{}", local.key())).collect(),
        _ => Vec::new(),
    }
}

fn emitted(kind: &str) -> Vec<(String, Body)> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../he2.toml")).unwrap();
    let files = origin_infra::files(&he2_config::parse("he2.toml", &text).unwrap()).unwrap();
    let wanted = files.into_iter().filter(|file| file.name.ends_with(kind));
    wanted.map(|file| (file.name, hcl::parse(&file.text).unwrap())).collect()
}

#[test]
fn every_reference_names_an_emitted_block() {
    let files = emitted(".tf");
    let declared = declared(files.iter().map(|(_, body)| body));
    let dangling = files.iter().flat_map(|(name, body)| {
        references(body)
            .difference(&declared)
            .map(|reference| format!("{name}: {reference}"))
            .collect::<Vec<_>>()
    });
    let dangling: Vec<String> = dangling.collect();
    assert!(!declared.is_empty() && dangling.is_empty(), "nothing is behind:\n{}", dangling.join("\n"));
}

#[test]
fn nothing_is_declared_twice() {
    let files = emitted(".tf");
    let all: Vec<String> = files.iter().flat_map(|(_, body)| body.blocks()).flat_map(declares).collect();
    let mut seen = BTreeSet::new();
    let twice: Vec<&String> = all.iter().filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "declared twice: {twice:?}");
}

#[test]
fn every_variable_and_local_is_used() {
    let files = emitted(".tf");
    let used: BTreeSet<String> = files.iter().flat_map(|(_, body)| references(body)).collect();
    let declared = declared(files.iter().map(|(_, body)| body));
    let unused =
        declared.difference(&used).filter(|name| name.starts_with("var.") || name.starts_with("local."));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn an_environment_sets_only_variables_that_there_are() {
    let declared = declared(emitted(".tf").iter().map(|(_, body)| body));
    let environments = emitted(".tfvars");
    assert!(!environments.is_empty());
    for (name, body) in environments {
        for attribute in body.attributes() {
            assert!(declared.contains(&format!("var.{}", attribute.key())), "{name}: {}", attribute.key());
        }
    }
}

#[test]
fn a_reference_is_found_wherever_it_stands() {
    let source = r#"
        resource "a_b" "c" {
          count = var.in_condition ? 1 : 0
          text  = "x ${local.in_template["${data.d.in_index.id}"]}"
          list  = [for key, item in module.in_collection : { (key) = item.id, x = upper(a.in_call) } if !b.in_filter]
          splat = one(e.in_splat[*].arn)
          loop  = "%{ for item in var.in_directive }${item}${f.in_loop.id}%{ endfor }"

          dynamic "rule" {
            for_each = var.in_dynamic
            content {
              value = rule.value + g.in_nested.number
            }
          }

          lifecycle {
            ignore_changes = [desired_count]
          }
        }
        variable "x" { type = map(object({ cpu = number })) }
    "#;
    let expected = [
        "a.in_call",
        "b.in_filter",
        "data.d.in_index",
        "e.in_splat",
        "f.in_loop",
        "g.in_nested",
        "local.in_template",
        "module.in_collection",
        "var.in_condition",
        "var.in_directive",
        "var.in_dynamic",
    ];
    assert_eq!(
        references(&hcl::parse(source).unwrap()).iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
}
