//! What a person reads at the end.

pub(crate) mod summary;
