//! The shapes of work by which servers are compared, with the goals of Switchboard.

use anyhow::{Context, Result};

use crate::outcome::Outcome;
use crate::target::Family;
use crate::work::{
    BesideWork, ConnectWork, Driven, EchoWork, FanoutWork, IdleWork, PublishWork, Tongue, Work,
};

/// One kind of work, the figure that is compared, and the goals.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) work: Work,
    pub(crate) cost: Cost,
    pub(crate) goals: Vec<Goal>,
}

/// The figure that is compared; less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// Microseconds of server CPU for each delivered message.
    Cpu,
    /// KiB of resident memory for each connection.
    Memory,
    /// The 99th percentile of the latency in microseconds.
    Late,
    /// A fact of the scenario, by its name, with what it counts.
    Fact(&'static str, &'static str),
}

/// The most that a figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// At most this share of the best target of a family.
    Share(Family, f64),
    /// At most this much.
    AtMost(f64),
}

impl Cost {
    /// The figure of a run, if it has one.
    pub(crate) fn of(self, outcome: &Outcome) -> Option<f64> {
        match self {
            Cost::Cpu => outcome.cpu_per_delivery(),
            Cost::Memory => outcome.memory_per_connection(),
            Cost::Late => outcome.latency.as_ref().map(|latency| latency.p99),
            Cost::Fact(name, _) => outcome.fact(name),
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Cost::Cpu => "µs of server CPU a delivery",
            Cost::Memory => "KiB a connection",
            Cost::Late => "µs, 99th percentile",
            Cost::Fact(_, unit) => unit,
        }
    }
}

/// The shapes of those names, or all of them.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<Shape>> {
    let all = all();
    if names.is_empty() {
        return Ok(all);
    }
    let known = || all.iter().map(|shape| shape.name).collect::<Vec<_>>().join(", ");
    let find = |name: &String| {
        let found = all.iter().find(|shape| shape.name == name).cloned();
        found.with_context(|| format!("no shape is called {name}; there are {}", known()))
    };
    names.iter().map(find).collect()
}

/// Every shape, in the order of the report.
pub(crate) fn all() -> Vec<Shape> {
    let tokio = |share| Goal::Share(Family::Tokio, share);
    let floor = |share| Goal::Share(Family::Floor, share);
    let at_most = Goal::AtMost;
    vec![
        raw("room-1000", "one publisher, a room of 1,000", [1, 1_000, 1], vec![tokio(0.82), floor(1.06)]),
        raw("room-10000", "one publisher, a room of 10,000", [1, 10_000, 1], vec![tokio(0.82)]),
        raw("publishers-50", "50 publishers, a room of 500", [1, 500, 50], vec![tokio(0.30)]),
        raw("rooms-100", "100 rooms of 10, one publisher each", [100, 10, 1], vec![tokio(0.78)]),
        raw("rooms-1000", "1,000 rooms of 2, both publishing", [1_000, 2, 2], vec![tokio(0.85)]),
        echo("echo-100", "echo, 100 connections", 100, vec![tokio(0.82)]),
        echo("echo-5000", "echo, 5,000 connections", 5_000, vec![tokio(0.82)]),
        native("native-1000", "native dialect, one publisher, a room of 1,000", vec![tokio(0.60)]),
        http("http-10", "HTTP publish into a room of 10, keep-alive", vec![tokio(0.60)]),
        idle("idle-raw", "10,000 idle members, raw", Tongue::Raw, false, vec![at_most(0.2)]),
        idle("idle-native", "10,000 idle guests, native", Tongue::Native, false, vec![at_most(0.2)]),
        idle("idle-named", "10,000 idle named users, native", Tongue::Native, true, vec![at_most(0.35)]),
        connect("connect-10000", "10,000 connections opening at once", vec![tokio(1.0)]),
        sized("payload-1k", "a room of 100, payloads of 1 KiB", 1_024, vec![tokio(1.0)]),
        sized("payload-16k", "a room of 100, payloads of 16 KiB", 16 * 1_024, vec![tokio(1.0)]),
        sized("payload-256k", "a room of 100, payloads of 256 KiB", 256 * 1_024, vec![tokio(1.0)]),
        beside(
            "beside-10000",
            "an echo beside a room of 10,000 written continuously",
            vec![at_most(5_000.0)],
        ),
    ]
}

type Text = &'static str;

/// Rooms in the raw dialect: how many, of how many members, with how many publishers each. The window is one: a publisher
/// sends its next message when every member has its last one, so that a late server gains nothing.
fn raw(name: Text, title: Text, [rooms, members, publishers]: [usize; 3], goals: Vec<Goal>) -> Shape {
    let (driven, dialect) = (Driven::window(1), Tongue::Raw);
    let work = Work::Fanout(FanoutWork { rooms, members, publishers, driven, dialect });
    Shape { name, title, work, cost: Cost::Cpu, goals }
}

fn native(name: Text, title: Text, goals: Vec<Goal>) -> Shape {
    let (driven, dialect) = (Driven::window(1), Tongue::Native);
    let work = Work::Fanout(FanoutWork { rooms: 1, members: 1_000, publishers: 1, driven, dialect });
    Shape { name, title, work, cost: Cost::Cpu, goals }
}

fn sized(name: Text, title: Text, size: usize, goals: Vec<Goal>) -> Shape {
    let driven = Driven { size, ..Driven::window(1) };
    let dialect = Tongue::Raw;
    let work = Work::Fanout(FanoutWork { rooms: 1, members: 100, publishers: 1, driven, dialect });
    Shape { name, title, work, cost: Cost::Cpu, goals }
}

fn echo(name: Text, title: Text, connections: usize, goals: Vec<Goal>) -> Shape {
    let work = Work::Echo(EchoWork { connections, driven: Driven::window(1) });
    Shape { name, title, work, cost: Cost::Cpu, goals }
}

fn http(name: Text, title: Text, goals: Vec<Goal>) -> Shape {
    let driven = Driven::window(1);
    let work = Work::Http(PublishWork { rooms: 1, members: 10, publishers: 1, batch: 1, driven });
    Shape { name, title, work, cost: Cost::Cpu, goals }
}

fn idle(name: Text, title: Text, dialect: Tongue, named: bool, goals: Vec<Goal>) -> Shape {
    let work = Work::Idle(IdleWork { connections: 10_000, named, dialect });
    Shape { name, title, work, cost: Cost::Memory, goals }
}

fn connect(name: Text, title: Text, goals: Vec<Goal>) -> Shape {
    let (rate, dialect) = (None, Tongue::Raw);
    let work = Work::Connect(ConnectWork { connections: 10_000, rate, at_once: 10_000, dialect });
    Shape { name, title, work, cost: Cost::Fact("all open after", "s until all are open"), goals }
}

fn beside(name: Text, title: Text, goals: Vec<Goal>) -> Shape {
    let work = Work::Beside(BesideWork { members: 10_000, window: 2, echo_rate: 200.0, size: 128 });
    Shape { name, title, work, cost: Cost::Late, goals }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        let names: Vec<String> = all().iter().map(|shape| shape.name.to_owned()).collect();
        let mut sorted = names.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), names.len());
        assert_eq!(chosen(&names[1..3]).expect("known").len(), 2);
        assert!(chosen(&["x".to_owned()]).is_err_and(|why| why.to_string().contains("room-1000, ")));
    }
}
