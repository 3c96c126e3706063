//! Presence news of a home: people who join and leave, one by one while they are few, only their number when they are many.

use arcstr::ArcStr;

use super::{Desk, Home};
use crate::broker::post::{Notice, Page, Post, Roster};
use crate::broker::presence::{Came, Went};

impl Home {
    /// A connection of `user`, or of a guest, has become a member. The others are told first, so it is not told of itself.
    pub(super) fn came(&mut self, user: Option<&ArcStr>, desk: &mut Desk<'_>) {
        match self.presence.enter(user) {
            Came::Again => {}
            Came::Guest => self.tell_count(desk),
            Came::New => self.tell_of(user, desk, |user, count| Notice::UserJoined { user, count }),
        }
    }

    /// A connection of `user`, or of a guest, is not a member any more.
    pub(super) fn went(&mut self, user: Option<&ArcStr>, desk: &mut Desk<'_>) {
        let until = desk.now.after(self.settings.presence_grace);
        match self.presence.exit(user, until) {
            Went::Others => {}
            Went::Guest => self.tell_count(desk),
            // Without a grace period the user is gone at once.
            Went::Last => {
                if let Some(user) = user {
                    self.typed(user, false, desk);
                }
                self.expire_people(desk);
            }
        }
    }

    /// `user` is typing, or has stopped. Like names, this is not reported where there are too many people.
    pub(super) fn typed(&mut self, user: &ArcStr, active: bool, desk: &mut Desk<'_>) {
        let told = match active {
            true => {
                let few = self.presence.count() <= self.settings.presence_limit;
                self.settings.typing && few && self.typing.begin(user, desk.now)
            }
            false => self.typing.end(user),
        };
        if told {
            self.tell_typing(user.clone(), active, desk);
        }
    }

    /// Reports users who have stopped typing, and news that had to wait.
    pub(super) fn expire_typing(&mut self, desk: &mut Desk<'_>) {
        while let Some((user, active)) = self.typing.due(desk.now) {
            self.tell_typing(user, active, desk);
        }
    }

    fn tell_typing(&self, user: ArcStr, active: bool, desk: &mut Desk<'_>) {
        self.post_members(desk, || {
            Post::Notice(self.key.clone(), Notice::Typing { user: user.clone(), active })
        });
    }

    /// Reports users whose grace period is over, and a number that had to wait.
    pub(super) fn expire_people(&mut self, desk: &mut Desk<'_>) {
        while let Some(user) = self.presence.gone(desk.now) {
            self.tell_of(Some(&user), desk, |user, count| Notice::UserLeft { user, count });
        }
        if let Some(count) = self.presence.owed(desk.now) {
            self.notice(Notice::Count(count), desk);
        }
    }

    fn tell_of(
        &mut self,
        user: Option<&ArcStr>,
        desk: &mut Desk<'_>,
        notice: impl Fn(ArcStr, u32) -> Notice,
    ) {
        let count = self.presence.count();
        match user {
            Some(user) if count <= self.settings.presence_limit => {
                self.notice(notice(user.clone(), count), desk)
            }
            _ => self.tell_count(desk),
        }
    }

    /// The number of people has changed. Where they are too many to be named, it is reported at most once a second.
    fn tell_count(&mut self, desk: &mut Desk<'_>) {
        if self.presence.count() <= self.settings.presence_limit {
            return;
        }
        self.presence.owe();
        if let Some(count) = self.presence.owed(desk.now) {
            self.notice(Notice::Count(count), desk);
        }
    }

    fn notice(&self, notice: Notice, desk: &mut Desk<'_>) {
        if self.settings.presence {
            self.post_members(desk, || Post::Notice(self.key.clone(), notice.clone()));
        }
    }

    /// One page of the people in the room.
    pub(super) fn roster(&self, page: &Page) -> Roster {
        let count = self.presence.count();
        if !self.settings.presence {
            return Roster { count, people: None, after: None };
        }
        let (people, more) = self.presence.page(&page.after, page.limit);
        let after = people.last().filter(|_| more).map(|person| person.user.clone());
        Roster { count, people: Some(people), after }
    }
}
