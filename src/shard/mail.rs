//! Posts. Those to other shards are handed over at the end of the turn; those to this shard are carried out at once, in
//! order.

use super::Shard;
use super::work::Mail;
use crate::broker::home::{Desk, Home, Request};
use crate::broker::place::Tell;
use crate::broker::post::{Caller, Direct, Post};
use crate::broker::question::{Part, Question};
use crate::dialect::forms::Forms;
use crate::dialect::told::Told;
use crate::id::ShardId;
use crate::position::Position;
use crate::room_key::RoomKey;

impl Shard {
    /// Handles the posts of other shards, in order.
    pub fn take_all(&mut self, posts: impl IntoIterator<Item = Post>) {
        for post in posts {
            self.take(post);
            self.carry();
        }
    }

    /// The posts for shard `other`. The caller takes them out.
    pub fn outgoing(&mut self, other: ShardId) -> &mut Vec<Post> {
        &mut self.mail.others[usize::from(other)]
    }

    /// Gives the program its answers. This comes after the turn's posts are handed to other shards, so that the program's
    /// next requests come after them.
    pub fn answer_questions(&mut self) {
        for (question, part) in self.mail.answers.drain(..) {
            question.tell(part);
        }
    }

    fn answer_program(&mut self, question: Question, part: Part) {
        self.mail.answers.push((question, part));
    }

    pub(super) fn post(&mut self, shard: ShardId, post: Post) {
        if shard == self.me {
            self.mail.own.push_back(post);
        } else {
            self.mail.others[usize::from(shard)].push(post);
        }
    }

    pub(super) fn post_home(&mut self, room: &RoomKey, post: Post) {
        self.post(room.home(self.common.shards) as ShardId, post);
    }

    /// Carries out all posts of this shard to itself.
    pub(super) fn carry(&mut self) {
        while let Some(post) = self.mail.own.pop_front() {
            self.take(post);
        }
    }

    fn take(&mut self, post: Post) {
        match post {
            Post::Join(room, join) => match self.ensure_home(&room, join.session, join.site) {
                Ok(number) => self.request_of(number, Request::Join(join)),
                Err(fault) => self.post(join.session.shard, Post::Joined(room, join, Err(fault))),
            },
            Post::Leave(room, caller, shard, user) => {
                self.at_home(&room, Request::Leave(caller, shard, user));
            }
            Post::Direct(inbox, direct) => self.take_direct(inbox, *direct),
            // A member's room has a home already.
            Post::Publish(room, caller, draft) => self.at_home(&room, Request::Publish(caller, draft)),
            Post::Look(room, caller, span) => {
                if let Some(number) = self.homes.find_key(&room) {
                    self.request_of(number, Request::Look(caller, span));
                } else if let Some(shard) = caller.shard() {
                    self.post(shard, Post::Looked(room, caller, Ok(None)));
                }
            }
            Post::Typing(room, user, active) => {
                if let Some(number) = self.homes.find_key(&room) {
                    self.request_of(number, Request::Typing(user, active));
                }
            }
            Post::Came(user, session, listens) => self.user_came(&user, session, listens),
            Post::Went(user, session, listens) => self.user_went(&user, session, listens),
            Post::Hears(inbox, shard, listens) => self.user_hears(&inbox, shard, listens),
            Post::Entered(session, allowed) => self.entered(session, allowed),
            Post::Evict(session) => self.evict(session),
            Post::MakePlace(address) => self.make_places_for(address),
            Post::Seek(user, caller, page) => self.seek(&user, caller, page),
            Post::Disconnect(user, reason, caller) => self.disconnect(&user, &reason, caller),
            Post::Remove(room, user, caller) => self.remove_user(&room, &user, caller),
            Post::Announce(announcement, caller) => self.begin_announcement(announcement, caller),
            Post::Found(Caller::Program(question, _), connections, rooms) => {
                self.answer_program(question, Part::Found(connections, rooms));
            }
            Post::Found(caller, connections, rooms) => {
                self.answers(&caller, |pending, _| pending.found(connections, rooms))
            }
            Post::Counted(Caller::Program(question, _), connections) => {
                self.answer_program(question, Part::Counted(connections));
            }
            Post::Counted(caller, connections) => {
                self.answers(&caller, |pending, index| pending.counted(index, connections));
            }
            Post::Members(room, caller, page) => {
                if let Some(number) = self.homes.find_key(&room) {
                    self.request_of(number, Request::Members(caller, page));
                } else if let Some(shard) = caller.shard() {
                    self.post(shard, Post::Rostered(room, caller, Ok(None)));
                }
            }
            Post::List(caller, listing) => self.list(caller, listing),
            Post::Joined(room, join, result) => self.joined(&room, *join, result),
            Post::Left(room, Caller::Session(session, ticket)) => self.left(session, ticket.get(), &room),
            // No other caller asks this.
            Post::Left(..) => {}
            Post::Deliver(message) => self.deliver(&message),
            Post::Notice(room, notice) => self.notice(&room, &notice),
            Post::Gap(room, from, to) => self.tell_gap(&room, from, to),
            Post::Published(room, caller, result) => match caller {
                Caller::Nobody => {}
                Caller::Session(session, ticket) => self.published(session, ticket.get(), &room, result),
                Caller::Call(session, index) => {
                    self.answered(session, |pending| pending.sent(index as usize, result));
                }
                Caller::Program(question, _) => self.answer_program(question, Part::Published(result)),
            },
            Post::Looked(room, caller, result) => match caller {
                Caller::Nobody => {}
                Caller::Session(session, ticket) => self.looked(session, ticket.get(), &room, result),
                Caller::Call(session, _) => {
                    let result = self.unless_too_much(result);
                    self.answered(session, |pending| pending.looked(result));
                }
                Caller::Program(question, _) => self.answer_program(question, Part::Looked(result)),
            },
            Post::Rostered(room, caller, result) => match caller {
                Caller::Nobody => {}
                Caller::Session(session, ticket) => self.rostered(session, ticket.get(), &room, result),
                Caller::Call(session, _) => {
                    let result = self.unless_too_many(result);
                    self.answered(session, |pending| pending.rostered(result));
                }
                Caller::Program(question, _) => self.answer_program(question, Part::Rostered(result)),
            },
            Post::Requests(stream, call, user, texts) => self.requested(stream, call, user.as_deref(), texts),
            Post::Unheard(call, fault) => self.answered(call, |pending| pending.unheard(fault)),
            Post::Replied(slot, reply) => {
                self.answered(slot.call, |pending| pending.replied(slot.index as usize, reply));
            }
            Post::Listed(Caller::Program(question, _), lines) => {
                self.answer_program(question, Part::Listed(lines));
            }
            Post::Listed(caller, lines) => self.answers(&caller, |pending, _| pending.listed(lines)),
        }
    }

    /// A client has something to say to a user who is at home here.
    fn take_direct(&mut self, inbox: RoomKey, direct: Direct) {
        let Direct { session, site, ticket, draft } = direct;
        let caller = Caller::Session(session, ticket);
        match self.ensure_inbox(&inbox, session, site) {
            Ok(number) => self.request_of(number, Request::Publish(caller, draft)),
            Err(fault) => self.post(session.shard, Post::Published(inbox, caller, Err(fault))),
        }
    }

    /// Passes the homes' asks to the engine and its answers to the homes, until there are no more asks. Then the rooms that
    /// worked are paid for: most of what one needed while it waited for the engine it has given back by now.
    pub(super) fn consult(&mut self) {
        self.engine.poll(self.now, &mut self.mail.tells);
        loop {
            for ask in self.mail.asks.drain(..) {
                self.engine.ask(ask, self.now, &mut self.mail.tells);
            }
            let Some(tell) = self.mail.tells.pop_front() else { break };
            self.tell(tell);
        }
        while let Some(number) = self.mail.worked.pop() {
            self.pay_for_room(number);
        }
    }

    fn tell(&mut self, tell: Tell) {
        if let Tell::Committed { .. } = tell {
            self.counters.encodes += 1;
        }
        if let Some(number) = self.homes.find_key(tell.room()) {
            self.with_home(number, |home, desk| home.tell(tell, desk));
        }
    }

    /// Lets a home work, and sends off what it posts. [`Shard::consult`] is to follow.
    pub(super) fn with_home(&mut self, number: u32, work: impl FnOnce(&mut Home, &mut Desk<'_>)) {
        let Some(home) = self.homes.get_mut(number) else { return };
        let mut posts = std::mem::take(&mut self.mail.posts);
        let Mail { asks, spare, .. } = &mut self.mail;
        let (keys, users) = (&mut self.keys, &self.users);
        work(home, &mut Desk { now: self.now.tick(), posts: &mut posts, asks, keys, users, spare });
        if self.mail.worked.last() != Some(&number) {
            self.mail.worked.push(number);
        }
        for (shard, post) in posts.drain(..) {
            self.post(shard, post);
        }
        self.mail.posts = posts;
    }

    /// Pays for the remembered keys. Each shard keeps to an equal part of the total.
    pub(super) fn pay_for_keys(&mut self) {
        let (before, after) = (self.keyed.used(), self.keys.bytes());
        if before != after {
            self.keyed.spend(&self.common.keys, after, before);
        }
    }

    /// Members of `room` here missed messages that are lost.
    fn tell_gap(&mut self, room: &RoomKey, from: Position, to: Position) {
        // With its position, so that a member that misses it gets a gap of its own that covers it.
        self.append(room, &mut Forms::of(Told::Gap { room: room.label(), from, to }, Some(to)));
    }
}
