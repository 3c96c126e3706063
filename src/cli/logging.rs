//! The log, on standard error.
//!
//! A thread writes the lines. When standard error is a pipe that nobody reads, that thread waits and lines over a bound are
//! dropped. So the event loops never wait for the log.

use std::fmt::Debug;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use switchboard::program::config::{Log, LogFormat};
use switchboard::program::visible;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::Registry;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::banner::Banner;

/// Lines that may wait to be written, about a megabyte of them; more are dropped.
const LINES: usize = 8192;
/// How long the program waits at its end for the last lines to be written.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The target of the start's line, which is written at every level but `off`.
const ALWAYS: &str = "switchboard::start";

/// The log of this process, from its start to [`close`](Self::close).
pub(crate) struct Logging {
    log: Log,
    writer: NonBlocking,
    guard: WorkerGuard,
}

impl Logging {
    /// Makes standard error the log of the whole process.
    ///
    /// # Errors
    ///
    /// If there is no standard error, or the process has a log already.
    pub(crate) fn start(log: Log) -> io::Result<Self> {
        // A separate descriptor: `io::stderr` would hold its lock while a write waits, and every other print would wait too.
        let output = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        let (writer, guard) = patient(output);
        let shown = Shown { writer: writer.clone(), format: log.format };
        let lines = layer(shown, colours()).with_filter(filter(log.level));
        tracing_subscriber::registry().with(lines).try_init().map_err(io::Error::other)?;
        Ok(Self { log, writer, guard })
    }

    /// Logs that the server is ready: plain lines for people, one event for machines.
    pub(crate) fn announce(&self, banner: &Banner) {
        match (self.log.level, self.log.format) {
            (LevelFilter::OFF, _) => {}
            (_, LogFormat::Text) => {
                let _ = self.writer.clone().write_all(banner.to_string().as_bytes());
            }
            (_, LogFormat::Json) => {
                let (publish, join, access) = (banner.publish(), banner.join(), banner.access());
                tracing::info!(target: ALWAYS, publish, join, access, "{}", banner.ready());
            }
        }
    }

    /// Waits a moment for the last lines to be written.
    ///
    /// Dropping the guard waits too, but may print to standard output, which may be the same unread pipe. So another thread
    /// drops it, and the process does not wait for that thread.
    pub(crate) fn close(self) {
        finish(self.guard);
    }
}

/// A layer that writes events as lines of `shown`'s format.
fn layer(shown: Shown, colours: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    let format = shown.format;
    let lines = fmt::layer().with_writer(shown).with_ansi(colours);
    match format {
        LogFormat::Text => lines.fmt_fields(debug_fn(field).delimited(" ")).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    }
}

/// Writes the message or another field of an event, the name in italics where there are colours. Escape sequences in a value
/// are written out.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let value = format!("{value:?}");
    let value = visible::line(&value);
    match field.name() {
        "message" => write!(writer, "{value}"),
        name if writer.has_ansi_escapes() => write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m{value}"),
        name => write!(writer, "{name}={value}"),
    }
}

/// Writes each event as one line that cannot control the terminal, whatever names and reasons are in it.
#[derive(Clone)]
struct Shown {
    writer: NonBlocking,
    format: LogFormat,
}

impl Shown {
    /// The line of one event. An escape character in a line of text belongs to the colours: those in fields are already
    /// written out.
    fn line(&self, event: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = match self.format {
            LogFormat::Text => visible::coloured(line),
            LogFormat::Json => visible::json(line),
        };
        format!("{line}\n").into_bytes()
    }
}

impl Write for Shown {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.writer.write_all(&self.line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl<'a> MakeWriter<'a> for Shown {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// What is written at `level`: at `off` nothing, else at least the start.
fn filter(level: LevelFilter) -> Targets {
    let filter = Targets::new().with_default(level);
    if level == LevelFilter::OFF { filter } else { filter.with_target(ALWAYS, level.max(LevelFilter::INFO)) }
}

/// A writer that never waits for `output`. Its thread does.
fn patient(output: impl Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LINES).thread_name("log").finish(output)
}

fn finish(guard: WorkerGuard) {
    let (done, wait) = mpsc::channel();
    thread::spawn(move || {
        drop(guard);
        let _ = done.send(());
    });
    let _ = wait.recv_timeout(LAST_LINES);
}

/// Whether lines are coloured: for a terminal, unless <https://no-color.org> is asked for.
fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    /// What is logged of an event whose field and message are `text`.
    fn logged(format: LogFormat, colours: bool, text: &str) -> String {
        let (output, mut read) = UnixStream::pair().unwrap();
        let (writer, guard) = patient(output);
        let lines = layer(Shown { writer, format }, colours);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::info!(user = text, client = %text, ?text, "{text}");
        });
        drop(guard);
        let mut all = String::new();
        io::Read::read_to_string(&mut read, &mut all).unwrap();
        all
    }

    #[test]
    fn a_name_does_nothing_to_a_terminal() {
        let text = "a\u{9b}31m\u{202e}b\u{2066}\x1b[2J\x07\n\r\u{2028}\u{85}\x7f\u{200b}c";
        for (format, colours) in [(LogFormat::Text, false), (LogFormat::Text, true), (LogFormat::Json, false)]
        {
            let log = logged(format, colours, text);
            let own = |c: char| c == '\n' || (colours && c == '\x1b');
            assert_eq!(log.chars().filter(|c| visible::is_unseen(*c) && !own(*c)).count(), 0, "{log:?}");
            assert_eq!((log.matches('\n').count(), log.ends_with('\n')), (1, true), "{log:?}");
            assert!(!log.contains("\x1b[2J"), "{log:?}");
        }
        let log = logged(LogFormat::Json, false, text);
        let line: serde_json::Value = serde_json::from_str(&log).unwrap();
        assert_eq!((line["message"].as_str(), line["user"].as_str()), (Some(text), Some(text)));
    }

    #[test]
    fn nobody_waits_for_a_log_that_nobody_reads() {
        let (output, unread) = UnixStream::pair().unwrap();
        let (mut writer, guard) = patient(output);
        let line = [b'x'; 128];
        // Far more than a socket's buffer and the waiting lines together hold.
        for _ in 0..20 * LINES {
            writer.write_all(&line).unwrap();
        }
        assert!(writer.error_counter().dropped_lines() > 0, "lines are dropped");
        finish(guard);
        drop(unread);
    }
}
