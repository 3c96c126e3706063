//! The home with an engine whose every word is scripted. What it posts and asks is read as short lines.

mod behind;
mod engine;
mod life;
mod people;
mod reads;
mod window;

use super::*;
use crate::broker::post::{Caller, Notice, Page, Span, Standing, Ticket};
use crate::id::SessionId;
use crate::message::{Draft, Kind, Message};
use crate::room_key::{RoomKeys, Space};

const EPOCH: u32 = 7;

fn at(offset: u64) -> Position {
    Position { epoch: EPOCH, offset }
}

fn ticket(id: u32) -> Ticket {
    Ticket { id: Some(id.to_string().into()), slot: None }
}

/// A home, and what it has written since it was last looked at.
struct Bench {
    home: Home,
    key: RoomKey,
    now: Tick,
    posts: Vec<(ShardId, Post)>,
    asks: Vec<Ask>,
    keys: Keys,
    users: Users,
    spare: Spare,
}

impl Bench {
    fn new(settings: RoomSettings) -> Self {
        let key = RoomKeys::default().key(Space::Native, "a");
        let home = Home::new(key.clone(), Arc::new(settings), 3, 0, Tick(100));
        Self {
            home,
            key,
            now: Tick(100),
            posts: Vec::new(),
            asks: Vec::new(),
            keys: Keys::new(1 << 20),
            users: Users::default(),
            spare: Spare::default(),
        }
    }

    /// A home whose room is open at `end`, of which the engine keeps everything from `first`.
    fn open(settings: RoomSettings, end: u64, first: u64) -> Self {
        let mut bench = Self::new(settings);
        bench.look(0, Span::Nothing);
        bench.opened(at(end), first);
        bench.posts.clear();
        bench.asks.clear();
        bench
    }

    fn work(&mut self, work: impl FnOnce(&mut Home, &mut Desk<'_>)) {
        let Self { now, posts, asks, keys, users, spare, .. } = self;
        work(&mut self.home, &mut Desk { now: *now, posts, asks, keys, users, spare });
    }

    fn request(&mut self, request: Request) {
        self.work(|home, desk| home.request(request, desk));
    }

    /// Session `key` of shard `shard` wants in.
    fn join(&mut self, shard: ShardId, key: u32, span: Span) {
        let session = SessionId { shard, key, generation: 1 };
        let join = Join { session, site: 0, user: None, ticket: Ticket::default(), span, again: false };
        self.request(Request::Join(Box::new(join)));
    }

    fn leave(&mut self, shard: ShardId) {
        self.request(Request::Leave(Caller::Nobody, shard, None));
    }

    /// A session of shard 0 publishes, under `id`.
    fn publish(&mut self, id: u32) {
        self.publish_keyed(id, None);
    }

    fn publish_keyed(&mut self, id: u32, key: Option<&str>) {
        let session = SessionId { shard: 0, key: 1, generation: 1 };
        let caller = Caller::Session(session, ticket(id));
        let key = key.map(Into::into);
        let draft = Draft {
            kind: Kind::Message,
            from: None,
            event: None,
            data: "1".into(),
            store: true,
            exclude: None,
            key,
        };
        self.request(Request::Publish(caller, draft));
    }

    /// A session of shard 0 asks for history, under `id`.
    fn look(&mut self, id: u32, span: Span) {
        let session = SessionId { shard: 0, key: 1, generation: 1 };
        let caller = Caller::Session(session, ticket(id));
        self.request(Request::Look(caller, span));
    }

    fn tell(&mut self, tell: Tell) {
        self.work(|home, desk| home.tell(tell, desk));
    }

    fn opened(&mut self, position: Position, first: u64) {
        self.tell(Tell::Opened { room: self.key.clone(), position, tail: Vec::new(), first });
    }

    fn committed(&mut self, position: Position, tag: Option<Tag>) {
        self.tell(Tell::Committed { message: self.message(position), tag });
    }

    /// The next offsets are given to messages of another publisher.
    fn commit(&mut self, offsets: std::ops::RangeInclusive<u64>) {
        for offset in offsets {
            self.committed(at(offset), None);
        }
        self.posts.clear();
    }

    fn failed(&mut self, tag: Option<Tag>) {
        self.tell(Tell::Failed { room: self.key.clone(), tag, why: Why::Unavailable });
    }

    fn page(&mut self, tag: Tag, positions: impl IntoIterator<Item = Position>) {
        let messages = positions.into_iter().map(|position| self.message(position)).collect();
        let end = self.home.end().unwrap();
        self.tell(Tell::Page { room: self.key.clone(), tag, end, messages });
    }

    /// The engine says what came after this home's newest message, and what the newest is.
    fn caught_up(&mut self, tag: Tag, end: Position, positions: impl IntoIterator<Item = u64>) {
        let messages = positions.into_iter().map(|offset| self.message(at(offset))).collect();
        self.tell(Tell::Page { room: self.key.clone(), tag, end, messages });
    }

    fn stored(&mut self, tag: Tag, position: Option<Position>, known: bool) {
        self.tell(Tell::Stored { room: self.key.clone(), tag, position, known });
    }

    fn message(&self, position: Position) -> Arc<Message> {
        let frame = bytes::Bytes::from_static(b"\x81\x02{}");
        Arc::new(Message::new(self.key.clone(), Some(position), None, frame, 2))
    }

    fn wait(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
        self.work(|home, desk| home.expire(desk));
    }

    /// What was posted since the last look: `shard: what`.
    #[track_caller]
    fn posted(&mut self, expected: &[&str]) {
        let posts: Vec<_> =
            self.posts.drain(..).map(|(shard, post)| format!("{shard}: {}", line(post))).collect();
        assert_eq!(posts, expected);
    }

    /// What was asked of the engine since the last look.
    #[track_caller]
    fn asked(&mut self, expected: &[&str]) {
        let asks: Vec<_> = self.asks.drain(..).map(ask).collect();
        assert_eq!(asks, expected);
    }
}

fn line(post: Post) -> String {
    match post {
        Post::Joined(_, join, result) => format!("joined {} {}", join.session.key, standing(result)),
        Post::Deliver(message) => format!("deliver {}", offset(message.position)),
        Post::Gap(_, from, to) => format!("gap {from} {to}"),
        Post::Published(_, Caller::Session(_, Ticket { id: Some(id), .. }), result) => {
            format!(
                "published {id} {}",
                result.map_or_else(|fault| fault.code().into(), |receipt| offset(receipt.position))
            )
        }
        Post::Looked(_, Caller::Session(_, Ticket { id: Some(id), .. }), result) => {
            format!("looked {id} {}", standing(result.map(Option::unwrap)))
        }
        Post::Notice(_, Notice::UserJoined { user, count }) => format!("+{user} {count}"),
        Post::Notice(_, Notice::UserLeft { user, count }) => format!("-{user} {count}"),
        Post::Notice(_, Notice::Count(count)) => format!("{count} people"),
        Post::Rostered(_, _, Ok(Some(roster))) => {
            let users = roster
                .people
                .map(|people| people.iter().map(|person| person.user.clone()).collect::<Vec<_>>());
            let after = roster.after.map_or(String::new(), |after| format!(" > {after}"));
            format!("roster {} {users:?}{after}", roster.count)
        }
        other => panic!("{other:?}"),
    }
}

/// The newest offset, the offsets that came with it, and what they are: all after what was named, or the newest.
fn standing(result: Result<Box<Standing>, Fault>) -> String {
    let Standing { position, excerpt, .. } = match result {
        Ok(standing) => *standing,
        Err(fault) => return fault.code().into(),
    };
    let offsets: Vec<_> = excerpt.messages.iter().map(|message| offset(message.position)).collect();
    let kind = if excerpt.recovered { "all" } else { "newest" };
    let more = if excerpt.more { "+" } else { "" };
    format!("{} {kind}[{}]{more}", position.offset, offsets.join(" "))
}

fn offset(position: Option<Position>) -> String {
    position.map_or("-".into(), |position| position.offset.to_string())
}

fn ask(ask: Ask) -> String {
    match ask {
        Ask::Open(_) => "open".into(),
        Ask::Close(_) => "close".into(),
        Ask::Publish { tag, .. } => format!("publish #{tag}"),
        Ask::Read { since, limit, tag, .. } => format!("read {}+{limit} #{tag}", since.offset),
    }
}
