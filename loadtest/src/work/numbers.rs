//! Totals from the numbers of a piece of work, and a check that they make sense.

use anyhow::{Result, ensure};

use super::{FanoutWork, Work};

impl Work {
    /// The scenario's name.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Work::Connect(_) => "connect",
            Work::Idle(_) => "idle",
            Work::Echo(_) => "echo",
            Work::Fanout(_) => "fanout",
            Work::Beside(_) => "beside",
            Work::Chat(_) => "chat",
            Work::Http(_) => "http",
            Work::Sse(_) => "sse",
            Work::Storm(_) => "storm",
            Work::Kill(_) => "kill",
            Work::Drain(_) => "drain",
            Work::Churn(_) => "churn",
            Work::Slow(_) => "slow",
        }
    }

    /// How many connections it holds at once.
    pub(crate) fn connections(&self) -> usize {
        match self {
            Work::Connect(work) => work.connections,
            Work::Idle(work) => work.connections,
            Work::Echo(work) => work.connections,
            Work::Fanout(work) => work.rooms * work.members,
            Work::Beside(work) => work.members + 1,
            Work::Chat(work) => work.users,
            Work::Http(work) | Work::Sse(work) => work.rooms * work.members + work.publishers,
            Work::Storm(work) | Work::Kill(work) => work.members + work.rooms,
            Work::Drain(work) => work.connections,
            Work::Churn(work) => work.connections,
            Work::Slow(work) => work.members + work.slow,
        }
    }

    /// Whether it does something to the server, which the load test must then have started.
    pub(crate) fn stops_the_server(&self) -> bool {
        matches!(self, Work::Drain(_) | Work::Kill(_))
    }

    /// Numbers that make no sense are refused before anything is started.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(self.connections() > 0, "{} needs a connection at least", self.name());
        match self {
            Work::Fanout(FanoutWork { members, publishers, .. }) => {
                ensure!(
                    (1..=*members).contains(publishers),
                    "a room of {members} has 1 to {members} publishers"
                );
            }
            Work::Http(work) | Work::Sse(work) => {
                ensure!(work.rooms > 0 && work.members > 0, "publishing needs a room with a member");
                ensure!(
                    work.publishers > 0 && work.batch > 0,
                    "publishing needs a publisher and a batch of one"
                );
            }
            Work::Churn(work) => ensure!(work.rooms > 0, "churn needs rooms to move between"),
            Work::Chat(work) => ensure!(work.rooms > 0 && work.seats > 0, "a chat needs rooms to be in"),
            Work::Storm(work) | Work::Kill(work) => {
                ensure!(work.rooms > 0 && work.members > 0, "a storm needs members in rooms")
            }
            Work::Slow(work) => {
                ensure!(work.members > 0, "slow members need healthy ones beside them");
                ensure!(work.slow > 1, "of the slow members one looks early, so two of them are needed");
            }
            Work::Connect(_) | Work::Idle(_) | Work::Echo(_) | Work::Beside(_) | Work::Drain(_) => {}
        }
        let rates = [self.rate()].into_iter().flatten();
        for rate in rates {
            ensure!(rate > 0.0 && rate.is_finite(), "a rate is a number of messages a second, not {rate}");
        }
        Ok(())
    }

    fn rate(&self) -> Option<f64> {
        match self {
            Work::Connect(work) => work.rate,
            Work::Idle(_) | Work::Drain(_) => None,
            Work::Echo(work) => work.driven.rate,
            Work::Fanout(work) => work.driven.rate,
            Work::Beside(work) => Some(work.echo_rate),
            Work::Chat(work) => Some(work.rate),
            Work::Churn(work) => Some(work.rate),
            Work::Http(work) | Work::Sse(work) => work.driven.rate,
            Work::Storm(work) | Work::Kill(work) => Some(work.rate),
            Work::Slow(work) => Some(work.rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn work(words: &str) -> Work {
        let cli = Cli::parse_from(std::iter::once("loadtest").chain(words.split(' ')));
        let Command::Work(work) = cli.command else { panic!("{words} is no work") };
        work
    }

    #[test]
    fn connections_of_every_kind() {
        let counts = [
            ("fanout --rooms 3 --members 4", 12),
            ("beside --members 9", 10),
            ("http --rooms 2 --members 5 --publishers 3", 13),
            ("storm --members 30 --rooms 2", 32),
            ("slow --members 7 --slow 2", 9),
            ("chat --users 8", 8),
        ];
        for (words, connections) in counts {
            let work = work(words);
            assert_eq!((work.connections(), work.check().is_ok()), (connections, true), "{words}");
        }
    }

    #[test]
    fn numbers_that_make_no_sense() {
        for words in [
            "fanout --members 2 --publishers 3",
            "echo --connections 0",
            "echo --rate 0",
            "http --batch 0",
            "storm --rooms 0",
            "slow --members 0",
            "slow --slow 1",
        ] {
            assert!(work(words).check().is_err(), "{words}");
        }
    }
}
