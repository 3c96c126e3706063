//! Who is in a room, as its members and the app see it.

mod harness;

use harness::Server;
use serde_json::json;

#[test]
fn a_person_comes_once_and_goes_once_however_many_connections() {
    let server = Server::sharded(2, "");
    let mut ann = server.native("/ws/a?user=ann");
    assert_eq!(ann.expect("joined")["users"], json!([{"user": "ann", "connections": 1}]));
    let mut bob = server.native("/ws/a?user=bob");
    assert_eq!(bob.expect("joined")["count"], 2);
    assert_eq!(
        ann.expect("user_joined"),
        json!({"type": "user_joined", "room": "a", "user": "bob", "count": 2})
    );
    let mut again = server.native("/ws/a?user=bob");
    let both = json!([{"user": "ann", "connections": 1}, {"user": "bob", "connections": 2}]);
    assert_eq!(again.expect("joined")["users"], both);
    let mut guest = server.native("/ws/a");
    assert_eq!(guest.expect("joined")["count"], 3);
    bob.ask(r#"{"type":"leave","room":"a","id":1}"#, "left");
    again.ask(r#"{"type":"leave","room":"a","id":1}"#, "left");
    assert_eq!(ann.expect("user_left"), json!({"type": "user_left", "room": "a", "user": "bob", "count": 2}));
    ann.nothing_came();
}

#[test]
fn members_are_listed_by_pages_to_members_and_to_the_app() {
    let server = Server::sharded(2, "");
    let mut all: Vec<_> =
        ["cy", "ann", "bob"].map(|user| server.native(&format!("/ws/a?user={user}"))).into();
    for member in &mut all {
        member.expect("joined");
    }
    let mut guest = server.native("/ws/a");
    guest.expect("joined");
    let first = guest.ask(r#"{"type":"members","room":"a","limit":2,"id":7}"#, "members");
    let users = json!([{"user": "ann", "connections": 1}, {"user": "bob", "connections": 1}]);
    assert_eq!(
        first,
        json!({"type": "members", "id": 7, "room": "a", "count": 4, "users": users, "after": "bob"})
    );
    let rest = guest.ask(r#"{"type":"members","room":"a","after":"bob"}"#, "members");
    assert_eq!((&rest["users"][0]["user"], &rest["after"]), (&json!("cy"), &json!(null)));
    let page = server.get("/api/rooms/a/members?limit=2");
    assert_eq!((page.status, page.json()), (200, json!({"count": 4, "users": users, "after": "bob"})));
    let nobody = server.get("/api/rooms/empty/members");
    assert_eq!((nobody.status, nobody.json()), (200, json!({"count": 0, "users": [], "after": null})));
    assert_eq!(guest.refused(r#"{"type":"members","room":"b"}"#), "not_joined");
}

#[test]
fn many_people_are_told_as_a_number() {
    let server = Server::sharded(2, "[[rooms]]\npattern = \"*\"\npresence_limit = 1\n");
    let mut ann = server.native("/ws/a?user=ann");
    ann.expect("joined");
    let mut bob = server.native("/ws/a?user=bob");
    assert_eq!(bob.expect("joined")["users"], json!(null));
    assert_eq!(ann.expect("count"), json!({"type": "count", "room": "a", "count": 2}));
}
