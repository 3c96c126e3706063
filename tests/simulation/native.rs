//! A client of the native dialect: what it asked, where it is, and what it waits for.

use std::collections::BTreeMap;

use switchboard::position::Position;

use super::conn::Memory;
use super::inbox::Inbox;
use super::pass::Pass;
use super::plan::Plan;
use super::random::Random;
use super::truth::ensure;
use super::truth::{Truth, Verdict};
use super::watch::Watch;

/// What a request is, with what its answer is judged by.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Join {
        since: Option<Option<Position>>,
        newest: Option<u64>,
    },
    Leave,
    Publish(usize),
    Direct(usize),
    History {
        since: Option<Position>,
        limit: Option<u64>,
    },
    Members,
    /// There is no answer, unless it is refused.
    Typing,
    /// A fresh token: which of the client's.
    Auth(usize),
    /// Not a request: the server took the client out of the room, before its answers that come behind this.
    TakenOut,
    /// Answered by this type, or by an error of this code.
    Other(&'static str),
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Open,
    Done,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Asked {
    pub room: Option<usize>,
    pub what: What,
    /// It carries an `id`, so its answer always comes.
    pub id: bool,
    pub outcome: Outcome,
    /// The client was taken out of the room while it was under way, before or after it was carried out.
    pub shaken: bool,
}

impl Asked {
    pub fn new(room: Option<usize>, what: What, id: bool) -> Self {
        Self { room, what, id, outcome: Outcome::Open, shaken: false }
    }

    /// Whether its answer is still to come. A publish or leave without `id` gets none.
    pub fn is_due(&self) -> bool {
        let always = matches!(self.what, What::Join { .. } | What::History { .. } | What::Direct(_));
        self.outcome == Outcome::Open && (self.id || always) && self.what != What::Typing
    }
}

/// Whether a client is in a room when a request is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    Yes,
    No,
    /// A join before it is not answered.
    Open,
    /// The client was taken out about then.
    Unsure,
}

/// A room that the client is in.
#[derive(Debug)]
pub struct Member {
    /// Everything up to here came, or was not for this connection.
    pub at: Position,
    /// The number of its stay.
    pub stay: usize,
    /// A leave without an answer is under way.
    pub quiet: bool,
    pub watch: Watch,
}

/// One connection.
pub struct Native {
    pub conn: usize,
    pub user: Option<String>,
    /// What the server calls it, once it has said so.
    pub name: Option<String>,
    pub asked: Vec<Asked>,
    pub members: BTreeMap<usize, Member>,
    /// The newest place that the client knows of each room, to resume behind.
    pub known: BTreeMap<usize, Position>,
    pub inbox: Option<Inbox>,
    /// Its tokens, in the order in which it showed them.
    pub passes: Vec<Pass>,
    /// Announcements that it heard.
    pub announced: Vec<usize>,
    /// What was said under a key.
    pub keyed: Vec<usize>,
    /// What an earlier connection said under a key, and has no answer for.
    pub retries: Vec<usize>,
}

impl Native {
    pub fn new(conn: usize, user: Option<String>, memory: Memory, truth: &mut Truth, plan: &Plan) -> Self {
        let inbox = user.as_deref().and_then(|user| plan.called("$me", Some(user)));
        let Memory { known, retries, .. } = memory;
        Self {
            conn,
            inbox: inbox.map(|room| Inbox::new(conn, room, known.get(&room).copied(), truth)),
            user,
            name: None,
            asked: Vec::new(),
            members: BTreeMap::new(),
            known,
            passes: Vec::new(),
            announced: Vec::new(),
            keyed: Vec::new(),
            retries,
        }
    }

    /// The request that begins the connection.
    pub fn target(&mut self, truth: &Truth, plan: &Plan, random: &mut Random) -> String {
        let mut query: Vec<String> = Vec::new();
        match &self.user {
            Some(user) if plan.guarded => {
                self.passes.push(Pass::mint(user, truth.now_ms, plan, random));
                query.push(format!("token={}", self.passes[0].token));
            }
            Some(user) => query.push(format!("user={user}")),
            None => {}
        }
        for room in plan.natives() {
            if random.chance(30) {
                query.push(format!("room={}", plan.rooms[room].name));
                let what = What::Join { since: None, newest: None };
                self.asked.push(Asked::new(Some(room), what, false));
            }
        }
        format!("/ws?{}", query.join("&"))
    }

    /// Whether the client is in a room when request `index` is carried out.
    pub fn is_inside(&self, room: usize, index: usize) -> Inside {
        let mut inside = Inside::No;
        for asked in self.asked[..index].iter().filter(|asked| asked.room == Some(room)) {
            inside = match (&asked.what, asked.outcome) {
                (What::Join { .. }, Outcome::Open) => Inside::Open,
                (What::Join { .. } | What::Leave, _) if asked.shaken => Inside::Unsure,
                (What::Join { .. }, Outcome::Done) => Inside::Yes,
                (What::Leave, _) => Inside::No,
                (What::TakenOut, _) if inside == Inside::Yes => Inside::No,
                _ => inside,
            };
        }
        let shaken = self.asked.get(index).is_some_and(|asked| asked.shaken);
        if shaken && inside != Inside::Open { Inside::Unsure } else { inside }
    }

    /// The server has taken the client out of a room.
    pub fn taken_out(&mut self, room: usize) {
        let open = |asked: &&mut Asked| asked.room == Some(room) && asked.outcome == Outcome::Open;
        self.asked.iter_mut().filter(open).for_each(|asked| asked.shaken = true);
        let done = Asked { outcome: Outcome::Done, ..Asked::new(Some(room), What::TakenOut, false) };
        self.asked.push(done);
        self.members.remove(&room);
    }

    /// The token in force when request `index` is carried out.
    pub fn pass(&self, index: usize) -> Option<&Pass> {
        let renewed = self.asked[..index].iter().rev().find_map(|asked| match asked.what {
            What::Auth(pass) if asked.outcome == Outcome::Done => self.passes.get(pass),
            _ => None,
        });
        renewed.or(self.passes.first())
    }

    /// Whether no token that it has or has just shown lets it be in a room any more.
    pub fn may_be_forbidden(&self, room: usize, index: usize, plan: &Plan) -> bool {
        let shown = self.asked[index..].iter().filter_map(|asked| match asked.what {
            What::Auth(pass) => self.passes.get(pass),
            _ => None,
        });
        shown.chain(self.pass(index)).any(|pass| !pass.allows(room, plan))
    }

    /// Whether an answer is due.
    pub fn waits(&self) -> bool {
        self.asked.iter().any(Asked::is_due)
    }

    /// Nothing is due.
    pub fn check_answered(&self) -> Verdict {
        let open = self.asked.iter().position(Asked::is_due);
        ensure!(open.is_none(), "request {open:?} was never answered: {:?}", self.asked[open.unwrap_or(0)]);
        Ok(())
    }

    /// Everything is at rest and the connection lives: all that was due has come.
    pub fn rest(&mut self, truth: &mut Truth, plan: &Plan) -> Verdict {
        self.check_answered()?;
        self.members.retain(|_, member| !member.quiet);
        let stays = self.members.values().map(|member| member.stay);
        for stay in stays.chain(self.inbox.iter().map(|inbox| inbox.stay)) {
            truth.stays[stay].lasts = true;
        }
        let Some(pass) = self.pass(self.asked.len()) else { return Ok(()) };
        ensure!(!pass.is_over(truth.now_ms), "connection {} outlives its token", self.conn);
        let stray = self.members.keys().find(|room| !pass.allows(**room, plan));
        ensure!(stray.is_none(), "connection {} may not be in room {stray:?}", self.conn);
        Ok(())
    }

    /// What a later connection of the same client is to know.
    pub fn remember(&mut self) -> Memory {
        let tried = |asked: &Asked| match asked.what {
            What::Publish(number) if asked.outcome == Outcome::Open && self.keyed.contains(&number) => {
                Some(number)
            }
            _ => None,
        };
        let mut retries = std::mem::take(&mut self.retries);
        retries.extend(self.asked.iter().filter_map(tried));
        retries.dedup();
        Memory { known: std::mem::take(&mut self.known), retries, ..Memory::default() }
    }
}
