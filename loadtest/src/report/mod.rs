//! What a person reads at the end: a table, a page with plots, and the tables of `docs/performance.md`.

pub(crate) mod markdown;
pub(crate) mod page;
pub(crate) mod plot;
pub(crate) mod summary;
