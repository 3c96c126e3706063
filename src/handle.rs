//! The way to a running server from any thread.

mod answer;
mod error;
mod found;
mod message;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use arcstr::ArcStr;

use crate::api::body::MAX_REASON;
use crate::auth::issue::{self, Grant, Rooms};
use crate::broker::post::{Announcement, Caller, Listing, Page, Post, Span};
use crate::broker::question::{Parts, question};
use crate::config::credentials;
use crate::id::{ShardId, is_user};
use crate::message::Draft;
use crate::position::Position;
use crate::reactor::{Inbox, Letter, wall};
use crate::room_key::{RoomKey, Space, is_room_name};
use crate::settings::BadSettings;
use crate::shard::Common;
use crate::shard::announce::compose;
pub use answer::Answer;
use answer::Read;
pub use error::{AnswerError, SendError, TokenError};
pub use found::{Members, Notified, Online, Room};
pub use message::Message;

/// Announcements that may be under way when another is made.
const MAX_ANNOUNCEMENTS: usize = 64;

/// Rooms or users in one page of a list.
const PAGE: usize = 1_000;

/// Speaks to a server and asks it things: cheap to clone, and for any thread, async or not, since no call waits.
///
/// What *does* something ([`publish`](Self::publish), [`notify`](Self::notify), [`announce`](Self::announce),
/// [`remove`](Self::remove), [`disconnect`](Self::disconnect)) returns an error if nothing will be done, and otherwise an
/// [`Answer`] that may be dropped. What only asks ([`online`](Self::online), [`room`](Self::room), [`rooms`](Self::rooms),
/// [`members`](Self::members)) returns the answer.
///
/// What one thread asks about one room or one user is done in that order. What is asked of a server that does not run yet is
/// done when it does, and of one that was dropped without having run, never: then every answer is
/// [`AnswerError::Stopped`].
///
/// ```
/// use std::time::Duration;
/// use switchboard::{Message, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().listen("127.0.0.1:0".parse()?).build()?.spawn()?;
/// let handle = server.handle();
/// handle.publish("lobby", "hello")?;
/// handle.publish("lobby", Message::new(&[1, 2, 3]).event("numbers").from_user("ann"))?;
/// let position = handle.publish("lobby", "bye")?.wait(Duration::from_secs(5))?;
/// assert_eq!(position.map(|position| position.offset), Some(3));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Handle(Arc<Inner>);

struct Inner {
    inboxes: Vec<Inbox>,
    common: Arc<Common>,
    announcements: Mutex<Vec<Weak<Announcement>>>,
}

impl Handle {
    pub(crate) fn new(inboxes: Vec<Inbox>, common: Arc<Common>) -> Self {
        Self(Arc::new(Inner { inboxes, common, announcements: Mutex::default() }))
    }

    /// Says something in `room`, as the app: no token and no setting of the room keeps it back.
    ///
    /// The answer is the message's position, once every shard with members has it; none if it was not to be
    /// [stored](Message::store).
    ///
    /// # Errors
    ///
    /// If `room` cannot name a room, the message cannot be sent, too much is on its way, or the server has ended.
    pub fn publish(
        &self,
        room: &str,
        message: impl Into<Message>,
    ) -> Result<Answer<Option<Position>>, SendError> {
        let room = self.room_key(room)?;
        let draft = message.into().publication(self.limit(), &self.0.common.names)?;
        self.say(room, draft, found::position())
    }

    /// Says something to a user, wherever they are connected; who is not finds it in the inbox, `$me`, when they come back
    /// within [`Inbox::ttl`](crate::settings::Inbox), 5 minutes by default.
    ///
    /// # Errors
    ///
    /// If `user` cannot be a user's id, the message cannot be sent to a user, too much is on its way, or the server has
    /// ended.
    pub fn notify(&self, user: &str, message: impl Into<Message>) -> Result<Answer<Notified>, SendError> {
        let inbox = self.0.common.room_keys.key(Space::User, checked_user(user)?);
        let draft = message.into().notification(self.limit())?;
        self.say(inbox, draft, found::notified())
    }

    /// Says something to everybody who is connected now, by the native dialect or a stream of events. The answer is the
    /// number of connections that got it.
    ///
    /// # Errors
    ///
    /// If the message is more than data and an event, 64 announcements or 64 MiB are on their way already, or the server
    /// has ended.
    pub fn announce(&self, message: impl Into<Message>) -> Result<Answer<u32>, SendError> {
        let (event, data) = message.into().announcement(self.limit())?;
        self.check_pressure()?;
        let wall_ms = wall().as_millis() as u64;
        let announcement = Arc::new(compose(event.as_deref(), &data, wall_ms));
        self.note(&announcement)?;
        self.tell_all(found::connections(), |caller| Post::Announce(announcement.clone(), caller))
    }

    /// Takes a user out of a room; they are told, and may come back unless their token says otherwise. The answer is the
    /// number of connections that were in it.
    ///
    /// # Errors
    ///
    /// If there can be no such room or user, or the server has ended.
    pub fn remove(&self, room: &str, user: &str) -> Result<Answer<u32>, SendError> {
        let (room, user): (_, ArcStr) = (self.room_key(room)?, checked_user(user)?.into());
        self.tell_all(found::connections(), |caller| Post::Remove(room.clone(), user.clone(), caller))
    }

    /// Closes all connections of a user with code 4000 and `reason`, of at most 123 bytes. Clients do not come back by
    /// themselves. The answer is the number of connections.
    ///
    /// # Errors
    ///
    /// If there can be no such user, the reason is too long, or the server has ended.
    pub fn disconnect(&self, user: &str, reason: &str) -> Result<Answer<u32>, SendError> {
        let user: ArcStr = checked_user(user)?.into();
        if reason.len() > MAX_REASON {
            let why = format!("a reason is at most {MAX_REASON} bytes, and this one has {}", reason.len());
            return Err(SendError::BadMessage(why.into()));
        }
        let reason: ArcStr = reason.into();
        self.tell_all(found::connections(), |caller| Post::Disconnect(user.clone(), reason.clone(), caller))
    }

    /// Where is this user?
    pub fn online(&self, user: &str) -> Answer<Online> {
        let user: ArcStr = user.into();
        self.ask_all(found::online(), |caller| Post::Seek(user.clone(), caller))
    }

    /// How does this room stand? None if there is no such room: a room is there as long as somebody is in it, and for its
    /// `ttl` behind the last message and the last member.
    pub fn room(&self, room: &str) -> Answer<Option<Room>> {
        let key = self.0.common.room_keys.key(Space::Native, room);
        self.ask_home(&key, found::room(room), |room, caller| Post::Look(room, caller, Span::Nothing))
    }

    /// Which rooms are there whose names begin with `prefix`? The first 1,000 in byte order that come behind `after`; all
    /// rooms have come when a page is empty. Each page looks at every room of the server, so this is for an operator's eyes
    /// and not for every request of an app.
    pub fn rooms(&self, prefix: &str, after: Option<&str>) -> Answer<Vec<Room>> {
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        let listing = Arc::new(Listing { prefix, after, limit: PAGE, rooms: None });
        self.ask_all(found::rooms(PAGE), |caller| Post::List(caller, listing.clone()))
    }

    /// Who is in this room? The first 1,000 users in byte order that come behind `after`.
    pub fn members(&self, room: &str, after: Option<&str>) -> Answer<Members> {
        let key = self.0.common.room_keys.key(Space::Native, room);
        let page = Page { after: after.unwrap_or_default().into(), limit: PAGE };
        self.ask_home(&key, found::members(), |room, caller| Post::Members(room, caller, page))
    }

    /// How many connections there are, those of HTTP included.
    pub fn connections(&self) -> usize {
        self.0.common.connections.load(Ordering::Relaxed)
    }

    /// A token with which `user` is let in for `ttl`, signed with the server's secret (HS256): what an app gives to its page
    /// once it knows who is there.
    ///
    /// `rooms` are patterns of the rooms to join and publish in. `None` says nothing of rooms: then all are open but private
    /// ones. `Some(&[])` opens none.
    ///
    /// # Errors
    ///
    /// If there is no secret to sign with, or the server would not take the token.
    pub fn token(&self, user: &str, rooms: Option<&[&str]>, ttl: Duration) -> Result<String, TokenError> {
        let access = self.0.common.access.get();
        let secret = access.signing().ok_or(TokenError::NoSecret)?;
        let rooms: Option<Vec<String>> = rooms.map(|rooms| rooms.iter().map(ToString::to_string).collect());
        let auth = &self.0.common.settings.auth;
        let grant = Grant {
            user,
            rooms: rooms.as_deref().map(Rooms::Both),
            audience: auth.audience.as_deref(),
            issuer: auth.issuer.as_deref(),
            now: wall(),
            ttl,
        };
        issue::token(&grant, secret).map_err(|why| TokenError::Refused(why.into()))
    }

    /// Reads the files that hold keys again. What they hold now decides who comes in; whoever is in stays in. The server
    /// looks for changed files by itself every 2 seconds.
    ///
    /// Unlike everything else here it waits for those files.
    ///
    /// # Errors
    ///
    /// Every key that cannot be read or used. It stays what it was; the others count as they are now. Of a key set only the
    /// keys that can check a token count: the others are named in the log, and are an error only where there is no other.
    pub fn reload_keys(&self) -> Result<(), BadSettings> {
        let (settings, current) = (&self.0.common.settings, &self.0.common.access);
        let mut bad = Vec::new();
        let access = current.replace(|| {
            let (access, wrong) = credentials::renewed(settings, current.get().sources())?;
            bad = wrong;
            Ok::<_, Vec<_>>(access)
        })?;
        access.left_out().iter().for_each(|why| tracing::warn!("auth.jwks_file: {why}"));
        if bad.is_empty() { Ok(()) } else { Err(bad.into()) }
    }

    /// Ends the server within `time`: nobody new is let in, and connections are closed with 1001 one after the other over
    /// the first 80 % of it, each told when to come back. With nobody left it ends sooner. Once it is under way, only
    /// [`stop_now`](Self::stop_now) is quicker.
    ///
    /// Returns at once; [`Server::run`](crate::Server::run) returns when it is done.
    pub fn shutdown(&self, time: Duration) {
        self.tell(|| Letter::Drain(time));
    }

    /// Ends the server at once, without a word to anybody.
    pub fn stop_now(&self) {
        self.tell(|| Letter::Stop);
    }

    fn tell(&self, letter: impl Fn() -> Letter) {
        for inbox in &self.0.inboxes {
            inbox.put([letter()]);
        }
    }

    /// Has a draft given its place.
    fn say<T>(&self, room: RoomKey, draft: Draft, read: Read<T>) -> Result<Answer<T>, SendError> {
        self.check_pressure()?;
        let (question, parts) = question();
        let home = room.home(self.0.common.shards);
        let post = Post::Publish(room, Caller::Program(question, home as ShardId), draft);
        if self.put(home, post) { Ok(Answer::new(parts, 1, read)) } else { Err(SendError::Stopped) }
    }

    /// Has every shard do its part.
    fn tell_all<T>(&self, read: Read<T>, post: impl Fn(Caller) -> Post) -> Result<Answer<T>, SendError> {
        let (parts, all) = self.post_all(post);
        if all { Ok(Answer::new(parts, self.0.inboxes.len(), read)) } else { Err(SendError::Stopped) }
    }

    /// Asks every shard for its part of an answer.
    fn ask_all<T>(&self, read: Read<T>, post: impl Fn(Caller) -> Post) -> Answer<T> {
        Answer::new(self.post_all(post).0, self.0.inboxes.len(), read)
    }

    /// The end to wait at, and whether every shard is still there.
    fn post_all(&self, post: impl Fn(Caller) -> Post) -> (Parts, bool) {
        let (question, parts) = question();
        let mut all = true;
        for shard in 0..self.0.inboxes.len() {
            all &= self.put(shard, post(Caller::Program(question.clone(), shard as ShardId)));
        }
        (parts, all)
    }

    /// Asks the home of a room.
    fn ask_home<T>(
        &self,
        room: &RoomKey,
        read: Read<T>,
        post: impl FnOnce(RoomKey, Caller) -> Post,
    ) -> Answer<T> {
        let (question, parts) = question();
        let home = room.home(self.0.common.shards);
        self.put(home, post(room.clone(), Caller::Program(question, home as ShardId)));
        Answer::new(parts, 1, read)
    }

    /// Whether the shard takes it.
    fn put(&self, shard: usize, post: Post) -> bool {
        self.0.inboxes.get(shard).is_some_and(|inbox| inbox.put([Letter::Post(post)]))
    }

    fn check_pressure(&self) -> Result<(), SendError> {
        if self.0.common.pressure.is_high(false) { Err(SendError::Busy) } else { Ok(()) }
    }

    /// Notes an announcement that is to begin, unless too many are under way.
    fn note(&self, announcement: &Arc<Announcement>) -> Result<(), SendError> {
        let mut under_way = lock(&self.0.announcements);
        under_way.retain(|one| one.strong_count() > 0);
        if under_way.len() >= MAX_ANNOUNCEMENTS {
            return Err(SendError::Busy);
        }
        under_way.push(Arc::downgrade(announcement));
        Ok(())
    }

    fn room_key(&self, room: &str) -> Result<RoomKey, SendError> {
        let bad = || SendError::BadRoom(room.into());
        is_room_name(room).then(|| self.0.common.room_keys.key(Space::Native, room)).ok_or_else(bad)
    }

    /// The most bytes that a message's data may have.
    fn limit(&self) -> usize {
        self.0.common.settings.limits.api_body
    }
}

fn checked_user(user: &str) -> Result<&str, SendError> {
    if is_user(user) { Ok(user) } else { Err(SendError::BadUser(user.into())) }
}

/// Locks what is whole at any time, so that a thread which panicked has left it so.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
