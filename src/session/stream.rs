//! A session that is a stream of Server-Sent Events: the rooms that it was opened for, and requests made on its behalf.

use std::collections::VecDeque;
use std::fmt::Display;

use crate::broker::post::{Slot, Span};
use crate::id::SessionId;
use crate::message::Transport;
use crate::position::Position;
use crate::room_key::RoomKey;
use crate::sse::{Id, Since};
use crate::time::Tick;

/// One stream.
#[derive(Debug)]
pub struct Stream {
    /// The rooms in the order asked for.
    feeds: Box<[Feed]>,
    /// How many of them have been asked to let the session in.
    begun: u8,
    /// Messages wanted, at most, of a room that the client knows nothing of, or whose place it has lost.
    history: Option<u32>,
    /// Requests that came by HTTP, the oldest first.
    requests: VecDeque<Waiting>,
    /// What those take, in bytes.
    held: usize,
    /// The call that was last given replies, and how many bytes of them.
    told: Option<(SessionId, usize)>,
}

/// A request that waits to be carried out.
#[derive(Debug)]
pub struct Waiting {
    /// Where its reply goes.
    pub slot: Slot,
    /// What it says.
    pub text: Box<str>,
    /// When it came.
    pub came: Tick,
}

impl Waiting {
    /// Bytes of memory that it holds.
    fn held(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

/// A room that a stream was opened for.
#[derive(Debug)]
struct Feed {
    room: RoomKey,
    /// The number of the room's audience, once there is a seat in it.
    number: u32,
    /// What the client has, once it has read to the end of what was queued for it.
    since: Since,
}

/// No audience has this number.
const NONE: u32 = u32::MAX;

impl Stream {
    /// A stream of these rooms, at most 255, that has not begun with any of them.
    pub fn new(rooms: impl Iterator<Item = (RoomKey, Since)>, history: Option<usize>) -> Self {
        let feeds = rooms.map(|(room, since)| Feed { room, number: NONE, since }).collect();
        let history = history.map(|history| u32::try_from(history).unwrap_or(u32::MAX));
        Self { feeds, begun: 0, history, requests: VecDeque::new(), held: 0, told: None }
    }

    /// How many requests wait.
    pub fn waiting(&self) -> usize {
        self.requests.len()
    }

    /// Bytes of memory that those hold.
    pub fn held(&self) -> usize {
        self.held
    }

    /// A request waits behind those that are there.
    pub fn push_request(&mut self, request: Waiting) {
        self.held += request.held();
        self.requests.push_back(request);
    }

    /// The first request has to wait once more.
    pub fn put_back(&mut self, request: Waiting) {
        self.held += request.held();
        self.requests.push_front(request);
    }

    /// Takes the request that is next.
    pub fn next_request(&mut self) -> Option<Waiting> {
        let request = self.requests.pop_front()?;
        self.held -= request.held();
        if self.requests.is_empty() {
            self.requests = VecDeque::new();
        }
        Some(request)
    }

    /// When the request came that is next.
    pub fn oldest_request(&self) -> Option<Tick> {
        self.requests.front().map(|request| request.came)
    }

    /// A call is given so many bytes of replies.
    pub fn tells(&mut self, call: SessionId, bytes: usize) {
        self.told = Some((call, bytes + self.told(call)));
    }

    /// How many bytes of replies a call was given, if no other was since.
    pub fn told(&self, call: SessionId) -> usize {
        self.told.filter(|(last, _)| *last == call).map_or(0, |(_, bytes)| bytes)
    }

    /// A call has come with requests: none of its replies was given.
    pub fn begins(&mut self, call: SessionId) {
        self.told = self.told.filter(|(last, _)| *last != call);
    }

    /// The next room to join, and what to ask of it.
    pub fn next_room(&mut self) -> Option<(RoomKey, Span)> {
        let feed = self.feeds.get(usize::from(self.begun))?;
        self.begun += 1;
        let most = self.history.map(|history| history as usize);
        let span = match feed.since {
            Since::Start => most.filter(|most| *most > 0).map_or(Span::Nothing, Span::Newest),
            Since::Unknown => Span::Since(None, most.unwrap_or(usize::MAX)),
            Since::At(position) => Span::Since(Some(position), most.unwrap_or(usize::MAX)),
        };
        Some((feed.room.clone(), span))
    }

    /// How it reads the room of audience `number`.
    ///
    /// Only in a stream of one room is a message's own position where the client goes on.
    pub fn transport(&self, number: u32) -> Transport {
        match &*self.feeds {
            [feed] if feed.number == number => Transport::Events,
            _ => Transport::Parts,
        }
    }

    /// The session is about to sit in `room`, whose audience has this number.
    pub fn sits(&mut self, room: &RoomKey, number: u32) {
        if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.room == *room) {
            feed.number = number;
        }
    }

    /// The session has stood up from the room of audience `number`, which may be given to another room.
    pub fn stood_up(&mut self, number: u32) {
        if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.number == number) {
            feed.number = NONE;
        }
    }

    /// The client has everything in `room` up to `position`, with what is queued for it.
    pub fn joined(&mut self, room: &RoomKey, position: Position) {
        if let Some(feed) = self.feeds.iter_mut().find(|feed| feed.room == *room) {
            feed.since = Since::At(position);
        }
    }

    /// The same, for the room of audience `number`. Whether that is one of those that the stream was opened for.
    pub fn reached(&mut self, number: u32, position: Position) -> bool {
        let feed = self.feeds.iter_mut().find(|feed| feed.number == number);
        feed.map(|feed| feed.since = Since::At(position)).is_some()
    }

    /// Where the client goes on.
    pub fn id(&self) -> impl Display + '_ {
        Id(self.feeds.iter().map(|feed| feed.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room_key::{RoomKeys, Space};

    #[test]
    fn an_id_holds_every_room_in_its_order() {
        let keys = RoomKeys::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| keys.key(Space::Native, name));
        let at = |offset| Position { epoch: 1, offset };
        let mut stream =
            Stream::new([(a.clone(), Since::Start), (b.clone(), Since::At(at(9)))].into_iter(), Some(5));
        assert_eq!(stream.next_room(), Some((a.clone(), Span::Newest(5))));
        assert_eq!(stream.next_room(), Some((b.clone(), Span::Since(Some(at(9)), 5))));
        assert_eq!(stream.next_room(), None);
        assert_eq!(stream.id().to_string(), ",00000001:9");
        stream.joined(&a, at(3));
        stream.sits(&a, 10);
        stream.sits(&b, 11);
        // A room that was joined later by a request has no place in the id.
        stream.sits(&c, 12);
        assert!(stream.reached(11, at(12)) && !stream.reached(12, at(1)));
        assert_eq!(stream.id().to_string(), "00000001:3,00000001:12");
        stream.stood_up(11);
        assert!(!stream.reached(11, at(13)));
    }

    #[test]
    fn only_a_stream_of_one_room_shares_whole_events() {
        let key = RoomKeys::default().key(Space::Native, "a");
        let mut stream = Stream::new([(key.clone(), Since::Start)].into_iter(), None);
        stream.sits(&key, 4);
        assert_eq!((stream.transport(4), stream.transport(5)), (Transport::Events, Transport::Parts));
    }
}
