//! The same bytes, cut everywhere.

use super::*;

/// Connections that use every part of the reader; the last five end in a refusal.
const CONNECTIONS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/ws/a%2Fb?room=x&user=J%C3%BCrg+M HTTP/1.1\r\nHost: b\r\nConnection: keep-alive, Upgrade\r\n\
      Upgrade: websocket\r\nCookie: a=\xfc\r\n\r\n",
    b"\r\n\r\nPOST /api HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{\"data\":12}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00A ;c\r\n0123456789\r\n\
      0\r\nX: y\r\nZ:\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nabHEAD / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/2.0\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\nI: j\r\nK: l\r\nM: n\r\nO: p\r\nQ: r\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n41\r\n",
];

/// Wherever the bytes are cut, they must give the same as in one piece.
fn check(input: &[u8], limits: &Limits, cuts: impl IntoIterator<Item = usize>) -> Vec<Event> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for cut in cuts {
        pieces.push(&input[start..cut]);
        start = cut;
    }
    pieces.push(&input[start..]);
    let expected = feed([input], limits);
    assert_eq!(
        feed(pieces.iter().copied(), limits),
        expected,
        "{:?} cut as {pieces:?}",
        input.escape_ascii().to_string()
    );
    expected
}

#[test]
fn the_connections_give_what_they_should() {
    let events: Vec<usize> = CONNECTIONS.iter().map(|input| whole(input).len()).collect();
    assert_eq!(events, [2, 2, 4, 4, 4, 3, 1, 1, 1, 2]);
    let refused: Vec<u16> = CONNECTIONS.iter().filter_map(status).collect();
    assert_eq!(refused, [505, 400, 400, 431, 413]);
}

#[test]
fn one_cut_changes_nothing() {
    for input in CONNECTIONS {
        for cut in 0..=input.len() {
            check(input, &LIMITS, [cut]);
        }
    }
}

#[test]
fn two_cuts_change_nothing() {
    for input in CONNECTIONS {
        for first in 0..=input.len() {
            for second in first..=input.len() {
                check(input, &LIMITS, [first, second]);
            }
        }
    }
}

#[test]
fn single_bytes_change_nothing() {
    for input in CONNECTIONS {
        check(input, &LIMITS, 1..input.len());
    }
}

#[test]
fn limits_fall_at_the_same_byte_however_it_is_cut() {
    for input in CONNECTIONS {
        for limit in 0..input.len() {
            let limits = Limits { header: limit, headers: limit % 4, body: limit % 16 };
            check(input, &limits, 1..input.len());
            check(input, &limits, [limit]);
        }
    }
}

/// SplitMix64: numbers from a seed, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a [u8]]) -> &'a [u8] {
        from[self.below(from.len())]
    }

    fn cuts(&mut self, len: usize) -> Vec<usize> {
        let mut cuts: Vec<usize> = (0..self.below(8)).map(|_| self.below(len + 1)).collect();
        cuts.sort_unstable();
        cuts
    }
}

/// Bytes that readers get wrong.
#[rustfmt::skip]
const SPLINTERS: &[&[u8]] = &[
    b"\r\n", b"\r", b"\n", b"\r\n\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"%", b"%2", b"?", b"#", b"/", b"*", b"0", b"5",
    b";", b"Host: b\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.0", b"http://", b"GET ",
    b"POST ", b"0\r\n\r\n", b" HTTP/1.1\r\nHost: a\r\n\r\n",
];

fn mutate(input: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(input.len());
    match random.below(4) {
        0 if at < input.len() => input[at] = random.next().to_le_bytes()[0],
        1 => drop(input.splice(at..at, random.pick(SPLINTERS).iter().copied())),
        2 => drop(input.drain(at..(at + random.below(6)).min(input.len()))),
        _ => input.extend_from_slice(random.pick(CONNECTIONS)),
    }
}

#[test]
fn mutated_bytes_mean_the_same_however_they_are_cut() {
    let (mut served, mut refused) = (0, 0);
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut input = random.pick(CONNECTIONS).to_vec();
        (0..=random.below(4)).for_each(|_| mutate(&mut input, &mut random));
        let cuts = random.cuts(input.len());
        let events = check(&input, &LIMITS, cuts);
        served += usize::from(events.iter().any(|event| matches!(event, Event::Body(_))));
        refused += usize::from(events.iter().any(|event| matches!(event, Event::Refused(_))));
    }
    assert!(
        served > 2_000 && refused > 2_000,
        "{served} served, {refused} refused: one side is hardly tried"
    );
}

#[test]
fn random_bytes_mean_the_same_however_they_are_cut() {
    for seed in 0..5_000 {
        let mut random = Random(seed);
        let input: Vec<u8> = (0..random.below(24)).flat_map(|_| random.pick(SPLINTERS).to_vec()).collect();
        let cuts = random.cuts(input.len());
        check(&input, &LIMITS, cuts);
    }
}
