//! Owned data made `'static`.
//!
//! The plan is `'static` because the Worker has it as statics. The host tools make it once per run, from a
//! file of a few kilobytes, and use it until they end: there is no moment to free it at, so it is leaked.

pub(crate) fn text(text: &str) -> &'static str {
    Box::leak(text.into())
}

pub(crate) fn list<T>(items: Vec<T>) -> &'static [T] {
    items.leak()
}
