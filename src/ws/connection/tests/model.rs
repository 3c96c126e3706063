//! Seeded streams, good and spoilt, cut anywhere, against a model that has all bytes at once and keeps no
//! state between frames but the message.

use super::{LIMITS, Told, frame, tell};

/// Streams that a run tries.
const ROUNDS: u64 = 6_000;

/// SplitMix64: numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// A stream of some messages, some in fragments, with control frames between them.
fn stream(numbers: &mut Numbers) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..=numbers.below(4) {
        let (opcode, payload) = message(numbers);
        let fragments = 1 + if numbers.one_in(2) { numbers.below(4) } else { 0 };
        let mut rest = &payload[..];
        for n in 1..=fragments {
            let size = if n == fragments { rest.len() } else { numbers.below(rest.len() + 1) };
            let (payload, after) = rest.split_at(size);
            let first = if n == 1 { opcode } else { 0 } | if n == fragments { 0x80 } else { 0 };
            stream.extend(frame(first, payload));
            rest = after;
            while numbers.one_in(4) {
                stream.extend(control(numbers));
            }
        }
    }
    stream
}

fn message(numbers: &mut Numbers) -> (u8, Vec<u8>) {
    let len = numbers.of(&[0, 1, 5, 20, 60, 130]);
    if numbers.one_in(3) {
        return (2, (0..len).map(|_| numbers.next() as u8).collect());
    }
    let text: String =
        (0..len).map(|_| numbers.of(&['a', '~', 'é', '水', '\u{ffff}', '🍉', '\u{10ffff}'])).collect();
    (1, text.into_bytes())
}

fn control(numbers: &mut Numbers) -> Vec<u8> {
    let len = numbers.of(&[0, 2, 8, 125]);
    let payload: Vec<u8> = (0..len).map(|_| numbers.next() as u8).collect();
    match numbers.below(12) {
        0 => frame(0x88, b"\x03\xe8done"),
        1 => frame(0x88, &payload),
        2..7 => frame(0x89, &payload),
        _ => frame(0x8a, &payload),
    }
}

/// Changes, drops or doubles some bytes.
fn spoil(stream: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..=numbers.below(3) {
        let place = numbers.below(stream.len());
        match numbers.below(4) {
            0 => stream[place] ^= 1 << numbers.below(8),
            1 => stream[place] = numbers.of(&[0, 0x7f, 0x80, 0x81, 0xfe, 0xff]),
            2 => stream.insert(place, numbers.next() as u8),
            _ => stream.truncate(place.max(1)),
        }
    }
}

/// `stream` in pieces of random sizes.
fn pieces<'a>(mut stream: &'a [u8], numbers: &mut Numbers) -> Vec<&'a [u8]> {
    let most = numbers.of(&[2, 10, 100]);
    let mut pieces = Vec::new();
    while !stream.is_empty() {
        let (piece, rest) = stream.split_at(numbers.below(most).min(stream.len()));
        pieces.push(piece);
        stream = rest;
    }
    pieces
}

/// What the model knows between frames.
#[derive(Default)]
struct Model {
    told: Vec<Told>,
    message: Option<(u8, Vec<u8>)>,
}

/// Why the model stops: a close code to fail with, or nothing more to read.
type Stop = Option<u16>;

impl Model {
    /// Reads all of `bytes`, and gives back what they tell and the code of the violation, if there is one.
    fn run(mut bytes: &[u8]) -> (Vec<Told>, Stop) {
        let mut model = Self::default();
        loop {
            if let Err(stop) = model.frame(&mut bytes) {
                return (model.told, stop);
            }
        }
    }

    fn frame(&mut self, bytes: &mut &[u8]) -> Result<(), Stop> {
        let first = number(bytes, 1)? as u8;
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        let control = opcode >= 8;
        refuse(first & 0x70 != 0 || !matches!(opcode, 0..=2 | 8..=10) || control && !fin, 1002)?;
        let second = number(bytes, 1)? as u8;
        let short = u64::from(second & 0x7f);
        refuse(second < 0x80 || control && short > 125, 1002)?;
        let len = match short {
            126 => number(bytes, 2)?,
            127 => number(bytes, 8)?,
            _ => short,
        };
        refuse(short == 126 && len < 126 || short == 127 && len < 65_536 || len >> 63 == 1, 1002)?;
        let key = (number(bytes, 4)? as u32).to_be_bytes();
        let held = self.message.as_ref().map_or(0, |(_, held)| held.len() as u64);
        refuse(!control && (opcode == 0) != self.message.is_some(), 1002)?;
        refuse(!control && held.saturating_add(len) > LIMITS.message as u64, 1009)?;
        let here = (len as usize).min(bytes.len());
        let payload: Vec<u8> = bytes[..here].iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        *bytes = &bytes[here..];
        let whole = here as u64 == len;
        if control {
            return if whole { self.control(opcode, payload) } else { Err(None) };
        }
        self.message.get_or_insert((opcode, Vec::new())).1.extend(payload);
        self.check(fin && whole)?;
        if whole { Ok(()) } else { Err(None) }
    }

    /// Checks the message as far as it has come, and tells it if that is all.
    fn check(&mut self, end: bool) -> Result<(), Stop> {
        let Some((opcode, bytes)) = self.message.take() else { unreachable!() };
        if opcode == 1
            && let Err(error) = std::str::from_utf8(&bytes)
        {
            refuse(end || error.error_len().is_some(), 1007)?;
        }
        match (end, opcode) {
            (false, _) => self.message = Some((opcode, bytes)),
            (true, 1) => self.told.push(Told::Text(String::from_utf8(bytes).unwrap())),
            (true, _) => self.told.push(Told::Binary(bytes)),
        }
        Ok(())
    }

    fn control(&mut self, opcode: u8, payload: Vec<u8>) -> Result<(), Stop> {
        self.told.push(match opcode {
            9 => Told::Ping(payload),
            10 => Told::Pong(payload),
            _ => Told::Close(close(&payload)?),
        });
        if opcode == 8 { Err(None) } else { Ok(()) }
    }
}

fn close(payload: &[u8]) -> Result<Option<(u16, String)>, Stop> {
    if payload.is_empty() {
        return Ok(None);
    }
    refuse(payload.len() == 1, 1002)?;
    let code = u16::from_be_bytes([payload[0], payload[1]]);
    let reserved = code < 1000
        || [1004, 1005, 1006, 1015].contains(&code)
        || (1016..3000).contains(&code)
        || code > 4999;
    refuse(reserved, 1002)?;
    let reason = String::from_utf8(payload[2..].to_vec()).map_err(|_| Some(1007))?;
    Ok(Some((code, reason)))
}

fn refuse(wrong: bool, code: u16) -> Result<(), Stop> {
    if wrong { Err(Some(code)) } else { Ok(()) }
}

/// Takes a number of `size` bytes from the front of `bytes`, or stops.
fn number(bytes: &mut &[u8], size: usize) -> Result<u64, Stop> {
    let (number, rest) = bytes.split_at_checked(size).ok_or(None)?;
    *bytes = rest;
    Ok(number.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
}

#[test]
fn random_streams_tell_what_the_model_tells() {
    let [mut good, mut bad] = [0, 0];
    for seed in 0..ROUNDS {
        let mut numbers = Numbers(seed);
        let mut stream = stream(&mut numbers);
        if numbers.one_in(2) {
            spoil(&mut stream, &mut numbers);
        }
        let (expected, stop) = Model::run(&stream);
        match stop {
            None => good += 1,
            Some(_) => bad += 1,
        }
        for pieces in [vec![&stream[..]], pieces(&stream, &mut numbers), stream.chunks(1).collect()] {
            let mut told = tell(pieces);
            let code = told.pop_if(|last| matches!(last, Told::Violation(..))).map(|last| match last {
                Told::Violation(code, _) => code,
                other => unreachable!("{other:?}"),
            });
            assert_eq!((&told, code), (&expected, stop), "seed {seed}: {stream:x?}");
        }
    }
    assert!(good > ROUNDS / 4 && bad > ROUNDS / 4, "{good} good and {bad} bad streams");
}
