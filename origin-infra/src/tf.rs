//! The vocabulary of the emitters: Terraform blocks as a person would write them.
//!
//! A block is a list of lines in order: arguments, comments, nested blocks. Values are literals, or HCL source that
//! is parsed when it is rendered, so that a broken expression is an error and never a broken file. Decides nothing
//! about the infrastructure; [`crate::render`] decides how it looks.

use hcl::Expression;

/// One block: `resource "aws_lb" "main" { … }`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    /// Type and labels, as they are written.
    pub(crate) head: String,
    pub(crate) items: Vec<Item>,
}

/// One thing in a block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Argument(String, Value),
    Block(Block),
    /// Stands above what follows it.
    Comment(String),
}

/// What an argument is set to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Literal(Expression),
    /// HCL, not yet parsed.
    Source(String),
}

pub(crate) fn resource(kind: &str, name: &str) -> Block {
    block(&format!("resource \"{kind}\" \"{name}\""))
}

pub(crate) fn data(kind: &str, name: &str) -> Block {
    block(&format!("data \"{kind}\" \"{name}\""))
}

pub(crate) fn module(name: &str) -> Block {
    block(&format!("module \"{name}\""))
}

pub(crate) fn variable(name: &str) -> Block {
    block(&format!("variable \"{name}\""))
}

pub(crate) fn output(name: &str) -> Block {
    block(&format!("output \"{name}\""))
}

pub(crate) fn provider(name: &str) -> Block {
    block(&format!("provider \"{name}\""))
}

pub(crate) fn locals() -> Block {
    block("locals")
}

/// A block of any other type; labels are part of `head`.
pub(crate) fn block(head: &str) -> Block {
    Block { head: head.to_owned(), items: Vec::new() }
}

impl Block {
    fn with(mut self, item: Item) -> Self {
        self.items.push(item);
        self
    }

    fn set(self, name: &str, value: Value) -> Self {
        self.with(Item::Argument(name.to_owned(), value))
    }

    /// A string, taken literally: `${` in it interpolates nothing.
    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        self.set(name, Value::Literal(value.into()))
    }

    /// A list of strings, taken literally.
    pub(crate) fn texts<T: AsRef<str>>(self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        let values = values.into_iter().map(|value| Expression::from(value.as_ref())).collect::<Vec<_>>();
        self.set(name, Value::Literal(Expression::Array(values)))
    }

    pub(crate) fn number(self, name: &str, value: impl Into<u64>) -> Self {
        self.set(name, Value::Literal(value.into().into()))
    }

    pub(crate) fn flag(self, name: &str, value: bool) -> Self {
        self.set(name, Value::Literal(value.into()))
    }

    /// Any HCL expression: a reference, a template in quotes, an object, a call.
    pub(crate) fn expr(self, name: &str, source: &str) -> Self {
        self.set(name, Value::Source(source.to_owned()))
    }

    /// A list of HCL expressions.
    pub(crate) fn exprs<T: AsRef<str>>(self, name: &str, sources: impl IntoIterator<Item = T>) -> Self {
        let sources = sources.into_iter().map(|source| source.as_ref().to_owned()).collect::<Vec<_>>();
        self.set(name, Value::Source(format!("[{}]", sources.join(", "))))
    }

    pub(crate) fn nest(self, block: Block) -> Self {
        self.with(Item::Block(block))
    }

    pub(crate) fn nest_all(mut self, blocks: impl IntoIterator<Item = Block>) -> Self {
        self.items.extend(blocks.into_iter().map(Item::Block));
        self
    }

    /// As Terraform names it, `aws_lb.main`; none for what is no resource.
    fn address(&self) -> Option<String> {
        Some(self.head.strip_prefix("resource ")?.replace('"', "").replace(' ', "."))
    }

    fn is_given(&self, source: &str) -> bool {
        self.items.iter().any(|item| match item {
            Item::Argument(_, Value::Source(given)) => given == source,
            Item::Argument(_, Value::Literal(_)) | Item::Comment(_) => false,
            Item::Block(block) => block.is_given(source),
        })
    }

    /// A comment above what comes next.
    pub(crate) fn note(self, text: &str) -> Self {
        self.with(Item::Comment(text.to_owned()))
    }

    /// Tells the policy scanner that a finding stays, and why.
    pub(crate) fn skip(self, check: &str, reason: &str) -> Self {
        self.note(&format!("checkov:skip={check}: {reason}"))
    }
}

/// Some blocks of a file, and where in he2.toml they come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    pub(crate) comment: String,
    pub(crate) blocks: Vec<Block>,
}

impl Section {
    pub(crate) fn new(comment: &str, blocks: Vec<Block>) -> Self {
        Self { comment: comment.to_owned(), blocks }
    }
}

/// The addresses that begin with `kind`, of the resources that have an argument which is `source`.
pub(crate) fn given(sections: &[Section], kind: &str, source: &str) -> Vec<String> {
    let blocks = sections.iter().flat_map(|section| &section.blocks).filter(|block| block.is_given(source));
    blocks.filter_map(Block::address).filter(|address| address.starts_with(kind)).collect()
}

/// One Terraform file before it is text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) sections: Vec<Section>,
}
