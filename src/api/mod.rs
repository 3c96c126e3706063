//! The HTTP API: what paths and bodies mean, and how answers are written. It carries nothing out.

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
