//! How a connection ends: what the server says, whether it may say so, and that it says nothing more.

use super::conn::{Conn, Tongue};
use super::plan::Plan;
use super::random::Random;
use super::socket::Socket;
use super::truth::ensure;
use super::truth::{Truth, Verdict};

/// The end of a stream.
#[derive(serde::Deserialize)]
pub struct Closing {
    pub code: u16,
    pub reason: String,
}

impl Conn {
    pub fn hear_close(
        &mut self,
        payload: &[u8],
        socket: &mut Socket,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> Verdict {
        let code = payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code));
        let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned();
        self.closing(code, &reason, truth, plan)?;
        if !self.done {
            self.close(code, random, socket);
        }
        Ok(())
    }

    /// The server says why it closes the connection.
    pub fn closing(&mut self, code: u16, reason: &str, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.trace(|| format!("{} is closed with {code} {reason}", self.id));
        self.closed = Some(code);
        let named = self.user().is_some();
        match (code, reason, &self.tongue) {
            (1000, ..) if self.done => {}
            (1001, ..) if plan.drains => truth.count("drained"),
            (1013, _, Tongue::Raw(raw)) => raw.not_let_in(truth, plan)?,
            (1013, _, Tongue::Stream(stream)) if stream.refused => truth.count("stream refused"),
            (4100, ..) if plan.slow => truth.count("slow"),
            (4000, ..) if plan.kicks && named => truth.count("disconnected"),
            (1008, "max connections reached", _) if named && plan.quota.0 > 0 && !plan.quota.1 => {
                truth.count("one too many");
                if let Tongue::Raw(raw) = &self.tongue {
                    raw.refused(truth);
                }
            }
            (1008, "replaced by a newer connection", _) if named && plan.quota.0 > 0 && plan.quota.1 => {
                truth.count("replaced");
            }
            (1008, "token expired", _) => {
                truth.count("expired");
                let pass = match &self.tongue {
                    Tongue::Native(native) => {
                        native.passes.iter().min_by_key(|pass| !pass.is_over(truth.now_ms))
                    }
                    Tongue::Stream(stream) => stream.pass.as_ref(),
                    _ => None,
                };
                ensure!(pass.is_some_and(|pass| pass.is_over(truth.now_ms)), "{pass:?} is not over");
            }
            _ => return Err(format!("closed with {code} {reason}")),
        }
        Ok(())
    }

    /// The server has sent its last byte.
    pub fn ended(&mut self, socket: &mut Socket, plan: &Plan) -> Verdict {
        ensure!(self.input.is_empty(), "connection {} ended within a frame", self.id);
        // An idle HTTP connection may be dropped when time has passed, or the server shuts down.
        let idle = self.is_http() && (self.done || plan.odds.is_some() || plan.drains);
        ensure!(self.closed.is_some() || idle, "connection {} was dropped", self.id);
        if let Tongue::Http(http) = &self.tongue {
            http.rest()?;
        }
        self.over = true;
        if !socket.client_finished {
            socket.finish(usize::MAX);
        }
        Ok(())
    }
}
