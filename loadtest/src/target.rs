//! The servers under test, described by templates so that each of them does the same work.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::dialect::Dialect;
use crate::dialect::native::Native;
use crate::dialect::nats::Nats;
use crate::dialect::raw::Raw;
use crate::dialect::socketio::SocketIo;
use crate::order::Order;
use crate::process::{Pin, Server, free_address};

/// The targets that come with the load test.
const KNOWN: &str = include_str!("../targets.toml");

/// One server in a file of targets.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) family: Family,
    pub(crate) build: Option<String>,
    #[serde(default)]
    pub(crate) start: Vec<String>,
    /// Words that are added to the command to say how long a stop may take; {ms} becomes that time.
    pub(crate) drain: Option<Vec<String>>,
    /// A shell command that succeeds if the server's package is installed.
    pub(crate) check: Option<String>,
    #[serde(default)]
    pub(crate) order: Order,
    pub(crate) room: Option<Room>,
    pub(crate) echo: Option<String>,
    pub(crate) native: Option<String>,
    pub(crate) publish: Option<String>,
    pub(crate) batch: Option<String>,
    pub(crate) sse: Option<String>,
    /// Set where the native dialect resumes by `since`.
    pub(crate) history: Option<bool>,
}

/// The family in which a target is compared.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Family {
    Own,
    Floor,
    Tokio,
    #[default]
    Other,
}

/// How raw rooms are reached.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(crate) struct Room {
    pub(crate) dialect: RoomDialect,
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum RoomDialect {
    #[serde(rename = "raw")]
    Raw,
    #[serde(rename = "socket.io")]
    SocketIo,
    #[serde(rename = "nats")]
    Nats,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    target: Vec<Target>,
}

/// Reads a file of targets.
pub(crate) fn parse(text: &str) -> Result<Vec<Target>> {
    let File { target } = toml::from_str(text)?;
    Ok(target)
}

/// The known targets, followed by those of another file. A later one replaces an earlier one of the same name.
pub(crate) fn all(more: Option<&str>) -> Result<Vec<Target>> {
    let mut targets = parse(KNOWN).context("the known targets")?;
    if let Some(path) = more {
        let text = std::fs::read_to_string(path).with_context(|| format!("{path} cannot be read"))?;
        for target in parse(&text).with_context(|| path.to_owned())? {
            targets.retain(|known| known.name != target.name);
            targets.push(target);
        }
    }
    Ok(targets)
}

/// The target of that name.
pub(crate) fn find(targets: &[Target], name: &str) -> Result<Target> {
    let names = || targets.iter().map(|target| target.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = targets.iter().find(|target| target.name == name).cloned();
    found.with_context(|| format!("no target is called {name}; there are {}", names()))
}

impl Target {
    /// Whether the package that it needs is installed.
    pub(crate) fn is_there(&self) -> bool {
        let Some(check) = &self.check else { return true };
        let quiet =
            Command::new("sh").args(["-c", check]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        quiet.is_ok_and(|status| status.success())
    }

    /// Builds it, if it has to be built.
    pub(crate) fn build(&self) -> Result<()> {
        let Some(command) = &self.build else { return Ok(()) };
        let status = Command::new("sh").args(["-c", command]).status().context("sh cannot be started")?;
        ensure!(status.success(), "{}: `{command}` failed", self.name);
        Ok(())
    }

    /// Starts it on a free port of loopback.
    pub(crate) fn start(&self, pin: Option<Pin>) -> Result<Server> {
        ensure!(!self.start.is_empty(), "{} has no command to start it with", self.name);
        let address = free_address()?;
        Server::start(&self.command(address), address, pin)
    }

    /// The same server with so many shards, under the name of their number.
    pub(crate) fn with_shards(&self, shards: usize) -> Result<Target> {
        let is_told = self.start.iter().any(|word| word.contains("{shards}"));
        ensure!(is_told, "{} cannot be told how many shards to run", self.name);
        let name = format!("{shards} shard{}", if shards == 1 { "" } else { "s" });
        let start = self.start.iter().map(|word| word.replace("{shards}", &shards.to_string())).collect();
        Ok(Target { name, start, ..self.clone() })
    }

    /// The same server, set to stop within `drain`.
    pub(crate) fn with_drain(&self, drain: Duration) -> Result<Target> {
        let words = self.wanted(self.drain.as_ref(), "drain time that could be set")?;
        let words = words.iter().map(|word| word.replace("{ms}", &drain.as_millis().to_string()));
        Ok(Target { start: self.start.iter().cloned().chain(words).collect(), ..self.clone() })
    }

    /// The same server, set to cut off a connection after so long without progress, if it has that setting.
    pub(crate) fn with_stall(&self, stall: Duration) -> Target {
        let stall = format!("{}ms", stall.as_millis());
        let start = self.start.iter().map(|word| word.replace("{stall}", &stall)).collect();
        Target { start, ..self.clone() }
    }

    fn command(&self, address: SocketAddr) -> Vec<String> {
        let (listen, port) = (address.to_string(), address.port().to_string());
        let fill = |word: &String| {
            word.replace("{listen}", &listen)
                .replace("{port}", &port)
                .replace("{shards}", "1")
                .replace("{stall}", "10s")
        };
        self.start.iter().map(fill).collect()
    }

    /// The dialect of its raw rooms.
    pub(crate) fn room_dialect(&self, text: bool) -> Result<Box<dyn Dialect>> {
        let room = self.wanted(self.room.as_ref(), "raw rooms")?;
        Ok(match room.dialect {
            RoomDialect::Raw => Box::new(Raw::new(&room.path, text)),
            RoomDialect::SocketIo => Box::new(SocketIo::new(&room.path)),
            RoomDialect::Nats => Box::new(Nats),
        })
    }

    /// Its native dialect.
    pub(crate) fn native_dialect(&self) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(Native::new(self.wanted(self.native.as_ref(), "native dialect")?)))
    }

    /// The path of the native dialect without its query, for connections that join by a request.
    pub(crate) fn native_path(&self) -> Result<String> {
        let template = self.wanted(self.native.as_ref(), "native dialect")?;
        Ok(template.split('?').next().unwrap_or_default().to_owned())
    }

    /// A template of this target, or an error that says it has none.
    pub(crate) fn wanted<'a, T>(&self, template: Option<&'a T>, what: &str) -> Result<&'a T> {
        let Some(template) = template else { bail!("{} has no {what}", self.name) };
        Ok(template)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_known_targets_are_well_formed() {
        let targets = all(None).expect("good targets");
        assert!(targets.iter().any(|target| target.family == Family::Own));
        assert!(targets.iter().any(|target| target.family == Family::Floor));
        assert!(targets.iter().any(|target| target.family == Family::Tokio));
        assert!(targets.iter().all(|target| {
            target.start.iter().any(|word| word.contains("{listen}") || word.contains("{port}"))
        }));
        assert!(
            find(&targets, "nobody")
                .is_err_and(|why| why.to_string().contains("there are switchboard, floor"))
        );
    }

    #[test]
    fn a_template_becomes_a_command_and_a_path() {
        let text = r#"
            [[target]]
            name = "mine"
            start = ["serve", "--at={listen}", "-p", "{port}"]
            room = { dialect = "raw", path = "/r/{room}" }
        "#;
        let mine = find(&parse(text).expect("good"), "mine").expect("there");
        let address = SocketAddr::from(([127, 0, 0, 1], 81));
        assert_eq!(mine.command(address), ["serve", "--at=127.0.0.1:81", "-p", "81"]);
        assert_eq!(mine.room_dialect(false).expect("rooms").opening("a").target, "/r/a");
        assert!(mine.native_dialect().is_err_and(|why| why.to_string() == "mine has no native dialect"));
        assert_eq!(mine.family, Family::Other);
    }

    #[test]
    fn shards_and_times_are_words_of_the_command() {
        let targets = all(None).expect("good targets");
        let own = find(&targets, "switchboard").expect("there");
        let address = SocketAddr::from(([127, 0, 0, 1], 81));
        let words = |target: &Target| target.command(address).join(" ");
        assert!(words(&own).ends_with("--shards 1"));
        let two = own.with_shards(2).expect("it can be told");
        assert!(two.name == "2 shards" && words(&two).ends_with("--shards 2"));
        let stops = own.with_drain(Duration::from_secs(3)).expect("it can be told");
        assert!(words(&stops).ends_with("--shards 1 --drain 3000ms"));
        assert!(words(&own).contains("STALL=10s "));
        assert!(words(&own.with_stall(Duration::from_millis(1_500))).contains("STALL=1500ms "));
        let floor = find(&targets, "floor").expect("there");
        assert_eq!(floor.with_stall(Duration::ZERO), floor);
        assert!(floor.with_drain(Duration::from_secs(3)).is_err() && floor.with_shards(2).is_err());
    }

    #[test]
    fn an_unknown_key_and_a_missing_program() {
        assert!(parse("[[target]]\nname = \"a\"\nstrat = []\n").is_err());
        let mut target = parse("[[target]]\nname = \"a\"\n").expect("good").remove(0);
        assert!(target.is_there());
        target.check = Some("no-such-program-anywhere".to_owned());
        assert!(!target.is_there());
    }
}
