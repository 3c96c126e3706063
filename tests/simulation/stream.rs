//! A client of Server-Sent Events, which remembers the last `id` and nothing else: so each `id` must say what has come.

use switchboard::position::Position;

use super::conn::Memory;
use super::event::{self, Event};
use super::feed::{Feed, Resume, Since, choose, feed, read};
use super::pass::Pass;
use super::plan::Plan;
use super::plant::Plant;
use super::random::Random;
use super::recovery::recovered;
use super::truth::ensure;
use super::truth::{Truth, Verdict};
use super::watch::Watch;
use super::wire::{self, Block};

/// One connection.
pub struct Stream {
    pub conn: usize,
    pub user: Option<String>,
    /// What the server calls it, once it has said so.
    pub name: Option<String>,
    pub pass: Option<Pass>,
    pub feeds: Vec<Feed>,
    last_id: String,
    newest: u64,
    pub announced: Vec<usize>,
    /// One of its rooms did not let it in.
    pub refused: bool,
}

impl Stream {
    /// A stream, mostly of the rooms that the client had before, and the request that begins it.
    pub fn new(
        conn: usize,
        user: Option<String>,
        memory: Memory,
        truth: &mut Truth,
        plan: &Plan,
        random: &mut Random,
    ) -> (Self, Vec<u8>) {
        let mint = |user: &String| Pass::mint(user, truth.now_ms, plan, random);
        let pass = user.as_ref().filter(|_| plan.guarded).map(mint);
        let allowed = |room: &usize| pass.as_ref().is_none_or(|pass| pass.allows(*room, plan));
        let Resume { rooms: before, last_id, came } = memory.stream;
        let same = !before.is_empty() && !random.chance(10);
        let mut rooms = if same { before.clone() } else { choose(user.as_deref(), plan, random) };
        rooms.retain(allowed);
        if rooms.is_empty() {
            // Where nothing is allowed there is still the inbox.
            rooms.extend(plan.called("$me", user.as_deref()));
        }
        let mut sinces = read(&last_id, rooms.len());
        if rooms == before {
            // What the client says of it is one thing, what it has another.
            let has = |(since, room): (&mut Since, &usize)| {
                if let (Since::At(_), Some(at)) = (*since, came.get(room)) {
                    *since = Since::At(*at);
                }
            };
            sinces.iter_mut().zip(&rooms).for_each(has);
        }
        let feeds =
            rooms.iter().zip(sinces).map(|(&room, since)| feed(conn, room, since, truth, plan)).collect();
        let newest = random.below(5) as u64;
        let (name, announced) = Default::default();
        let stream = Self { conn, user, name, pass, feeds, last_id, newest, announced, refused: false };
        let request = stream.request(plan, random);
        (stream, request)
    }

    fn request(&self, plan: &Plan, random: &mut Random) -> Vec<u8> {
        let mut query = vec![format!("history={}", self.newest)];
        query.extend(self.feeds.iter().map(|feed| format!("room={}", plan.rooms[feed.room].label())));
        if !plan.guarded {
            query.extend(self.user.iter().map(|user| format!("user={user}")));
        }
        let mut fields = String::new();
        if self.last_id.is_empty() {
        } else if random.chance(50) {
            query.push(format!("last_event_id={}", self.last_id));
        } else {
            fields = format!("Last-Event-ID: {}\r\n", self.last_id);
        }
        let token = self.pass.as_ref().map(|pass| &*pass.token);
        wire::request("GET", &format!("/sse?{}", query.join("&")), token, &fields, b"")
    }

    /// Takes an event.
    pub fn hear(&mut self, block: &Block, truth: &mut Truth, plan: &Plan) -> Verdict {
        truth.trace(|| {
            format!("{} streams {} {:?}", self.conn, String::from_utf8_lossy(&block.data), block.id)
        });
        let event = Event::read(&block.data)?;
        ensure!(block.event == event.kind, "a {} is called {}", event.kind, block.event);
        ensure!(self.name.is_some() || event.kind == "welcome", "{} before welcome", event.kind);
        let named = event.room.as_deref();
        let room =
            named.map(|name| plan.called(name, self.user.as_deref()).ok_or("a strange room")).transpose()?;
        match (&*event.kind, room) {
            ("welcome", None) => self.name = event.connection.map(Into::into),
            ("joined", Some(room)) => self.joined(&event, room, block.id.as_deref(), truth, plan)?,
            ("message", Some(room)) => self.message(&block.data, room, truth, plan)?,
            ("direct" | "notification", None) => {
                let room = plan.called("$me", self.user.as_deref()).ok_or("a letter to a guest")?;
                truth.count("streamed letter");
                self.message(&block.data, room, truth, plan)?;
            }
            ("gap", Some(room)) => self.gap(&event, room, truth, plan)?,
            ("left", Some(room)) if event.reason.as_deref() == Some("removed by the app") && plan.kicks => {
                self.feed(room)?.taken_out = true;
            }
            ("announcement", None) => {
                let number = event::announcement(&block.data, truth, plan)?;
                ensure!(!self.announced.contains(&number), "announcement {number} came twice");
                self.announced.push(number);
            }
            ("error", Some(room)) => self.not_let_in(&event, room, plan)?,
            ("user_joined" | "user_left" | "count" | "typing", Some(room)) => {
                let user = self.user.clone();
                let watch = self.feed(room)?.watch.as_mut().ok_or("news of a room not joined")?;
                watch.hear(&event, user.as_deref())?;
            }
            _ => return Err(format!("an unexpected {}", event.kind)),
        }
        self.check_id(block, plan)
    }

    fn feed(&mut self, room: usize) -> Verdict<&mut Feed> {
        self.feeds.iter_mut().find(|feed| feed.room == room).ok_or("a room that was not asked for".into())
    }

    /// The `id` of an event speaks for what has come by then, of every room, and for nothing else.
    fn check_id(&mut self, block: &Block, plan: &Plan) -> Verdict {
        let Some(id) = &block.id else { return Ok(()) };
        let due = self.feeds.iter().map(|feed| feed.id.as_str()).collect::<Vec<_>>().join(",");
        ensure!(*id == due, "the id is {id}, and {due} has come");
        self.last_id = id.clone();
        if plan.plant == Plant::EarlyId {
            // As if the id of the next message had been written before its bytes.
            let ahead = |id: &str| match id.parse::<Position>() {
                Ok(at) => Position { offset: at.offset + 1, ..at }.to_string(),
                Err(_) => id.to_owned(),
            };
            self.last_id = id.split(',').map(ahead).collect::<Vec<_>>().join(",");
        }
        Ok(())
    }

    fn joined(
        &mut self,
        event: &Event<'_>,
        room: usize,
        id: Option<&str>,
        truth: &mut Truth,
        plan: &Plan,
    ) -> Verdict {
        truth.count("streamed");
        let (newest, held) = (self.newest, plan.rooms[room].history);
        let index = self.feeds.iter().position(|feed| feed.room == room).ok_or("a strange room")?;
        let feed = &mut self.feeds[index];
        ensure!(feed.end.is_none() && event.history.is_empty(), "joined {room} twice, or with history");
        let end = event.position()?.ok_or("joined nowhere")?;
        let own = id.and_then(|id| id.split(',').nth(index)).ok_or("joined without an id")?;
        let at = event::place(own)?;
        ensure!(at.epoch == end.epoch && at.offset <= end.offset, "joined at {end}, to go on at {at}");
        let run = (at.offset < end.offset).then_some((at.offset + 1, end.offset));
        let held = plan.odds.is_none().then_some(held);
        match feed.since {
            Since::At(since) => recovered(event.recovered, Some(since), end, run, None, held, truth)?,
            Since::Unknown => recovered(event.recovered, None, end, run, None, held, truth)?,
            Since::Start => ensure!(!event.recovered, "recovered without since"),
        }
        if let (false, Some(held)) = (event.recovered, held) {
            let due = newest.min(held).min(end.offset);
            ensure!(end.offset - at.offset == due, "history of {run:?} where {due} were due");
        }
        (feed.at, feed.end, feed.id) = (Some(at), Some(end), own.to_owned());
        feed.watch = Some(Watch::new(event, room, plan)?);
        Ok(())
    }

    fn message(&mut self, json: &[u8], room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let (number, position) = event::message(json, room, truth, plan)?;
        let conn = self.conn;
        let feed = self.feed(room)?;
        let (Some(at), Some(end)) = (feed.at, feed.end) else {
            return Err("a message of a room not joined".into());
        };
        ensure!(!feed.taken_out, "message {number} of a room that was left");
        ensure!(feed.heard.insert(number), "message {number} came twice");
        let missed = at.epoch == end.epoch && at.offset < end.offset;
        if let Some(position) = position {
            ensure!(
                position.epoch == at.epoch || plan.odds.is_some(),
                "message {number} at {position} behind {at}"
            );
            if missed {
                ensure!(position.offset == at.offset + 1, "message {number} at {position} behind {at}");
            } else if position.epoch == at.epoch {
                truth.skipped(conn, room, at, position.offset)?;
            }
            feed.at = Some(position);
            feed.id = position.to_string();
        }
        if !missed {
            truth.count("streamed message");
            ensure!(truth.said[number].excluded != Some(conn), "message {number} was not for {conn}");
            truth.stays[feed.stay].seen.push(number);
        }
        Ok(())
    }

    fn gap(&mut self, event: &Event<'_>, room: usize, truth: &mut Truth, plan: &Plan) -> Verdict {
        let bound =
            |text: &Option<std::borrow::Cow<'_, str>>| event::place(text.as_deref().unwrap_or_default());
        let (from, to) = (bound(&event.from)?, bound(&event.to)?);
        let conn = self.conn;
        let feed = self.feed(room)?;
        let at = feed.at.ok_or("a gap in a room not joined")?;
        if to.epoch == at.epoch {
            ensure!(plan.rooms[room].skips, "a gap in a room that does not skip");
            truth.skipped(conn, room, at, from.offset)?;
        } else {
            ensure!(plan.odds.is_some(), "an epoch was lost");
            (feed.end, feed.id) = (Some(to), to.to_string());
        }
        feed.at = Some(to);
        Ok(())
    }

    fn not_let_in(&mut self, event: &Event<'_>, room: usize, plan: &Plan) -> Verdict {
        let code = event.code.as_deref().unwrap_or_default();
        let full = code == "room_full" && plan.rooms[room].max_members > 0;
        ensure!(full || code == "unavailable" && plan.odds.is_some(), "{code} for room {room}");
        self.refused = true;
        Ok(())
    }

    /// Everything is at rest and the connection lives.
    pub fn rest(&self, truth: &mut Truth) -> Verdict {
        ensure!(self.name.is_some(), "stream {} was not welcomed", self.conn);
        for feed in &self.feeds {
            let (Some(at), Some(end)) = (feed.at, feed.end) else {
                return Err(format!("stream {} waits for room {}", self.conn, feed.room));
            };
            let missed = feed.is_member() && at.epoch == end.epoch && at.offset < end.offset;
            ensure!(!missed, "stream {} was let in at {end} and has come to {at}", self.conn);
            truth.stays[feed.stay].lasts = feed.is_member();
        }
        let over = self.pass.as_ref().is_some_and(|pass| pass.is_over(truth.now_ms));
        ensure!(!over, "stream {} outlives its token", self.conn);
        Ok(())
    }

    /// What a later connection of the same client is to know.
    pub fn remember(&self) -> Memory {
        let came = |feed: &Feed| Some((feed.room, feed.id.parse().ok()?));
        let stream = Resume {
            rooms: self.feeds.iter().map(|feed| feed.room).collect(),
            last_id: self.last_id.clone(),
            came: self.feeds.iter().filter_map(came).collect(),
        };
        Memory { stream, ..Memory::default() }
    }
}
