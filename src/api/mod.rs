//! The HTTP side: which path means what, what a body asks, and how answers are written. Carries nothing out.

pub mod answer;
pub mod body;
pub mod call;
pub mod cors;
pub mod description;
pub mod exposition;
pub mod guard;
pub mod route;
pub mod sent;
pub mod stats;
pub mod stream;
