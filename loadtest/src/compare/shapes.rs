//! The shapes of work that servers are compared by, with what Switchboard is to reach.

use anyhow::{Context, Result};

use crate::outcome::Outcome;
use crate::target::Family;
use crate::work::{BesideWork, Driven, EchoWork, FanoutWork, IdleWork, Tongue, Work};

/// One kind of work, what of it is compared, and what is to be reached.
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
    /// Microseconds of server CPU a delivered message.
    Cpu,
    /// KiB of resident memory a connection.
    Memory,
    /// Median latency in microseconds.
    Median,
}

/// What a figure is to stay under.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Goal {
    /// At most this share of the best target of a family.
    Share(Family, f64),
    /// At most this much.
    AtMost(f64),
}

impl Cost {
    /// The figure of a run, where it has one.
    pub(crate) fn of(self, outcome: &Outcome) -> Option<f64> {
        match self {
            Cost::Cpu => outcome.cpu_per_delivery(),
            Cost::Memory => outcome.memory_per_connection(),
            Cost::Median => outcome.latency.as_ref().map(|latency| latency.p50),
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Cost::Cpu => "µs of server CPU a delivery",
            Cost::Memory => "KiB a connection",
            Cost::Median => "µs, median",
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
    vec![
        fanout(
            "room-1000",
            "one publisher, a room of 1,000",
            [1, 1_000, 1],
            1,
            vec![tokio(0.82), floor(1.06)],
        ),
        fanout(
            "room-10000",
            "one publisher, a room of 10,000",
            [1, 10_000, 1],
            1,
            vec![tokio(0.82)],
        ),
        fanout(
            "publishers-50",
            "50 publishers, a room of 500",
            [1, 500, 50],
            1,
            vec![tokio(0.30)],
        ),
        fanout(
            "rooms-100",
            "100 rooms of 10, one publisher each",
            [100, 10, 1],
            1,
            vec![tokio(0.78)],
        ),
        fanout(
            "rooms-1000",
            "1,000 rooms of 2, both publishing",
            [1_000, 2, 2],
            1,
            vec![tokio(0.85)],
        ),
        echo("echo-100", "echo, 100 connections", 100, vec![tokio(0.82)]),
        echo("echo-5000", "echo, 5,000 connections", 5_000, vec![tokio(0.82)]),
        idle(
            "idle-native",
            "10,000 idle members, native",
            Tongue::Native,
            vec![Goal::AtMost(0.2)],
        ),
        idle(
            "idle-raw",
            "10,000 idle members, raw",
            Tongue::Raw,
            vec![Goal::AtMost(0.2)],
        ),
        beside(),
    ]
}

fn fanout(
    name: &'static str,
    title: &'static str,
    [rooms, members, publishers]: [usize; 3],
    window: u32,
    goals: Vec<Goal>,
) -> Shape {
    let driven = Driven::window(window);
    let work = Work::Fanout(FanoutWork {
        rooms,
        members,
        publishers,
        driven,
        dialect: Tongue::Raw,
    });
    Shape {
        name,
        title,
        work,
        cost: Cost::Cpu,
        goals,
    }
}

fn echo(name: &'static str, title: &'static str, connections: usize, goals: Vec<Goal>) -> Shape {
    let work = Work::Echo(EchoWork {
        connections,
        driven: Driven::window(1),
    });
    Shape {
        name,
        title,
        work,
        cost: Cost::Cpu,
        goals,
    }
}

fn idle(name: &'static str, title: &'static str, dialect: Tongue, goals: Vec<Goal>) -> Shape {
    let work = Work::Idle(IdleWork {
        connections: 10_000,
        dialect,
    });
    Shape {
        name,
        title,
        work,
        cost: Cost::Memory,
        goals,
    }
}

fn beside() -> Shape {
    Shape {
        name: "beside-9000",
        title: "an echo beside a room of 9,000 that is written continuously",
        work: Work::Beside(BesideWork {
            members: 9_000,
            window: 2,
            echo_rate: 200.0,
            size: 128,
        }),
        cost: Cost::Median,
        goals: vec![Goal::AtMost(1_500.0)],
    }
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
