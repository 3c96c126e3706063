//! The server under test: measured if its process is known, stopped and started if the load test has started it.

use anyhow::{Context, Result};

use crate::process::{Server, Watch};

/// What a scenario asks to be done to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// SIGTERM.
    Terminate,
    /// SIGKILL, then the same server again at the same address.
    KillAndStart,
}

/// The server under test.
#[derive(Debug)]
pub(crate) struct Subject {
    watch: Option<Watch>,
    server: Option<Server>,
    /// The first deed that was done to it. After that its CPU time is not that of one process.
    done: Option<Deed>,
}

impl Subject {
    /// A server that the load test has started. It stops when this value is dropped.
    pub(crate) fn started(server: Server) -> Subject {
        Subject { watch: Some(Watch::on(server.id())), server: Some(server), done: None }
    }

    /// A server that already runs, with its process if that is known.
    pub(crate) fn running(pid: Option<u32>) -> Subject {
        Subject { watch: pid.map(Watch::on), server: None, done: None }
    }

    /// Its CPU time so far in microseconds; `None` if it is not known.
    pub(crate) fn cpu(&self) -> Result<Option<u64>> {
        self.watch.filter(|_| self.done.is_none()).map(|watch| watch.cpu()).transpose()
    }

    /// Its resident memory in bytes; `None` if it is not known.
    pub(crate) fn memory(&self) -> Result<Option<u64>> {
        self.watch.filter(|_| self.done != Some(Deed::Terminate)).map(|watch| watch.memory()).transpose()
    }

    /// Does what a scenario asks for.
    ///
    /// # Errors
    ///
    /// The load test has not started this server, or the server does not start again.
    pub(crate) fn carry_out(&mut self, deed: Deed) -> Result<()> {
        let server =
            self.server.as_mut().context("a server that the load test has not started is left alone")?;
        self.done.get_or_insert(deed);
        match deed {
            Deed::Terminate => server.terminate()?,
            Deed::KillAndStart => server.kill_and_start_again()?,
        }
        self.watch = Some(Watch::on(server.id()));
        Ok(())
    }

    /// Whether it has ended with success; `None` while it runs.
    pub(crate) fn ended(&mut self) -> Result<Option<bool>> {
        match &mut self.server {
            Some(server) if self.done == Some(Deed::Terminate) => {
                Ok(server.ended()?.map(|status| status.success()))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_somebody_else_is_left_alone() {
        let mut subject = Subject::running(Some(std::process::id()));
        assert!(subject.carry_out(Deed::Terminate).is_err_and(|why| why.to_string().contains("left alone")));
        assert!(subject.cpu().is_ok_and(|cpu| cpu.is_some()));
        assert_eq!(subject.ended().expect("nothing to ask"), None);
        assert_eq!(Subject::running(None).memory().expect("nothing to read"), None);
    }
}
