//! One stream of literal bytes for each rule, by section of RFC 6455. The key is mostly 0, so that payloads
//! can be read.

use super::{Told, frame, tell};

/// A stream and what it tells.
pub(super) struct Case {
    pub(super) rule: &'static str,
    pub(super) bytes: Vec<u8>,
    pub(super) told: Vec<Told>,
}

fn case<const N: usize>(rule: &'static str, bytes: impl AsRef<[u8]>, told: [Told; N]) -> Case {
    Case { rule, bytes: bytes.as_ref().to_vec(), told: told.into() }
}

fn text(text: &str) -> Told {
    Told::Text(text.to_owned())
}

fn binary(bytes: &[u8]) -> Told {
    Told::Binary(bytes.to_owned())
}

fn ping(bytes: &[u8]) -> Told {
    Told::Ping(bytes.to_owned())
}

fn close(code: u16, reason: &str) -> Told {
    Told::Close(Some((code, reason.to_owned())))
}

fn protocol(reason: &'static str) -> Told {
    Told::Violation(1002, reason)
}

fn not_utf8() -> Told {
    Told::Violation(1007, "not UTF-8")
}

fn too_big() -> Told {
    Told::Violation(1009, "message too big")
}

/// Every rule. What follows a close or a violation is there to be discarded.
pub(super) fn cases() -> Vec<Case> {
    let chapters = [messages(), control_frames(), headers(), fragments(), lengths(), utf8(), closes()];
    chapters.into_iter().flatten().collect()
}

fn messages() -> Vec<Case> {
    vec![
        case("nothing", b"", []),
        case("5.7: masked text", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", [text("Hello")]),
        case("5.6: text beyond ASCII", b"\x81\x84\0\0\0\0\xf0\x9f\x8d\x89", [text("🍉")]),
        case("5.6: binary", b"\x82\x83\0\0\0\0\xff\x00\xfe", [binary(b"\xff\x00\xfe")]),
        case("5.6: empty", b"\x81\x80\x01\x02\x03\x04\x82\x80\0\0\0\0", [text(""), binary(b"")]),
        case(
            "5.6: three in a row",
            b"\x81\x81\0\0\0\0a\x82\x81\0\0\0\0b\x81\x81\0\0\0\0c",
            [text("a"), binary(b"b"), text("c")],
        ),
        case("a header without its end", b"\x81\xfe\x00", []),
        case("a payload without its end", b"\x81\x85\0\0\0\0Hell", []),
    ]
}

fn control_frames() -> Vec<Case> {
    let longest = [b'x'; 125];
    vec![
        case("5.5.2: ping", b"\x89\x82\0\0\0\0hi", [ping(b"hi")]),
        case("5.5.2: empty ping", b"\x89\x80\x01\x02\x03\x04", [ping(b"")]),
        case("5.5.3: pong, unasked", b"\x8a\x82\0\0\0\0\xff\xfe", [Told::Pong(vec![0xff, 0xfe])]),
        case("5.5: the longest", frame(0x89, &longest), [ping(&longest)]),
        case("5.5: too long", frame(0x89, &[b'x'; 126]), [protocol("control frame too long")]),
        case("5.5: long length", b"\x8a\xff\0\0\0\0\0\0\0\x01", [protocol("control frame too long")]),
        case("5.5: fragmented", b"\x09\x80\0\0\0\0", [protocol("control frame fragmented")]),
        case("5.5: fragmented close", b"\x08\x80\0\0\0\0", [protocol("control frame fragmented")]),
    ]
}

fn headers() -> Vec<Case> {
    vec![
        case("5.1: not masked", b"\x81\x01a", [protocol("frame not masked")]),
        case("5.1: control, not masked", b"\x89\x00", [protocol("frame not masked")]),
        case("5.2: RSV1", b"\xc1\x81\0\0\0\0a", [protocol("reserved bit set")]),
        case("5.2: RSV2", b"\xa2\x81\0\0\0\0a", [protocol("reserved bit set")]),
        case("5.2: RSV3", b"\x99\x80\0\0\0\0", [protocol("reserved bit set")]),
        case("5.2: data opcode 3", b"\x83\x80\0\0\0\0", [protocol("reserved opcode")]),
        case("5.2: data opcode 7", b"\x87\x80\0\0\0\0", [protocol("reserved opcode")]),
        case("5.2: control opcode 11", b"\x8b\x80\0\0\0\0", [protocol("reserved opcode")]),
        case("5.2: control opcode 15", b"\x8f\x80\0\0\0\0", [protocol("reserved opcode")]),
        case(
            "what was due comes before the violation",
            b"\x81\x81\0\0\0\0a\x89\x81\0\0\0\0b\xc1\x81\0\0\0\0c\x81\x81\0\0\0\0d",
            [text("a"), ping(b"b"), protocol("reserved bit set")],
        ),
    ]
}

fn fragments() -> Vec<Case> {
    vec![
        case(
            "5.7: fragmented text",
            b"\x01\x83\x37\xfa\x21\x3d\x7f\x9f\x4d\x80\x82\x37\xfa\x21\x3d\x5b\x95",
            [text("Hello")],
        ),
        case(
            "5.4: binary in three, then the next",
            b"\x02\x81\0\0\0\0\xff\x00\x81\0\0\0\0\xfe\x80\x81\0\0\0\0\xfd\x81\x81\0\0\0\0a",
            [binary(b"\xff\xfe\xfd"), text("a")],
        ),
        case("5.4: empty fragments", b"\x01\x80\0\0\0\0\x00\x80\0\0\0\0\x80\x80\0\0\0\0", [text("")]),
        case(
            "5.4: control frames between fragments",
            b"\x01\x81\0\0\0\0a\x89\x82\0\0\0\0hi\x00\x81\0\0\0\0b\x8a\x80\0\0\0\0\x80\x81\0\0\0\0c",
            [ping(b"hi"), Told::Pong(vec![]), text("abc")],
        ),
        case(
            "5.4: a close between fragments",
            b"\x01\x81\0\0\0\0a\x88\x82\0\0\0\0\x03\xe8\x80\x81\0\0\0\0b",
            [close(1000, "")],
        ),
        case("5.4: nothing to continue", b"\x80\x81\0\0\0\0a", [protocol("nothing to continue")]),
        case("5.4: nothing to continue, FIN clear", b"\x00\x80\0\0\0\0", [protocol("nothing to continue")]),
        case(
            "5.4: nothing to continue after a whole message",
            b"\x81\x81\0\0\0\0a\x80\x81\0\0\0\0b",
            [text("a"), protocol("nothing to continue")],
        ),
        case(
            "5.4: nothing to continue after a fragmented message",
            b"\x01\x81\0\0\0\0a\x80\x81\0\0\0\0b\x80\x81\0\0\0\0c",
            [text("ab"), protocol("nothing to continue")],
        ),
        case(
            "5.4: text within a message",
            b"\x01\x81\0\0\0\0a\x81\x81\0\0\0\0b",
            [protocol("message not finished")],
        ),
        case(
            "5.4: binary within an empty fragment's message",
            b"\x01\x80\0\0\0\0\x02\x81\0\0\0\0b",
            [protocol("message not finished")],
        ),
    ]
}

fn lengths() -> Vec<Case> {
    let [short, long] = [vec![b's'; 126], vec![b'l'; 65_536]];
    vec![
        case("5.2: length in two bytes", frame(0x82, &short), [binary(&short)]),
        case("5.2: length in eight bytes", frame(0x82, &long), [binary(&long)]),
        case("5.2: 125 in two bytes", b"\x81\xfe\x00\x7d\0\0\0\0", [protocol("length not minimal")]),
        case("5.2: 0 in two bytes", b"\x82\xfe\x00\x00\0\0\0\0", [protocol("length not minimal")]),
        case("5.2: 65,535 in eight", b"\x81\xff\0\0\0\0\0\0\xff\xff", [protocol("length not minimal")]),
        case("5.2: top bit", b"\x82\xff\x80\0\0\0\0\0\0\x01", [protocol("length out of range")]),
        case("5.2: all bits", b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xff", [protocol("length out of range")]),
        case("10.4: the largest length", b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", [too_big()]),
        case("10.4: one byte too many", b"\x81\xff\0\0\0\0\0\x01\x11\x71\0\0\0\0", [too_big()]),
        case("10.4: all that is allowed, declared", b"\x81\xff\0\0\0\0\0\x01\x11\x70\0\0\0\0a", []),
        case(
            "10.4: the sum of fragments",
            b"\x01\x83\0\0\0\0abc\x80\xff\0\0\0\0\0\x01\x11\x6e\0\0\0\0",
            [too_big()],
        ),
        case(
            "10.4: the sum of fragments, a character unfinished",
            b"\x01\x81\0\0\0\0\xc3\x00\xff\0\0\0\0\0\x01\x11\x70\0\0\0\0",
            [too_big()],
        ),
        case("10.4: the sum allowed", b"\x01\x83\0\0\0\0abc\x80\xff\0\0\0\0\0\x01\x11\x6d\0\0\0\0d", []),
    ]
}

fn utf8() -> Vec<Case> {
    vec![
        case("8.1: a stray continuation", b"\x81\x82\0\0\0\0a\x80", [not_utf8()]),
        case("8.1: overlong", b"\x81\x82\0\0\0\0\xc0\xaf", [not_utf8()]),
        case("8.1: a surrogate", b"\x81\x83\0\0\0\0\xed\xa0\x80", [not_utf8()]),
        case("8.1: above U+10FFFF", b"\x81\x84\0\0\0\0\xf4\x90\x80\x80", [not_utf8()]),
        case("8.1: a character cut by the end", b"\x81\x83\0\0\0\0a\xe6\xb0", [not_utf8()]),
        case("8.1: cut by the end of fragments", b"\x01\x82\0\0\0\0\xe6\xb0\x80\x80\0\0\0\0", [not_utf8()]),
        case(
            "8.1: a character across fragments, an empty one and a ping",
            b"\x01\x81\0\0\0\0\xe6\x00\x81\0\0\0\0\xb0\x00\x80\0\0\0\0\x89\x80\0\0\0\0\x80\x82\0\0\0\0\xb4!",
            [ping(b""), text("水!")],
        ),
        case(
            "8.1: bad within an unfinished frame",
            b"\x81\xfe\x01\x00\0\0\0\0\xce\xba\xe1\xbd\xb9\xf4\x90",
            [not_utf8()],
        ),
        case(
            "8.1: bad in the second fragment, unfinished",
            b"\x01\x81\0\0\0\0\xf4\x80\xfe\x01\x00\0\0\0\0\x90",
            [not_utf8()],
        ),
        case("8.1: binary is not text", b"\x02\x81\0\0\0\0\xff\x80\x81\0\0\0\0\xc0", [binary(b"\xff\xc0")]),
    ]
}

fn closes() -> Vec<Case> {
    let reason = "r".repeat(123);
    let longest = [&b"\x0f\x9f"[..], reason.as_bytes()].concat();
    let mut cases = vec![
        case("5.5.1: empty", b"\x88\x80\0\0\0\0", [Told::Close(None)]),
        case("5.5.1: code and reason", b"\x88\x85\0\0\0\0\x03\xe9bye", [close(1001, "bye")]),
        case("5.5.1: the longest reason", frame(0x88, &longest), [close(3999, &reason)]),
        case("5.5.1: one byte", b"\x88\x81\0\0\0\0\x03", [protocol("close of one byte")]),
        case("8.1: the reason is not UTF-8", b"\x88\x85\0\0\0\0\x03\xe8\xce\xba\xe1", [not_utf8()]),
        case(
            "5.5.1: data after the close",
            b"\x88\x80\0\0\0\0\x81\x81\0\0\0\0a\xff\xff\x88\x80\0\0\0\0",
            [Told::Close(None)],
        ),
    ];
    // RFC 6455 sections 7.4.1 and 7.4.2, and the registry of section 11.7.
    for code in
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
    {
        cases.push(case("7.4: a code", frame(0x88, &u16::to_be_bytes(code)), [close(code, "")]));
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        let bytes = frame(0x88, &u16::to_be_bytes(code));
        cases.push(case("7.4: not a code", bytes, [protocol("close code not allowed")]));
    }
    cases
}

#[test]
fn every_rule_holds() {
    for Case { rule, bytes, told } in cases() {
        assert_eq!(tell([&bytes[..]]), told, "{rule}");
    }
}

/// How many of `bytes`, which come one at a time, it takes to be refused.
fn refused_after(bytes: &[u8]) -> Option<usize> {
    (0..=bytes.len()).find(|&len| matches!(tell(bytes[..len].chunks(1)).last(), Some(Told::Violation(..))))
}

/// What is wrong is told at the byte that is wrong, not at the end of a header, a frame or a message.
#[test]
fn violations_are_found_at_once() {
    for (bytes, after) in [
        (&b"\xc1\x81\0\0\0\0a"[..], 1),
        (b"\x83\x80\0\0\0\0", 1),
        (b"\x81\x01a", 2),
        (b"\x89\xfe\0\x7e\0\0\0\0", 2),
        (b"\x81\xfe\0\x7d\0\0\0\0", 4),
        (b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0", 10),
        (b"\x80\x85\0\0\0\0Hello", 6),
        (b"\x81\xff\0\0\0\0\0\x01\x11\x71\0\0\0\0a", 14),
        (b"\x81\x8b\0\0\0\0\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80ab", 13),
        (b"\x01\x82\0\0\0\0\xf4\x8f\x00\x85\0\0\0\0\xc0\x80\x80\x80\x80", 15),
    ] {
        assert_eq!(refused_after(bytes), Some(after), "{bytes:x?}");
    }
}

#[test]
fn a_message_has_at_most_a_thousand_empty_fragments() {
    let message =
        |empty: usize| [frame(0x01, b""), frame(0x00, b"").repeat(empty - 1), frame(0x80, b"end")].concat();
    assert_eq!(tell([&message(1_000)[..]]), [text("end")]);
    assert_eq!(tell([&message(1_001)[..]]), [Told::Violation(1008, "too many empty fragments")]);
    assert_eq!(tell([&message(1_000).repeat(2)[..]]), [text("end"), text("end")]);
}
