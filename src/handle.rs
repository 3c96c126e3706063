//! Controls a running server from any thread.

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
pub use answer::Answer;
use answer::Read;
pub use error::{AnswerError, SendError, TokenError};
pub use found::{Members, Notified, Online, Room};
pub use message::Message;

/// Announcements that may be under way at once.
const MAX_ANNOUNCEMENTS: usize = 64;

/// Rooms or users in one page of a list.
const PAGE: usize = 1_000;

/// Controls a server and asks it questions. It is cheap to clone and can be used on any thread, async or not, because no call
/// waits.
///
/// A call that *does* something ([`publish`](Self::publish), [`notify`](Self::notify), [`announce`](Self::announce),
/// [`remove`](Self::remove), [`disconnect`](Self::disconnect)) returns an error if nothing will be done, else an [`Answer`]
/// that may be dropped. A call that only asks ([`online`](Self::online), [`room`](Self::room), [`rooms`](Self::rooms),
/// [`members`](Self::members)) returns the [`Answer`].
///
/// The calls of one thread for one room or one user are carried out in order. Calls before the server runs are carried out
/// when it runs. If the server is dropped before it runs, they are never carried out and every answer is
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

    /// Publishes a message in `room`, as the app: it needs no token, and no setting of the room forbids it.
    ///
    /// The answer is the message's position, once every shard with members has the message; `None` if it is not
    /// [stored](Message::store).
    ///
    /// # Errors
    ///
    /// If `room` is not a room name, the message is not valid, too much is on its way, or the server has stopped.
    pub fn publish(
        &self,
        room: &str,
        message: impl Into<Message>,
    ) -> Result<Answer<Option<Position>>, SendError> {
        let room = self.room_key(room)?;
        let draft = message.into().publication(self.limit(), &self.0.common.names)?;
        self.say(room, draft, found::position())
    }

    /// Sends a message to all connections of a user. A user who is not connected finds it in the inbox, `$me`, within
    /// [`Inbox::ttl`](crate::settings::Inbox), 5 minutes by default.
    ///
    /// # Errors
    ///
    /// If `user` is not a user id, the message is not valid for a user, too much is on its way, or the server has stopped.
    pub fn notify(&self, user: &str, message: impl Into<Message>) -> Result<Answer<Notified>, SendError> {
        let inbox = self.0.common.room_keys.key(Space::User, checked_user(user)?);
        let draft = message.into().notification(self.limit())?;
        self.say(inbox, draft, found::notified())
    }

    /// Sends a message to everybody who is connected now by the native dialect or by a stream of Server-Sent Events. The
    /// answer is the number of connections that got it.
    ///
    /// # Errors
    ///
    /// If the message has more than data and an event, 64 announcements, 20,000 messages or 64 MiB are on their way already, or
    /// the server has stopped.
    pub fn announce(&self, message: impl Into<Message>) -> Result<Answer<u32>, SendError> {
        let (event, data) = message.into().announcement(self.limit())?;
        self.check_pressure()?;
        let wall_ms = wall().as_millis() as u64;
        let announcement = Arc::new(Announcement::new(event, data, wall_ms));
        self.note(&announcement)?;
        self.tell_all(found::connections(), |caller| Post::Announce(announcement.clone(), caller))
    }

    /// Takes a user out of a room. The user's clients are told, and may join again unless their token forbids it. The answer
    /// is the number of connections that were in the room.
    ///
    /// # Errors
    ///
    /// If `room` is not a room name, `user` is not a user id, or the server has stopped.
    pub fn remove(&self, room: &str, user: &str) -> Result<Answer<u32>, SendError> {
        let (room, user): (_, ArcStr) = (self.room_key(room)?, checked_user(user)?.into());
        self.tell_all(found::connections(), |caller| Post::Remove(room.clone(), user.clone(), caller))
    }

    /// Closes all connections of a user with code 4000 and `reason`, which has at most 123 bytes. Clients do not reconnect by
    /// themselves after it. The answer is the number of connections.
    ///
    /// # Errors
    ///
    /// If `user` is not a user id, the reason is too long, or the server has stopped.
    pub fn disconnect(&self, user: &str, reason: &str) -> Result<Answer<u32>, SendError> {
        let user: ArcStr = checked_user(user)?.into();
        if reason.len() > MAX_REASON {
            let why = format!("a reason may have {MAX_REASON} bytes; this one has {}", reason.len());
            return Err(SendError::BadMessage(why.into()));
        }
        let reason: ArcStr = reason.into();
        self.tell_all(found::connections(), |caller| Post::Disconnect(user.clone(), reason.clone(), caller))
    }

    /// How many connections does this user have, and which rooms have they joined? The answer has the first 1,000 rooms after
    /// `after`, in byte order.
    pub fn online(&self, user: &str, after: Option<&str>) -> Answer<Online> {
        let user: ArcStr = user.into();
        // One more than a page shows whether there are more.
        let page = Arc::new(Page { after: after.unwrap_or_default().into(), limit: PAGE + 1 });
        self.ask_all(found::online(PAGE), |caller| Post::Seek(user.clone(), caller, page.clone()))
    }

    /// What is the state of this room? `None` if it does not exist. A room exists while it has members, and for its `ttl`
    /// after the last message and the last member.
    pub fn room(&self, room: &str) -> Answer<Option<Room>> {
        let key = self.0.common.room_keys.key(Space::Native, room);
        self.ask_home(&key, found::room(room), |room, caller| Post::Look(room, caller, Span::Nothing))
    }

    /// Which rooms exist whose names begin with `prefix`? The answer is the first 1,000 after `after`, in byte order. An
    /// empty page is the end. Each page looks at every room of the server, so do not ask in every request of an app.
    pub fn rooms(&self, prefix: &str, after: Option<&str>) -> Answer<Vec<Room>> {
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        let listing = Arc::new(Listing { prefix, after, limit: PAGE, rooms: None });
        self.ask_all(found::rooms(PAGE), |caller| Post::List(caller, listing.clone()))
    }

    /// Who is in this room? The answer has the first 1,000 users after `after`, in byte order.
    pub fn members(&self, room: &str, after: Option<&str>) -> Answer<Members> {
        let key = self.0.common.room_keys.key(Space::Native, room);
        let page = Page { after: after.unwrap_or_default().into(), limit: PAGE };
        self.ask_home(&key, found::members(), |room, caller| Post::Members(room, caller, page))
    }

    /// How many connections are open, plain HTTP connections included.
    pub fn connections(&self) -> usize {
        self.0.common.connections.load(Ordering::Relaxed)
    }

    /// A token with which `user` can connect for `ttl`, signed with the server's secret (HS256). An app gives it to its page
    /// after the user has logged in.
    ///
    /// `rooms` are patterns of the rooms to join and publish in. `None` allows all rooms that are not private. `Some(&[])`
    /// allows no room.
    ///
    /// # Errors
    ///
    /// If there is no secret to sign with, or the server would not accept the token.
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

    /// Reloads the key files. New connections are checked with the new keys; open connections stay open. The server also
    /// checks every 2 seconds whether a file has changed.
    ///
    /// Unlike all other calls, it waits for the files.
    ///
    /// # Errors
    ///
    /// Every key that cannot be read or used. These keep their old value; the others are reloaded. Keys of a key set that
    /// cannot check a token are left out and named in the log; a set without any other key is an error.
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

    /// Drains and stops the server within `time`. It accepts no new clients, and closes connections with 1001 one after
    /// another during the first 80 % of it; each is told when to come back. It stops earlier when no connection is left. A
    /// second call changes nothing: use [`stop_now`](Self::stop_now) to stop at once.
    ///
    /// Returns at once; [`Server::run`](crate::Server::run) returns when it is done.
    pub fn shutdown(&self, time: Duration) {
        self.tell(|| Letter::Drain(time));
    }

    /// Stops the server at once, without close frames.
    pub fn stop_now(&self) {
        self.tell(|| Letter::Stop);
    }

    fn tell(&self, letter: impl Fn() -> Letter) {
        for inbox in &self.0.inboxes {
            inbox.put([letter()]);
        }
    }

    /// Publishes a draft.
    fn say<T>(&self, room: RoomKey, draft: Draft, read: Read<T>) -> Result<Answer<T>, SendError> {
        self.check_pressure()?;
        let (question, parts) = question();
        let home = room.home(self.0.common.shards);
        let post = Post::Publish(room, Caller::Program(question, home as ShardId), draft);
        if self.put(home, post) { Ok(Answer::new(parts, 1, read)) } else { Err(SendError::Stopped) }
    }

    /// Tells every shard to do its part.
    fn tell_all<T>(&self, read: Read<T>, post: impl Fn(Caller) -> Post) -> Result<Answer<T>, SendError> {
        let (parts, all) = self.post_all(post);
        if all { Ok(Answer::new(parts, self.0.inboxes.len(), read)) } else { Err(SendError::Stopped) }
    }

    /// Asks every shard for its part of an answer.
    fn ask_all<T>(&self, read: Read<T>, post: impl Fn(Caller) -> Post) -> Answer<T> {
        Answer::new(self.post_all(post).0, self.0.inboxes.len(), read)
    }

    /// Where the parts of the answer arrive, and whether every shard is still there.
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

    /// Whether the shard accepts it.
    fn put(&self, shard: usize, post: Post) -> bool {
        self.0.inboxes.get(shard).is_some_and(|inbox| inbox.put([Letter::Post(post)]))
    }

    fn check_pressure(&self) -> Result<(), SendError> {
        if self.0.common.pressure.is_high(false) { Err(SendError::Busy) } else { Ok(()) }
    }

    /// Registers a new announcement, unless too many are under way.
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

/// Locks a mutex. Its content is valid at any time, so a panic of another thread does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}
