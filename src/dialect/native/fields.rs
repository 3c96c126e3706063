//! The fields of a JSON object, each as it was written, so that what is passed on is passed on byte for byte.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::broker::keys::MAX_KEY;
use crate::error::Fault;

/// How deep `data` may be nested.
pub const MAX_DEPTH: usize = 128;

/// The longest `id` of a request, in bytes as written.
pub const MAX_ID: usize = 64;

/// The longest `event`, in bytes.
pub const MAX_EVENT: usize = 64;

macro_rules! fields {
    ($($field:ident $name:literal),* $(,)?) => {
        /// The known fields of a request; all others are ignored.
        #[derive(Debug, Default)]
        pub struct Fields<'a> {
            $(#[doc = concat!("`", $name, "`.")] pub $field: Option<&'a RawValue>,)*
        }

        impl<'a> Fields<'a> {
            /// Where the field called `name` is kept.
            fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
                match name {
                    $($name => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    kind "type", id "id", room "room", data "data", event "event", since "since", history "history", limit "limit", after "after",
    key "idempotency_key",
    echo "echo", store "store", from "from", exclude "exclude", user "user", all "all", messages "messages",
    token "token", to "to", active "active", reason "reason",
}

impl<'a> Fields<'a> {
    /// Reads the object that `text` is.
    pub fn read(text: &'a str) -> Result<Self, Fault> {
        let mut fields = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        let filled = json.deserialize_map(Fill(&mut fields)).and_then(|()| json.end());
        filled.map(|()| fields).map_err(|_| match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) if text.trim_start().starts_with('{') => Fault::BadRequest("a field is there twice"),
            Ok(_) => Fault::BadRequest("a request must be a JSON object"),
            Err(_) => Fault::BadJson,
        })
    }
}

/// Fills the fields where they are: they are many words, and a request reads them once.
struct Fill<'f, 'a>(&'f mut Fields<'a>);

impl<'de: 'a, 'a> Visitor<'de> for Fill<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            match self.0.slot(&name) {
                Some(Some(_)) => return Err(serde::de::Error::custom("doubled")),
                Some(slot) => *slot = Some(map.next_value()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// A field's name, borrowed unless it was written with escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<'a>(std::marker::PhantomData<&'a ()>);

        impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
            type Value = Name<'a>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E>(self, name: &str) -> Result<Name<'a>, E> {
                Ok(Name(Cow::Owned(name.into())))
            }
        }

        deserializer.deserialize_str(Text(std::marker::PhantomData))
    }
}

/// The text that a JSON string means; none if it is no string.
pub fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let json = raw.get();
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}

/// A required text.
pub fn required<'a>(raw: Option<&'a RawValue>, fault: &'static str) -> Result<Cow<'a, str>, Fault> {
    raw.and_then(text).ok_or(Fault::BadRequest(fault))
}

/// A text that may be absent, but nothing else.
pub fn optional<'a>(raw: Option<&'a RawValue>, fault: &'static str) -> Result<Option<Cow<'a, str>>, Fault> {
    raw.map(|raw| text(raw).ok_or(Fault::BadRequest(fault))).transpose()
}

/// A truth value, or `absent`.
pub fn flag(raw: Option<&RawValue>, absent: bool, fault: &'static str) -> Result<bool, Fault> {
    match raw.map(RawValue::get) {
        None => Ok(absent),
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(_) => Err(Fault::BadRequest(fault)),
    }
}

/// A whole number from 0 that may be absent; one too large to count counts as the largest.
pub fn number(raw: Option<&RawValue>, fault: &'static str) -> Result<Option<usize>, Fault> {
    let Some(raw) = raw else { return Ok(None) };
    let digits = raw.get();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::BadRequest(fault));
    }
    Ok(Some(digits.parse().unwrap_or(usize::MAX)))
}

/// An `id`, as it was written: a string or a number.
pub fn id(raw: Option<&RawValue>) -> Result<Option<&str>, Fault> {
    let Some(raw) = raw else { return Ok(None) };
    let json = raw.get();
    let kind = json.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit());
    if !kind || json.len() > MAX_ID {
        return Err(Fault::BadRequest("`id` is a string or a number of at most 64 bytes"));
    }
    Ok(Some(json))
}

/// An `event`: 1 to 64 bytes of `A-Z a-z 0-9 _ . : -`.
pub fn event(raw: Option<&RawValue>) -> Result<Option<Box<str>>, Fault> {
    const FAULT: &str = "`event` is 1 to 64 bytes of A-Z a-z 0-9 _ . : -";
    let Some(event) = optional(raw, FAULT)? else { return Ok(None) };
    if is_event(&event) { Ok(Some(event.into())) } else { Err(Fault::BadRequest(FAULT)) }
}

/// Whether `event` is one: 1 to 64 bytes of `A-Z a-z 0-9 _ . : -`.
pub fn is_event(event: &str) -> bool {
    let letters = event.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte));
    letters && (1..=MAX_EVENT).contains(&event.len())
}

/// An `idempotency_key`: 1 to 128 bytes.
pub fn key(raw: Option<&RawValue>) -> Result<Option<Box<str>>, Fault> {
    const FAULT: &str = "`idempotency_key` is a string of 1 to 128 bytes";
    let Some(key) = optional(raw, FAULT)? else { return Ok(None) };
    if key.is_empty() || key.len() > MAX_KEY { Err(Fault::BadRequest(FAULT)) } else { Ok(Some(key.into())) }
}

/// The `data` of a message, refused if it is nested too deep.
pub fn data(raw: Option<&RawValue>) -> Result<&str, Fault> {
    let json = raw.ok_or(Fault::BadRequest("`data` is missing"))?.get();
    if is_too_deep(json) { Err(Fault::BadJson) } else { Ok(json) }
}

/// Whether valid JSON is nested more than [`MAX_DEPTH`] deep.
pub fn is_too_deep(json: &str) -> bool {
    // Each level takes an opening and a closing byte.
    if json.len() <= 2 * MAX_DEPTH {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_apart() {
        let fault = |text| Fields::read(text).err();
        for text in
            ["", "{", "nope", "{\"type\":}", "{} {}", "[1,]", "{\"a\":1,}", "\u{feff}{}", "{'type':1}"]
        {
            assert_eq!(fault(text), Some(Fault::BadJson), "{text}");
        }
        for text in
            ["1", "null", "\"{}\"", " [] ", "{\"type\":1,\"type\":2}", "{\"room\":1,\"r\\u006fom\":2}"]
        {
            assert!(matches!(fault(text), Some(Fault::BadRequest(_))), "{text}");
        }
        assert_eq!(fault("{\"x\":1,\"x\":2}"), None);
    }

    #[test]
    fn values_are_kept_as_written() {
        for json in
            ["1e400", "{\"a\":1,\"a\":2}", "12345678901234567890", "[ 1 ,\t2 ]", "\"\\ud800\"", "-0", "null"]
        {
            let text = format!("{{\"data\": {json} }}");
            let fields = Fields::read(&text).unwrap();
            assert_eq!(data(fields.data), Ok(json));
        }
    }

    #[test]
    fn depth_is_bounded_where_it_is_depth() {
        let nested = |depth| format!("{{\"data\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        let read = |text: &str| data(Fields::read(text).unwrap().data).map(str::len);
        assert_eq!(read(&nested(128)), Ok(256));
        assert_eq!(read(&nested(129)), Err(Fault::BadJson));
        assert_eq!(read(&nested(30_000)), Err(Fault::BadJson));
        let quoted = format!("{{\"data\":\"{}\\\"{}\"}}", "[".repeat(300), "{".repeat(300));
        assert!(read(&quoted).is_ok());
        let wide = format!("{{\"data\":[{}1]}}", "[],".repeat(300));
        assert!(read(&wide).is_ok());
    }

    #[test]
    fn an_id_is_a_string_or_a_number() {
        let read = |json: &str| {
            let text = format!("{{\"id\":{json}}}");
            id(Fields::read(&text).unwrap().id).map(|id| id.map(str::to_owned))
        };
        for json in ["1", "-1.5e9", "\"\"", "\"a\\nb\"", &format!("\"{}\"", "x".repeat(62))] {
            assert_eq!(read(json), Ok(Some(json.to_owned())));
        }
        for json in ["null", "true", "[]", "{}", &format!("\"{}\"", "x".repeat(63))] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn numbers_are_whole() {
        let read = |json: &str| {
            let text = format!("{{\"limit\":{json}}}");
            number(Fields::read(&text).unwrap().limit, "limit")
        };
        assert_eq!(read("0"), Ok(Some(0)));
        assert_eq!(read("99999999999999999999999"), Ok(Some(usize::MAX)));
        for json in ["-1", "1.0", "1e3", "\"1\"", "null"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
