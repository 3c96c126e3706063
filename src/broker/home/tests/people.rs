//! Whom members are told of.

use super::*;

impl Bench {
    fn come(&mut self, shard: ShardId, user: Option<&str>) {
        let session = SessionId { shard, key: 1, generation: 1 };
        let join = Join {
            session,
            site: 0,
            user: user.map(ArcStr::from),
            ticket: Ticket::default(),
            span: Span::Nothing,
            again: false,
        };
        self.request(Request::Join(Box::new(join)));
    }

    fn go(&mut self, shard: ShardId, user: Option<&str>) {
        self.request(Request::Leave(Caller::Nobody, shard, user.map(ArcStr::from)));
    }
}

#[test]
fn the_first_connection_in_and_the_last_out_are_told() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    bench.come(1, Some("ann"));
    bench.posted(&["1: +ann 1", "1: joined 1 0 newest[]"]);
    bench.come(0, Some("bob"));
    bench.posted(&["0: +bob 2", "1: +bob 2", "0: joined 1 0 newest[]"]);
    bench.come(1, Some("bob"));
    bench.go(0, Some("bob"));
    bench.come(1, None);
    bench.posted(&["1: joined 1 0 newest[]", "1: joined 1 0 newest[]"]);
    bench.go(1, Some("bob"));
    bench.posted(&["1: -bob 2"]);
}

#[test]
fn a_reload_within_the_grace_period_is_not_told() {
    let grace = Duration::from_secs(3);
    let mut bench = Bench::open(RoomSettings { presence_grace: grace, ..Default::default() }, 0, 1);
    bench.come(0, Some("ann"));
    bench.come(1, Some("bob"));
    bench.go(1, Some("bob"));
    bench.wait(grace - Duration::from_millis(250));
    bench.come(1, Some("bob"));
    bench.wait(grace * 2);
    bench.go(1, Some("bob"));
    bench.posts.clear();
    assert_eq!(bench.home.deadline(), bench.now.after(grace));
    bench.wait(grace);
    bench.posted(&["0: -bob 1"]);
}

#[test]
fn a_room_is_not_forgotten_before_its_last_person_is_gone() {
    let (grace, ttl) = (Duration::from_secs(3), Duration::from_secs(1));
    let mut bench = Bench::open(RoomSettings { presence_grace: grace, ttl, ..Default::default() }, 0, 1);
    bench.come(0, Some("ann"));
    bench.go(0, Some("ann"));
    bench.wait(ttl * 2);
    assert!(!bench.home.is_over(bench.now));
    bench.wait(ttl);
    assert!(bench.home.is_over(bench.now));
}

#[test]
fn many_people_are_a_number_once_a_second() {
    let mut bench = Bench::open(RoomSettings { presence_limit: 1, ..Default::default() }, 0, 1);
    bench.come(0, Some("ann"));
    bench.come(0, Some("bob"));
    bench.come(0, None);
    bench.posts.retain(|(_, post)| matches!(post, Post::Notice(..)));
    bench.posted(&["0: +ann 1", "0: 2 people"]);
    bench.wait(Duration::from_secs(1));
    bench.posted(&["0: 3 people"]);
    bench.go(0, None);
    bench.go(0, Some("bob"));
    bench.posted(&["0: -bob 1"]);
}

#[test]
fn a_room_without_presence_tells_nobody_and_lists_nobody() {
    let mut bench = Bench::open(RoomSettings { presence: false, ..Default::default() }, 0, 1);
    bench.come(0, Some("ann"));
    bench.come(0, Some("bob"));
    bench.posts.retain(|(_, post)| matches!(post, Post::Notice(..)));
    bench.posted(&[]);
    bench.request(Request::Members(
        Caller::Call(SessionId { shard: 2, key: 1, generation: 1 }, 0),
        page("", 9),
    ));
    bench.posted(&["2: roster 2 None"]);
}

#[test]
fn people_are_listed_by_pages() {
    let mut bench = Bench::open(RoomSettings::default(), 0, 1);
    for user in ["cy", "ann", "bob"] {
        bench.come(0, Some(user));
    }
    bench.posts.clear();
    let caller = || Caller::Call(SessionId { shard: 2, key: 1, generation: 1 }, 0);
    bench.request(Request::Members(caller(), page("", 2)));
    bench.request(Request::Members(caller(), page("bob", 2)));
    bench.posted(&["2: roster 3 Some([\"ann\", \"bob\"]) > bob", "2: roster 3 Some([\"cy\"])"]);
}

fn page(after: &str, limit: usize) -> Page {
    Page { after: after.into(), limit }
}
