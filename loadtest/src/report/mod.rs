//! The output for people: a table, a page with plots, and the tables of `docs/performance.md`.

pub(crate) mod markdown;
pub(crate) mod page;
pub(crate) mod plot;
pub(crate) mod summary;
