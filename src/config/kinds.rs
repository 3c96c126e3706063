//! The kinds of values that keys take: how each is written, and its bounds.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use tracing::level_filters::LevelFilter;

use super::value::{Located, Value};
use crate::origin::OriginRule;
use crate::settings::{Console, MIB, Secret};

/// The largest size: far above any machine, and far from overflow in sums.
pub(super) const MOST_BYTES: usize = MIB.saturating_mul(MIB);
/// The longest duration, for the same two reasons: a year in humantime.
pub(super) const LONGEST: Duration = Duration::from_secs(31_557_600);

/// A number of bytes: an integer, or text with a unit.
pub(super) fn size(bounds: RangeInclusive<usize>) -> impl Fn(&Located) -> Result<usize, String> {
    move |found| {
        let bytes = match (found.text(), &found.value) {
            (Some(text), _) => text.trim().parse::<ByteSize>().ok().map(|size| size.as_u64()),
            (None, Value::Integer(integer)) => u64::try_from(*integer).ok(),
            _ => None,
        };
        let bytes = bytes.ok_or_else(|| format!("{} is not a size; write it like \"64KiB\"", found.value))?;
        within(usize::try_from(bytes).unwrap_or(usize::MAX), &bounds, Bytes)
    }
}

/// A length of time: text with units, or a plain 0.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&Located) -> Result<Duration, String> {
    move |found| {
        let time = match (found.text(), &found.value) {
            (Some(text), _) => humantime::parse_duration(text).ok(),
            (None, Value::Integer(0)) => Some(Duration::ZERO),
            _ => None,
        };
        let wrong =
            || format!("{} is not a duration; write it like \"10s\", \"250ms\" or \"5m\"", found.value);
        within(time.ok_or_else(wrong)?, &bounds, humantime::format_duration)
    }
}

/// A whole number.
pub(super) fn count<T>(bounds: RangeInclusive<T>) -> impl Fn(&Located) -> Result<T, String>
where
    T: TryFrom<i64> + PartialOrd + Copy + fmt::Display,
{
    move |found| {
        let Value::Integer(integer) = found.typed() else {
            return Err(format!("{} is not a whole number", found.value));
        };
        let (least, most) = (*bounds.start(), *bounds.end());
        let outside = || format!("{integer} is not between {least} and {most}");
        let number = T::try_from(integer).map_err(|_| outside())?;
        if bounds.contains(&number) { Ok(number) } else { Err(outside()) }
    }
}

/// `true` or `false`; in a variable or a flag also `1`, `0`, `yes`, `no`, `on` and `off`.
pub(super) fn boolean(found: &Located) -> Result<bool, String> {
    switch(found).ok_or_else(|| match &found.value {
        Value::Bare(_) => {
            format!("{} is neither true nor false; 1, 0, yes, no, on and off do as well", found.value)
        }
        value => format!("{value} is neither true nor false"),
    })
}

fn switch(found: &Located) -> Option<bool> {
    match &found.value {
        Value::Boolean(boolean) => Some(*boolean),
        Value::Bare(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// One of a few words.
pub(super) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Located) -> Result<T, String> {
    move |found| {
        let chosen = found.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
        chosen.map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            format!("{} is not one of {}", found.value, words.join(", "))
        })
    }
}

/// `"auto"`, `true` or `false`.
pub(super) fn console(found: &Located) -> Result<Console, String> {
    match (switch(found), found.text()) {
        (Some(true), _) => Ok(Console::On),
        (Some(false), _) => Ok(Console::Off),
        (None, Some(text)) if text.trim() == "auto" => Ok(Console::Auto),
        _ => Err(format!("{} is not one of \"auto\", true, false", found.value)),
    }
}

/// Any text that is not empty.
pub(super) fn text(found: &Located) -> Result<String, String> {
    match found.text() {
        Some("") => Err("is empty".to_owned()),
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{} is not text; put it in quotes", found.value)),
    }
}

/// Secret text: no message repeats it.
pub(super) fn secret(found: &Located) -> Result<Secret, String> {
    match found.text() {
        Some("") => Err("is empty; make one with: switchboard key".to_owned()),
        Some(text) => Ok(Secret::new(text)),
        None => Err("is not text; put it in quotes".to_owned()),
    }
}

/// The path of a file.
pub(super) fn path(found: &Located) -> Result<PathBuf, String> {
    text(found).map(PathBuf::from)
}

/// The name of a cookie: a token (RFC 6265 section 4.1.1).
pub(super) fn cookie(found: &Located) -> Result<String, String> {
    let name = text(found)?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.chars().all(is_token) {
        Ok(name)
    } else {
        Err(format!("{} is not the name of a cookie", found.value))
    }
}

/// An origin, or `*.` for all below it.
pub(super) fn origin(found: &Located) -> Result<OriginRule, String> {
    let text = text(found)?;
    if text == "*" {
        return Err("to allow any page, leave `allow` out".to_owned());
    }
    OriginRule::parse(&text).map_err(|advice| format!("{} is not an origin; {advice}", found.value))
}

/// Addresses: a network, or one address.
pub(super) fn network(found: &Located) -> Result<IpNet, String> {
    let parse = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
    found
        .text()
        .and_then(parse)
        .ok_or_else(|| format!("{} is not a network; write it like \"10.0.0.0/8\" or \"::1\"", found.value))
}

/// The lowest level of lines in the log.
pub(super) fn level(found: &Located) -> Result<LevelFilter, String> {
    const LEVELS: &[(&str, LevelFilter)] = &[
        ("off", LevelFilter::OFF),
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    word(LEVELS)(found)
}

fn within<T, S>(value: T, bounds: &RangeInclusive<T>, shown: impl Fn(T) -> S) -> Result<T, String>
where
    T: PartialOrd + Copy + Default,
    S: fmt::Display,
{
    if bounds.contains(&value) {
        return Ok(value);
    }
    Err(if value > *bounds.end() {
        format!("{} is more than the most allowed, {}", shown(value), shown(*bounds.end()))
    } else if value == T::default() {
        format!("0 is not allowed; give at least {}", shown(*bounds.start()))
    } else {
        format!("{} is less than the least allowed, {}", shown(value), shown(*bounds.start()))
    })
}

/// Shows a size in the largest unit that is exact.
#[derive(Clone, Copy)]
pub(super) struct Bytes(pub(super) usize);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `u64`, because a TiB does not fit into a `usize` of 32 bits.
        const UNITS: [(u64, &str); 4] =
            [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let bytes = self.0 as u64;
        match UNITS.iter().find(|(unit, _)| bytes != 0 && bytes.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", bytes / unit),
            None if self.0 == 1 => f.write_str("1 byte"),
            None => write!(f, "{} bytes", self.0),
        }
    }
}
