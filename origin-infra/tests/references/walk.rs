//! What a file refers to.

use std::collections::BTreeSet;

use hcl::expr::{ForExpr, ObjectKey, Operation, Traversal, TraversalOperator};
use hcl::template::{Directive, Element, Template};
use hcl::{Block, Body, Expression, Structure};

/// What Terraform itself puts into scope.
const GIVEN: [&str; 5] = ["count", "each", "path", "self", "terraform"];

/// Names of all blocks and locals that `body` refers to, as `aws_lb.main`.
pub(crate) fn references(body: &Body) -> BTreeSet<String> {
    let mut walk = Walk::default();
    walk.body(body);
    walk.found
}

/// Collects references; `scope` holds the names that `for` and `dynamic` bring.
#[derive(Default)]
struct Walk {
    found: BTreeSet<String>,
    scope: Vec<String>,
}

impl Walk {
    fn body(&mut self, body: &Body) {
        for structure in body {
            match structure {
                Structure::Attribute(attribute) => self.expression(attribute.expr()),
                Structure::Block(block) => self.block(block),
            }
        }
    }

    /// The type of a variable and the list of ignored arguments are words, no references.
    fn block(&mut self, block: &Block) {
        let words = match block.identifier() {
            "variable" => "type",
            "lifecycle" => "ignore_changes",
            _ => "",
        };
        let iterator = block.labels().first().filter(|_| block.identifier() == "dynamic");
        let body = block.body().iter().filter(|structure| !is_attribute(structure, words)).cloned();
        let body: Body = body.collect();
        self.within(iterator.map(|label| label.as_str().to_owned()), |walk| walk.body(&body));
    }

    fn within(&mut self, names: impl IntoIterator<Item = String>, inner: impl FnOnce(&mut Self)) {
        let depth = self.scope.len();
        self.scope.extend(names);
        inner(self);
        self.scope.truncate(depth);
    }

    fn expression(&mut self, expression: &Expression) {
        match expression {
            Expression::Array(items) => items.iter().for_each(|item| self.expression(item)),
            Expression::Object(object) => object.iter().for_each(|(key, value)| {
                if let ObjectKey::Expression(key) = key {
                    self.expression(key);
                }
                self.expression(value);
            }),
            Expression::TemplateExpr(template) => self.template(&Template::from_expr(template).unwrap()),
            Expression::Variable(name) => self.reference(name.as_str(), &[]),
            Expression::Traversal(traversal) => self.traversal(traversal),
            Expression::FuncCall(call) => call.args.iter().for_each(|argument| self.expression(argument)),
            Expression::Parenthesis(inner) => self.expression(inner),
            Expression::Conditional(conditional) => {
                self.expression(&conditional.cond_expr);
                self.expression(&conditional.true_expr);
                self.expression(&conditional.false_expr);
            }
            Expression::Operation(operation) => match operation.as_ref() {
                Operation::Unary(unary) => self.expression(&unary.expr),
                Operation::Binary(binary) => {
                    self.expression(&binary.lhs_expr);
                    self.expression(&binary.rhs_expr);
                }
            },
            Expression::ForExpr(each) => self.for_expression(each),
            _ => {}
        }
    }

    fn for_expression(&mut self, each: &ForExpr) {
        self.expression(&each.collection_expr);
        let names = each.key_var.iter().chain([&each.value_var]).map(ToString::to_string);
        self.within(names.collect::<Vec<_>>(), |walk| {
            each.key_expr.iter().chain([&each.value_expr]).chain(&each.cond_expr).for_each(|inner| {
                walk.expression(inner);
            });
        });
    }

    fn template(&mut self, template: &Template) {
        for element in template.elements() {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.expression(&interpolation.expr),
                Element::Directive(directive) => self.directive(directive),
            }
        }
    }

    fn directive(&mut self, directive: &Directive) {
        match directive {
            Directive::If(choice) => {
                self.expression(&choice.cond_expr);
                self.template(&choice.true_template);
                choice.false_template.iter().for_each(|template| self.template(template));
            }
            Directive::For(each) => {
                self.expression(&each.collection_expr);
                let names = each.key_var.iter().chain([&each.value_var]).map(ToString::to_string);
                self.within(names.collect::<Vec<_>>(), |walk| walk.template(&each.template));
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal) {
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator {
                self.expression(index);
            }
        }
        match &traversal.expr {
            Expression::Variable(name) => self.reference(name.as_str(), &traversal.operators),
            other => self.expression(other),
        }
    }

    fn reference(&mut self, root: &str, operators: &[TraversalOperator]) {
        if GIVEN.contains(&root) || self.scope.iter().any(|name| name == root) {
            return;
        }
        let length = if root == "data" { 2 } else { 1 };
        let attributes = operators.iter().take(length).map_while(|operator| match operator {
            TraversalOperator::GetAttr(name) => Some(name.as_str()),
            _ => None,
        });
        self.found.insert(std::iter::once(root).chain(attributes).collect::<Vec<_>>().join("."));
    }
}

fn is_attribute(structure: &Structure, name: &str) -> bool {
    matches!(structure, Structure::Attribute(attribute) if attribute.key() == name)
}
