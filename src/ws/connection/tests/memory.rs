//! What a connection holds, and when.

use super::{Connection, Event, LIMITS, Limits, Told, frame, read_piece};

/// Reads `piece` into a connection and gives back what it told.
fn read(connection: &mut Connection, piece: &[u8]) -> Vec<Told> {
    let mut told = Vec::new();
    read_piece(connection, piece, &LIMITS, &mut told);
    told
}

#[test]
fn a_connection_is_sixteen_bytes() {
    assert!(size_of::<Connection>() <= 16);
}

#[test]
fn whole_frames_are_read_where_they_are() {
    let mut input = b"\x81\x85\0\0\0\0Hello".to_vec();
    let place = input[6..].as_ptr();
    let mut connection = Connection::default();
    let step = connection.read(&mut input, &LIMITS).unwrap();
    let Some(Event::Text(text)) = step.event else { panic!("{step:?}") };
    assert_eq!(text.as_ptr(), place);
    assert!(connection.partial.is_none());
}

#[test]
fn an_idle_connection_holds_nothing() {
    let mut connection = Connection::default();
    let mut stream = frame(0x81, b"Hello");
    stream.extend([frame(0x01, b"Hel"), frame(0x89, b"hi"), frame(0x80, b"lo")].concat());
    for size in 1..=stream.len() {
        for piece in stream.chunks(size) {
            read(&mut connection, piece);
        }
        assert!(connection.partial.is_none(), "{size} at a time");
    }
}

#[test]
fn a_message_in_pieces_is_held_until_the_next_call() {
    let mut connection = Connection::default();
    assert_eq!(connection.buffered(), 0);
    read(&mut connection, b"\x82\x85\0\0\0\0Hell");
    assert!(connection.buffered() >= 4);
    let mut last = *b"o";
    let step = connection.read(&mut last, &LIMITS).unwrap();
    assert_eq!(step.event, Some(Event::Binary(b"Hello")));
    assert!(connection.buffered() >= 5);
    connection.release();
    assert_eq!(connection.buffered(), 0);
    assert!(connection.partial.is_none());
}

#[test]
fn release_leaves_what_is_unfinished() {
    let mut connection = Connection::default();
    let stream = [frame(0x01, b"a"), frame(0x89, b"ping"), frame(0x80, b"b")].concat();
    let mut told = Vec::new();
    for piece in stream.chunks(1) {
        read_piece(&mut connection, piece, &LIMITS, &mut told);
        connection.release();
    }
    assert_eq!(told, [Told::Ping(b"ping".to_vec()), Told::Text("ab".to_owned())]);
}

/// Memory grows by what has come: a header that promises 60,000 bytes is worth nothing.
#[test]
fn a_declared_length_reserves_nothing() {
    for first in [0x81, 0x82, 0x01, 0x02] {
        let mut connection = Connection::default();
        assert_eq!(read(&mut connection, &[first, 0xfe, 0xea, 0x60, 0, 0, 0, 0, b'a']), []);
        assert!((1..=64).contains(&connection.buffered()), "{} bytes", connection.buffered());
    }
}

#[test]
fn after_a_violation_nothing_is_held() {
    let mut connection = Connection::default();
    let stream = [frame(0x01, &[b'a'; 1_000]), frame(0x81, b"b")].concat();
    assert_eq!(read(&mut connection, &stream), [Told::Violation(1002, "message not finished")]);
    assert!(connection.partial.is_none());
    assert_eq!(read(&mut connection, &frame(0x81, b"c")), []);
    assert!(connection.partial.is_none());
}

/// Autobahn 9.3.1 and 9.4.1: 16 MiB in fragments of 256 bytes; and the fragments alone, of one byte each.
#[test]
fn a_message_may_come_in_65536_fragments() {
    for size in [256, 1] {
        let limits = Limits { message: 65_536 * size };
        let payload = vec![b'x'; size];
        let middle = frame(0x00, &payload).repeat(65_534);
        let stream = [frame(0x01, &payload), middle, frame(0x80, &payload)].concat();
        let mut connection = Connection::default();
        let mut told = Vec::new();
        for piece in stream.chunks(65_536) {
            read_piece(&mut connection, piece, &limits, &mut told);
        }
        assert!(told == [Told::Text("x".repeat(limits.message))]);
    }
}
