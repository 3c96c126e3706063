//! A client's breach of RFC 6455, as the close that answers it.

use std::fmt;

/// A breach of the protocol: the close frame to send before the connection is failed (RFC 6455 section
/// 7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The close code: 1002, 1007, 1008 or 1009 (RFC 6455 section 7.4.1).
    pub code: u16,
    /// The close reason: ASCII, well below the 123 bytes that fit.
    pub reason: &'static str,
}

impl Violation {
    pub(super) const RESERVED_BIT: Self = Self::protocol("reserved bit set");
    pub(super) const RESERVED_OPCODE: Self = Self::protocol("reserved opcode");
    pub(super) const UNMASKED: Self = Self::protocol("frame not masked");
    pub(super) const LENGTH_NOT_MINIMAL: Self = Self::protocol("length not minimal");
    pub(super) const LENGTH_TOP_BIT: Self = Self::protocol("length out of range");
    pub(super) const CONTROL_FRAGMENTED: Self = Self::protocol("control frame fragmented");
    pub(super) const CONTROL_TOO_LONG: Self = Self::protocol("control frame too long");
    pub(super) const NOTHING_TO_CONTINUE: Self = Self::protocol("nothing to continue");
    pub(super) const MESSAGE_UNFINISHED: Self = Self::protocol("message not finished");
    pub(super) const BAD_CLOSE: Self = Self::protocol("close of one byte");
    pub(super) const BAD_CLOSE_CODE: Self = Self::protocol("close code not allowed");
    pub(super) const NOT_UTF8: Self = Self { code: 1007, reason: "not UTF-8" };
    pub(super) const EMPTY_FRAGMENTS: Self = Self { code: 1008, reason: "too many empty fragments" };
    pub(super) const TOO_BIG: Self = Self { code: 1009, reason: "message too big" };

    const fn protocol(reason: &'static str) -> Self {
        Self { code: 1002, reason }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.code)
    }
}

impl std::error::Error for Violation {}
