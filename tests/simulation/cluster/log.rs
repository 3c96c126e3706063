//! One log behind several nodes: what each room's order is, and what is on its way to and from each node. The ways are slow
//! and lose, double and mix things, as a network to a store does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use switchboard::broker::keys::Mark;
use switchboard::broker::place::{Ask, Tag, Tell, Why};
use switchboard::dialect::kept;
use switchboard::message::{Draft, Message};
use switchboard::position::Position;
use switchboard::room_key::RoomKey;
use switchboard::time::Now;

use super::super::random::Random;
use super::weather::{Plant, Weather};

/// How long a node hears nothing at most, in milliseconds.
const CUT_MS: usize = 1_500;

/// Messages that come with an open.
const TAIL: usize = 3;

/// Something that was published.
#[derive(Clone)]
struct Body {
    draft: Draft,
    node: usize,
    wall_ms: u64,
}

/// The order of one room.
struct Order {
    end: Position,
    bodies: VecDeque<Body>,
    keys: Vec<(Mark, Option<Position>)>,
}

impl Order {
    fn new(epoch: u32) -> Self {
        Self { end: Position { epoch, offset: 0 }, bodies: VecDeque::new(), keys: Vec::new() }
    }

    fn first(&self) -> u64 {
        self.end.offset + 1 - self.bodies.len() as u64
    }

    fn after(&self, offset: u64) -> impl Iterator<Item = (Position, &Body)> {
        let at = |(index, body)| (Position { offset: self.first() + index as u64, ..self.end }, body);
        self.bodies.iter().enumerate().map(at).filter(move |(at, _)| at.offset > offset)
    }
}

/// What a node has of the log: the rooms that it listens to, by its own keys, and what is on the way to it.
#[derive(Default)]
struct Way {
    rooms: BTreeMap<String, RoomKey>,
    /// By the time of arrival.
    tells: BTreeMap<(u64, usize), Tell>,
    last_ms: u64,
    /// It hears no pushes until then.
    cut_ms: u64,
}

/// The log, and the ways to it.
pub struct Log {
    orders: BTreeMap<String, Order>,
    ways: Vec<Way>,
    pub weather: Weather,
    plant: Plant,
    random: Random,
    sent: usize,
    epochs: u32,
    /// Every message that ever had a position, by room and position: its data.
    pub bodies: BTreeMap<(String, u32, u64), Vec<u8>>,
    /// What went wrong how often.
    pub tally: BTreeMap<&'static str, usize>,
}

impl Log {
    pub fn new(nodes: usize, weather: Weather, plant: Plant, random: Random) -> Self {
        Self {
            orders: BTreeMap::new(),
            ways: (0..nodes).map(|_| Way::default()).collect(),
            weather,
            plant,
            random,
            sent: 0,
            epochs: 0,
            bodies: BTreeMap::new(),
            tally: BTreeMap::new(),
        }
    }

    /// The newest position of a room, and the first that is kept.
    pub fn reach(&self, room: &str) -> Option<(Position, u64)> {
        self.orders.get(room).map(|order| (order.end, order.first()))
    }

    /// Takes what node `node` asks.
    pub fn ask(&mut self, node: usize, ask: Ask, now: Now) {
        match ask {
            Ask::Open(room) => {
                self.ways[node].rooms.insert(room.name().into(), room.clone());
                self.open(&room);
                self.tell_end(node, &room, TAIL, now);
            }
            Ask::Close(room) => {
                self.ways[node].rooms.remove(room.name());
            }
            Ask::Publish { room, draft, mark, tag } => {
                self.publish(node, &room, draft, mark.as_deref(), tag, now)
            }
            Ask::Read { room, since, limit, tag } => {
                if self.happens("unread", self.weather.fails) {
                    return self.fail(node, room, tag, Why::Unavailable, now);
                }
                let Some(order) = self.orders.get(room.name()) else { return };
                let (end, same) = (order.end, order.end.epoch == since.epoch);
                let found = order.after(since.offset).filter(|_| same).take(limit);
                let hole = self.plant == Plant::LoseForGood;
                let found = found.skip(usize::from(hole));
                let messages = found.map(|(at, body)| self.message(&room, at, body, node)).collect();
                self.send(node, Tell::Page { room, tag, end, messages }, now);
            }
        }
    }

    /// What has arrived at node `node`.
    pub fn take(&mut self, node: usize, now: Now, tells: &mut VecDeque<Tell>) {
        let way = &mut self.ways[node];
        while let Some(entry) = way.tells.first_entry()
            && entry.key().0 <= now.loop_ms
        {
            tells.push_back(entry.remove());
        }
    }

    /// When the next arrives there.
    pub fn next_ms(&self, node: usize) -> Option<u64> {
        self.ways[node].tells.first_key_value().map(|((at, _), _)| *at)
    }

    /// Tells every node the newest position of each room that it listens to, as is done now and then where all is silent.
    pub fn check(&mut self, now: Now) {
        for node in 0..self.ways.len() {
            let rooms: Vec<_> = self.ways[node].rooms.values().cloned().collect();
            rooms.iter().for_each(|room| self.tell_end(node, room, 0, now));
        }
    }

    fn open(&mut self, room: &RoomKey) {
        let epochs = &mut self.epochs;
        self.orders.entry(room.name().into()).or_insert_with(|| {
            *epochs += 1;
            Order::new(*epochs)
        });
    }

    fn tell_end(&mut self, node: usize, room: &RoomKey, tail: usize, now: Now) {
        let Some(order) = self.orders.get(room.name()) else { return };
        let (position, first) = (order.end, order.first());
        let newest = order.after(position.offset.saturating_sub(tail as u64));
        let tail = newest.map(|(at, body)| self.message(room, at, body, node)).collect();
        self.send(node, Tell::Opened { room: room.clone(), position, tail, first }, now);
    }

    fn publish(
        &mut self,
        node: usize,
        room: &RoomKey,
        draft: Draft,
        mark: Option<&Mark>,
        tag: Tag,
        now: Now,
    ) {
        if self.happens("refused", self.weather.fails) {
            return self.fail(node, room.clone(), tag, Why::Unavailable, now);
        }
        self.open(room);
        if self.happens("epoch", self.weather.epochs) {
            self.epochs += 1;
            self.orders.insert(room.name().into(), Order::new(self.epochs));
            for node in 0..self.ways.len() {
                if let Some(room) = self.ways[node].rooms.get(room.name()).cloned() {
                    self.tell_end(node, &room, TAIL, now);
                }
            }
        }
        let Some(order) = self.orders.get_mut(room.name()) else { return };
        if let Some((_, position)) = mark.and_then(|mark| order.keys.iter().find(|(known, _)| known == mark))
        {
            let position = *position;
            *self.tally.entry("known").or_default() += 1;
            let tell = Tell::Stored { room: room.clone(), tag, position, known: true };
            return self.send(node, tell, now);
        }
        let body = Body { draft, node, wall_ms: now.wall_ms };
        let mut position = None;
        if body.draft.store {
            order.end.offset += 1;
            order.bodies.push_back(body.clone());
            if order.bodies.len() > self.weather.kept {
                order.bodies.pop_front();
            }
            position = Some(order.end);
            let at = (room.name().to_owned(), order.end.epoch, order.end.offset);
            self.bodies.insert(at, body.draft.data.to_vec());
        }
        order.keys.extend(mark.map(|mark| (mark.clone(), position)));
        self.tell_all(node, room, position, &body, tag, now);
    }

    /// A push to every node that listens, and the reply to the one that published.
    fn tell_all(
        &mut self,
        from: usize,
        room: &RoomKey,
        position: Option<Position>,
        body: &Body,
        tag: Tag,
        now: Now,
    ) {
        let before = self.happens("reply first", self.weather.reply_first);
        let elsewhere = before && self.plant == Plant::ReplyElsewhere;
        let named =
            position.map(|at| Position { offset: at.offset - u64::from(elsewhere && at.offset > 1), ..at });
        let failed = self.happens("failed late", self.weather.fails).then_some(Why::Timeout);
        let tag =
            if self.plant == Plant::StaleTag && self.random.chance(20) { tag.wrapping_sub(1) } else { tag };
        let reply = match failed {
            Some(why) => Tell::Failed { room: room.clone(), tag: Some(tag), why },
            None => Tell::Stored { room: room.clone(), tag, position: named, known: false },
        };
        let mut reply = Some(reply);
        if before {
            reply.take().into_iter().for_each(|reply| self.reply(from, reply, now));
        }
        for node in 0..self.ways.len() {
            let Some(room) = self.ways[node].rooms.get(room.name()).cloned() else { continue };
            let own = (node == from && failed.is_none()).then_some(tag);
            self.push(node, &room, position, body, own, now);
        }
        reply.into_iter().for_each(|reply| self.reply(from, reply, now));
    }

    fn reply(&mut self, node: usize, reply: Tell, now: Now) {
        if self.happens("no reply", self.weather.no_reply) {
            return;
        }
        // Its request was given up long ago.
        let late = if self.happens("late reply", self.weather.late_reply) { 7_000 } else { 0 };
        self.send_later(node, reply, late, now);
    }

    fn push(
        &mut self,
        node: usize,
        room: &RoomKey,
        position: Option<Position>,
        body: &Body,
        tag: Option<Tag>,
        now: Now,
    ) {
        if self.happens("cut", self.weather.cut) {
            self.ways[node].cut_ms = now.loop_ms + self.random.below(CUT_MS) as u64;
        }
        if self.happens("lost", self.weather.lost) || now.loop_ms < self.ways[node].cut_ms {
            return;
        }
        let message = self.message(room, position.unwrap_or(Position { epoch: 0, offset: 0 }), body, node);
        let message = match position {
            Some(_) => message,
            None => Arc::new(kept::compose(room.clone(), None, self.draft(body, node), body.wall_ms)),
        };
        let Some(at) = position else { return self.send(node, Tell::Committed { message, tag }, now) };
        let twice = self.happens("doubled", self.weather.doubled);
        let late =
            if self.happens("late", self.weather.late) { 1 + self.random.below(300) as u64 } else { 0 };
        let message = match self.before(room, at).filter(|_| late > 0 && self.plant == Plant::LateElsewhere) {
            Some(before) => self.message(room, at, &before, node),
            None => message,
        };
        let again = Tell::Committed { message: message.clone(), tag };
        self.send_later(node, Tell::Committed { message, tag }, late, now);
        if twice && self.plant == Plant::DoubleAsNew {
            let at = Position { offset: at.offset + 1, ..at };
            let message = self.message(room, at, body, node);
            return self.send(node, Tell::Committed { message, tag: None }, now);
        }
        if twice {
            self.send(node, again, now);
        }
    }

    /// What was published before `at`.
    fn before(&self, room: &RoomKey, at: Position) -> Option<Body> {
        let order = self.orders.get(room.name())?;
        let (_, body) = order.after(at.offset.checked_sub(2)?).next()?;
        Some(body.clone())
    }

    fn fail(&mut self, node: usize, room: RoomKey, tag: Tag, why: Why, now: Now) {
        self.send(node, Tell::Failed { room, tag: Some(tag), why }, now);
    }

    fn message(&self, room: &RoomKey, at: Position, body: &Body, node: usize) -> Arc<Message> {
        Arc::new(kept::compose(room.clone(), Some(at), self.draft(body, node), body.wall_ms))
    }

    /// Only the node that a connection is on knows it by its id.
    fn draft(&self, body: &Body, node: usize) -> Draft {
        let exclude = body.draft.exclude.filter(|_| node == body.node);
        Draft { exclude, ..body.draft.clone() }
    }

    fn happens(&mut self, what: &'static str, of_thousand: usize) -> bool {
        let happens = of_thousand > 0 && self.random.below(1000) < of_thousand;
        *self.tally.entry(what).or_default() += usize::from(happens);
        happens
    }

    /// In order behind what is on the way.
    fn send(&mut self, node: usize, tell: Tell, now: Now) {
        let delay = self.random.below(self.weather.delay_ms + 1) as u64;
        let way = &mut self.ways[node];
        way.last_ms = way.last_ms.max(now.loop_ms + delay);
        self.sent += 1;
        way.tells.insert((way.last_ms, self.sent), tell);
    }

    /// The same, but `late_ms` later, so that others overtake it.
    fn send_later(&mut self, node: usize, tell: Tell, late_ms: u64, now: Now) {
        if late_ms == 0 {
            return self.send(node, tell, now);
        }
        self.sent += 1;
        let at = self.ways[node].last_ms.max(now.loop_ms) + late_ms;
        self.ways[node].tells.insert((at, self.sent), tell);
    }
}
