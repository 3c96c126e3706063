//! The masking of client frames (RFC 6455 section 5.3).

/// Bytes that one step of the loop takes: whole vector registers, so that the compiler uses them.
const STRIDE: usize = 32;

/// Unmasks `payload` in place with `key`; masking is the same operation.
///
/// `offset` is the place of `payload[0]` in its frame's payload, so that a frame can be unmasked as it
/// arrives.
#[inline]
pub fn unmask(payload: &mut [u8], mut key: [u8; 4], offset: usize) {
    key.rotate_left(offset % 4);
    let keys = [key; STRIDE / 4];
    let (strides, rest) = payload.as_chunks_mut::<STRIDE>();
    for stride in strides {
        xor(stride, keys.as_flattened());
    }
    xor(rest, keys.as_flattened());
}

fn xor(bytes: &mut [u8], keys: &[u8]) {
    for (byte, key) in bytes.iter_mut().zip(keys) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 section 5.7: "Hello" as a masked text frame.
    #[test]
    fn unmasks_the_example_of_the_rfc() {
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        unmask(&mut payload, [0x37, 0xfa, 0x21, 0x3d], 0);
        assert_eq!(&payload, b"Hello");
    }

    /// RFC 6455 section 5.3: octet i is XORed with octet i modulo 4 of the key.
    #[test]
    fn agrees_with_the_definition_at_every_length_and_offset() {
        let key = [1, 2, 4, 8];
        for len in 0..100 {
            for offset in 0..8 {
                let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
                let expected: Vec<u8> = (0..len).map(|i| plain[i] ^ key[(offset + i) % 4]).collect();
                let mut payload = plain;
                unmask(&mut payload, key, offset);
                assert_eq!(payload, expected, "{len} bytes at {offset}");
            }
        }
    }
}
