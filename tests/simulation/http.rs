//! An app that calls the HTTP API on a connection that it keeps, with requests piped behind each other: its answers.

use std::collections::VecDeque;

use serde_json::value::RawValue;
use switchboard::position::Position;
use switchboard::room_key::Space;

use super::conn::Memory;
use super::event::Event;
use super::plan::Plan;
use super::recovery::looked;
use super::truth::ensure;
use super::truth::{Truth, Verdict};

/// Something that is asked on behalf of a stream.
#[derive(Clone, Debug)]
pub enum OnBehalf {
    Publish(usize),
    History(usize, Option<Position>, Option<u64>),
    Ping,
    /// There is no answer, unless it is refused.
    Typing,
}

/// A message that is sent again under its key if nothing is heard of it.
#[derive(Clone, Debug, Default)]
pub struct Retry {
    pub number: usize,
    pub target: String,
    pub body: Vec<u8>,
}

/// A call whose answer is due.
#[derive(Debug)]
pub enum Call {
    Publish(usize),
    /// Sent again if there is no answer.
    Keyed(Retry),
    /// Messages by number; none for an entry that is wrong.
    Batch(Vec<Option<usize>>),
    Notify(usize),
    Announce(usize),
    Remove,
    Disconnect,
    User,
    Members,
    History(usize, Option<Position>, Option<u64>),
    Rooms,
    Requests(Vec<OnBehalf>),
    Missing,
    /// The answer is kept.
    Probe,
}

/// One connection.
pub struct Http {
    pub conn: usize,
    pub due: VecDeque<Call>,
    pub retries: Vec<Retry>,
    /// The answers to probes.
    pub probed: Vec<Vec<u8>>,
}

impl Http {
    pub fn new(conn: usize, memory: Memory) -> Self {
        Self { conn, due: VecDeque::new(), retries: memory.calls, probed: Vec::new() }
    }

    /// Takes an answer, which is to the oldest call.
    pub fn hear(&mut self, status: u16, body: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.count("answer");
        truth.trace(|| format!("{} is answered {status} {}", self.conn, String::from_utf8_lossy(body)));
        let call = self.due.pop_front().ok_or("an answer to nothing")?;
        if let Call::Requests(requests) = &call {
            return answered(requests, status, body, truth, plan);
        }
        let answer = Event::read(body)?;
        if let (503, true, false) = (status, plan.odds.is_some(), matches!(call, Call::Batch(_))) {
            if let Call::Publish(number) | Call::Notify(number) = call {
                published(number, &answer, truth, plan)?;
            }
            return Ok(());
        }
        let expected = if matches!(call, Call::Missing) { 404 } else { 200 };
        ensure!(status == expected, "{status} for {call:?}: {}", String::from_utf8_lossy(body));
        match call {
            Call::Notify(number) => {
                truth.reached.insert(number, answer.connections);
                published(number, &answer, truth, plan)
            }
            Call::Publish(number) => published(number, &answer, truth, plan),
            Call::Keyed(Retry { number, .. }) => published(number, &answer, truth, plan),
            Call::Announce(number) => truth.placed(number, None, plan),
            Call::Batch(numbers) => {
                ensure!(numbers.len() == answer.results.len(), "{} results", answer.results.len());
                for (number, result) in numbers.iter().zip(&answer.results) {
                    match number {
                        Some(number) => published(*number, result, truth, plan)?,
                        None => ensure!(code(result) == Some("bad_room"), "{result:?}"),
                    }
                }
                Ok(())
            }
            Call::User => {
                ensure!(answer.online == (answer.connections > 0), "{answer:?}");
                Ok(())
            }
            Call::History(room, since, limit) => {
                let position = answer.position()?.ok_or("history without position")?;
                looked(&answer, room, position, since, limit, truth, plan)
            }
            Call::Rooms => listed(&answer, plan),
            Call::Probe => {
                self.probed.push(body.to_vec());
                Ok(())
            }
            Call::Requests(_) | Call::Remove | Call::Disconnect | Call::Members | Call::Missing => Ok(()),
        }
    }

    /// Nothing more is to come.
    pub fn rest(&self) -> Verdict {
        ensure!(self.due.is_empty(), "calls were never answered: {:?}", self.due);
        Ok(())
    }

    /// What a later connection of the same client is to know.
    pub fn remember(&mut self) -> Memory {
        let mut calls = std::mem::take(&mut self.retries);
        let keyed = |call: &Call| if let Call::Keyed(retry) = call { Some(retry.clone()) } else { None };
        calls.extend(self.due.iter().filter_map(keyed));
        Memory { calls, ..Memory::default() }
    }
}

fn listed(answer: &Event<'_>, plan: &Plan) -> Verdict {
    let rooms = answer.rooms.iter().map(|room| Event::read(room.get().as_bytes()));
    let rooms = rooms.collect::<Verdict<Vec<_>>>()?;
    let names: Vec<_> = rooms.iter().map(|room| room.room.as_deref().unwrap_or_default()).collect();
    let known = |name: &&str| plan.room(Space::Native, name).is_some();
    ensure!(names.iter().all(known), "a strange room: {names:?}");
    ensure!(names.is_sorted_by(|a, b| a < b), "rooms out of order: {names:?}");
    Ok(())
}

fn code<'a>(answer: &'a Event<'_>) -> Option<&'a str> {
    answer.error.as_ref()?.code.as_deref()
}

fn published(number: usize, answer: &Event<'_>, truth: &mut Truth, plan: &Plan) -> Verdict {
    match code(answer) {
        None => truth.placed(number, answer.position()?, plan),
        Some("unavailable") if plan.odds.is_some() => {
            truth.count("unavailable");
            truth.refused(number);
            Ok(())
        }
        Some(code) => Err(format!("{code} for message {number}")),
    }
}

/// Judges the answer to requests on behalf of a stream: a reply to each that has one, in the order of the requests.
fn answered(requests: &[OnBehalf], status: u16, body: &[u8], truth: &mut Truth, plan: &Plan) -> Verdict {
    let whole = String::from_utf8_lossy(body);
    if status != 200 {
        // The stream is gone, or its token: nothing was carried out.
        ensure!(
            status == 404 || plan.guarded && matches!(status, 401 | 403),
            "{status} for requests: {whole}"
        );
        requests.iter().for_each(|request| {
            if let OnBehalf::Publish(number) = request {
                truth.refused(*number);
            }
        });
        return Ok(());
    }
    truth.count("on behalf");
    let replies: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| format!("{error}: {whole}"))?;
    let mut replies = replies.into_iter().peekable();
    for (index, request) in requests.iter().enumerate() {
        let Some(reply) = replies.peek() else { break };
        let reply = Event::read(reply.get().as_bytes())?;
        if reply.id == Some(index) {
            replies.next();
            replied(request, &reply, truth, plan)?;
        } else {
            ensure!(matches!(request, OnBehalf::Typing), "no reply to {request:?}: {whole}");
        }
    }
    ensure!(replies.next().is_none(), "replies to nothing: {whole}");
    Ok(())
}

fn replied(request: &OnBehalf, reply: &Event<'_>, truth: &mut Truth, plan: &Plan) -> Verdict {
    let refused = reply.kind == "error";
    let known = matches!(reply.code.as_deref(), None | Some("not_joined" | "unavailable"));
    ensure!(known, "{reply:?} for {request:?}");
    match request {
        OnBehalf::Publish(number) if refused => truth.refused(*number),
        OnBehalf::Publish(number) => {
            ensure!(reply.kind == "published", "{reply:?}");
            truth.placed(*number, reply.position()?, plan)?;
        }
        OnBehalf::History(room, since, limit) if !refused => {
            let position = reply.position()?.ok_or("history nowhere")?;
            looked(reply, *room, position, *since, *limit, truth, plan)?;
        }
        OnBehalf::Ping => ensure!(refused || reply.kind == "pong", "{reply:?}"),
        _ => ensure!(refused || reply.kind == "history", "{reply:?}"),
    }
    Ok(())
}
