//! The dialects that clients speak: each turns requests into values and values into bytes, and decides nothing.
//!
//! A dialect is a folder here that implements [`Speaks`], and a row of the table below. How its texts travel is not its
//! concern: as frames of a WebSocket or as Server-Sent Events ([`Transport`]).

pub mod echo;
pub mod forms;
// A dialect with words of its own reads all parts of a message. Only the tests have one.
#[cfg_attr(not(feature = "internals"), allow(dead_code))]
pub mod kept;
#[cfg(test)]
pub mod lines;
pub mod native;
pub mod raw;
pub mod request;
pub mod speaks;
pub mod told;

use bytes::Bytes;

use crate::message::{Transport, Wire};
use crate::sse;
use request::{Refused, Request};
use speaks::{Manners, Payload, Said, Speaks, framed};
use told::Told;

/// Makes the table: each row has a name, the type that speaks, and what the dialect is like.
macro_rules! dialects {
    ($($(#[cfg($when:meta)])? $name:ident, $speaks:ty, $about:literal;)*) => {
        /// What a session speaks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Dialect {
            $($(#[cfg($when)])? #[doc = $about] $name,)*
        }

        impl Dialect {
            /// All of them, by their numbers.
            const ALL: &[Self] = &[$($(#[cfg($when)])? Self::$name,)*];

            /// What it says of itself.
            pub fn manners(self) -> &'static Manners {
                match self {
                    $($(#[cfg($when)])? Self::$name => &<$speaks as Speaks>::MANNERS,)*
                }
            }

            /// What a client means by a message.
            pub fn hear(self, payload: Payload<'_>) -> Said<'_> {
                match self {
                    $($(#[cfg($when)])? Self::$name => <$speaks>::hear(payload),)*
                }
            }

            /// What a request asks.
            ///
            /// # Errors
            ///
            /// Why it cannot be read.
            pub fn read(self, text: &str) -> Result<Request<'_>, Refused<'_>> {
                match self {
                    $($(#[cfg($when)])? Self::$name => <$speaks>::read(text),)*
                }
            }

            /// Appends the text in which a client is told something; nothing where there are no words for it.
            #[inline]
            pub fn write(self, told: &Told<'_>, out: &mut Vec<u8>) {
                match self {
                    $($(#[cfg($when)])? Self::$name => <$speaks>::write(told, out),)*
                }
            }

            /// The same as a whole frame; no bytes where there are no words.
            pub fn frame(self, told: &Told<'_>) -> Bytes {
                match self {
                    $($(#[cfg($when)])? Self::$name => <$speaks>::frame(told),)*
                }
            }
        }
    };
}

dialects! {
    Native, native::Native, "JSON requests and events.";
    Raw, raw::Raw, "Whatever the room's members say to each other.";
    Echo, echo::Echo, "Each message comes back.";
    #[cfg(test)] Lines, lines::Lines, "Lines of words, for the tests.";
}

impl Dialect {
    /// What streams speak, and the calls that bring requests for them.
    pub const OF_STREAMS: Self = Self::Native;

    /// The dialect whose WebSockets are opened at a path that begins with `segment`.
    pub fn at(segment: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|dialect| dialect.manners().path == segment)
    }

    /// The wire of its texts.
    pub fn over(self, transport: Transport) -> Wire {
        Wire { dialect: self as u8, transport }
    }

    /// The dialect that is read on `wire`.
    pub fn on(wire: Wire) -> Self {
        Self::ALL.get(usize::from(wire.dialect)).copied().unwrap_or(Self::OF_STREAMS)
    }

    /// The text in which a client is told something.
    pub fn text(self, told: &Told<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(told, &mut text);
        text
    }

    /// Appends what a client of its own is told, as it travels to it; nothing where there are no words for it.
    #[inline]
    pub fn tell(self, told: &Told<'_>, transport: Transport, out: &mut Vec<u8>) {
        match transport {
            Transport::Frames => framed(out, |out| self.write(told, out)),
            Transport::Events | Transport::Parts => match self.text(told) {
                text if text.is_empty() => {}
                text => sse::event(told.name(), &text, out),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_has_its_path_and_its_number() {
        for dialect in Dialect::ALL.iter().copied() {
            assert_eq!(Dialect::at(dialect.manners().path), Some(dialect));
            assert_eq!(Dialect::on(dialect.over(Transport::Parts)), dialect);
        }
        assert_eq!(Dialect::at("sse"), None);
    }

    #[test]
    fn a_dialect_travels_by_every_transport() {
        let told = Told::Pong { id: Some("7"), wall_ms: 0 };
        let by = |transport| {
            let mut out = Vec::new();
            Dialect::Lines.tell(&told, transport, &mut out);
            out
        };
        assert_eq!(by(Transport::Frames), b"\x81\x07pong #7");
        assert_eq!(by(Transport::Events), b"event: pong\ndata: pong #7\n\n");
    }

    #[test]
    fn what_has_no_words_is_not_sent() {
        let told = Told::Pong { id: None, wall_ms: 0 };
        let mut out = Vec::new();
        for transport in [Transport::Frames, Transport::Events, Transport::Parts] {
            Dialect::Raw.tell(&told, transport, &mut out);
        }
        assert!(out.is_empty() && Dialect::Raw.frame(&told).is_empty());
    }
}
