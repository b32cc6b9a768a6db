//! From blocks to text that `terraform fmt` leaves alone.
//!
//! hcl-rs formats each value; indentation, comments and blank lines are laid out here, because hcl-rs has no
//! comments; [`align`] does what its formatter leaves out. Two spaces, one blank line around nested blocks, short
//! lists on one line.

use std::fmt;

use hcl::format::Formatter;
use hcl::{Attribute, Body, Expression};

use crate::align::align;
use crate::tf::{Block, Item, Section, Source, Value};

/// A value that is no HCL: a mistake in an emitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Block and argument.
    pub place: String,
    /// What hcl-rs says.
    pub reason: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not HCL: {}", self.place, self.reason)
    }
}

/// A longer list is written one item to a line.
const WIDTH: usize = 100;

/// A file's text.
pub(crate) fn file(source: &Source) -> Result<String, Error> {
    let sections = source.sections.iter().map(section).collect::<Result<Vec<_>, _>>()?;
    let banner = "# Written by `cargo infra write` from he2.toml: change that, then write again.\n";
    Ok(align(&format!("{banner}\n{}", sections.join("\n"))))
}

fn section(section: &Section) -> Result<String, Error> {
    let comment = comment(&section.comment, 0);
    let blocks = section.blocks.iter().map(|one| block(one, 0)).collect::<Result<Vec<_>, _>>()?;
    Ok(comment + &blocks.join("\n"))
}

fn comment(text: &str, depth: usize) -> String {
    indented(text, depth, "# ")
}

fn indented(text: &str, depth: usize, mark: &str) -> String {
    let indent = indent(depth);
    text.lines().fold(String::new(), |text, line| text + &indent + mark + line + "\n")
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn block(block: &Block, depth: usize) -> Result<String, Error> {
    if block.items.is_empty() {
        return Ok(format!("{}{} {{}}\n", indent(depth), block.head));
    }
    let mut text = format!("{}{} {{\n", indent(depth), block.head);
    for (at, item) in block.items.iter().enumerate() {
        let (above, from) = block.items.split_at_checked(at).unwrap_or_default();
        if is_apart(above, from) {
            text.push('\n');
        }
        text += &self::item(item, &block.head, depth.saturating_add(1))?;
    }
    Ok(format!("{text}{}}}\n", indent(depth)))
}

/// Nested blocks, with the comments above them, stand apart from their neighbours.
fn is_apart(above: &[Item], from: &[Item]) -> bool {
    let below = from.iter().find(|item| !matches!(item, Item::Comment(_)));
    match above.last() {
        None | Some(Item::Comment(_)) => false,
        Some(Item::Block(_)) => true,
        Some(Item::Argument(..)) => matches!(below, Some(Item::Block(_))),
    }
}

fn item(item: &Item, head: &str, depth: usize) -> Result<String, Error> {
    match item {
        Item::Comment(text) => Ok(comment(text, depth)),
        Item::Block(nested) => block(nested, depth),
        Item::Argument(name, value) => {
            argument(name, value, depth).map_err(|reason| Error { place: format!("{head}, {name}"), reason })
        }
    }
}

fn argument(name: &str, value: &Value, depth: usize) -> Result<String, String> {
    let expression = match value {
        Value::Literal(expression) => expression.clone(),
        Value::Source(source) => {
            source.parse::<Expression>().map_err(|error| format!("{error}, in: {source}"))?
        }
    };
    let attribute = Attribute::new(name, expression);
    let short = format(&attribute, true)?;
    let fits = short.trim_end().lines().count() == 1 && short.len() <= WIDTH;
    let text = spaced(if fits { short } else { format(&attribute, false)? });
    Ok(indented(&text, depth, ""))
}

/// hcl-rs writes `{for x in y : …}`; `terraform fmt` wants a space at either end.
fn spaced(text: String) -> String {
    match text
        .split_once(" = {for ")
        .and_then(|(name, rest)| Some((name, rest.trim_end().strip_suffix('}')?)))
    {
        Some((name, rest)) if !rest.contains('\n') => format!("{name} = {{ for {rest} }}\n"),
        _ => text,
    }
}

fn format(attribute: &Attribute, compact_arrays: bool) -> Result<String, String> {
    let mut formatter =
        Formatter::builder().compact_arrays(compact_arrays).prefer_ident_keys(true).build_vec();
    let body = Body::from_iter([attribute.clone()]);
    hcl::format::Format::format(&body, &mut formatter).map_err(|error| error.to_string())?;
    String::from_utf8(formatter.into_inner()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tf::{block, resource};

    fn text(block: Block) -> String {
        let source =
            Source { name: "x.tf", sections: vec![Section::new("from he2.toml [x]: why", vec![block])] };
        file(&source).unwrap().split_once("\n\n").unwrap().1.to_owned()
    }

    #[test]
    fn a_file_reads_as_a_person_would_write_it() {
        let lb = resource("aws_lb", "main")
            .text("name", "he2")
            .flag("internal", false)
            .expr("subnets", "module.vpc.public_subnets")
            .texts("kinds", ["a", "b"])
            .expr("tags", "{ Name = local.name, \"a b\" = 1 }")
            .note("kept")
            .nest(block("access_logs").expr("bucket", "aws_s3_bucket.logs.id").flag("enabled", true))
            .nest(block("empty"))
            .note("why")
            .number("idle_timeout", 60_u32);
        let expected = "\
# from he2.toml [x]: why
resource \"aws_lb\" \"main\" {
  name     = \"he2\"
  internal = false
  subnets  = module.vpc.public_subnets
  kinds    = [\"a\", \"b\"]
  tags = {
    Name  = local.name
    \"a b\" = 1
  }

  # kept
  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }

  empty {}

  # why
  idle_timeout = 60
}
";
        assert_eq!(text(lb), expected);
    }

    #[test]
    fn text_interpolates_nothing_and_a_broken_expression_is_an_error_with_its_place() {
        assert!(text(block("locals").text("x", "${y}")).contains("\"$${y}\""));
        let broken = block("locals").expr("x", "a b c");
        let source = Source { name: "x.tf", sections: vec![Section::new("c", vec![broken])] };
        assert_eq!(file(&source).unwrap_err().place, "locals, x");
    }
}
