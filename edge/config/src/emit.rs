//! The plan as Rust source.

use databake::{Bake, CrateEnv};
use edge_core::plan::Plan;

/// A constant expression of the plan: what stands for `EXPR` in `static PLAN: edge_core::plan::Plan = EXPR;`.
#[must_use]
pub fn emit(plan: &Plan) -> String {
    plan.bake(&CrateEnv::default()).to_string()
}
