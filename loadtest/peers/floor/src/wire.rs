//! Just enough of HTTP and WebSocket to be spoken to: the upgrade, and where a frame ends.

use peer_route::Route;
use tungstenite::handshake::derive_accept_key;

/// Where the request head ends, once it is all there.
pub(crate) fn head_end(input: &[u8]) -> Option<usize> {
    input.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}

/// The route that a request head asks for and the 101 that answers it. `None` closes the connection.
pub(crate) fn accept(head: &[u8]) -> Option<(Route, Vec<u8>)> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut request = httparse::Request::new(&mut headers);
    request.parse(head).ok()?;
    let route = Route::parse(request.path?)?;
    let key =
        request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("Sec-WebSocket-Key"))?.value;
    let accept = derive_accept_key(key);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    Some((route, answer.into_bytes()))
}

/// The first whole frame of `input`: how many bytes it takes, and the unmasked frame that repeats it; `None` in
/// its place for a close frame. Nothing at all while the frame is not whole.
pub(crate) fn answer(input: &[u8]) -> Option<(usize, Option<Vec<u8>>)> {
    let (&first, rest) = input.split_first()?;
    let (&second, rest) = rest.split_first()?;
    let (length, rest) = match second & 0x7f {
        126 => {
            rest.split_first_chunk().map(|(bytes, rest)| (usize::from(u16::from_be_bytes(*bytes)), rest))?
        }
        127 => rest.split_first_chunk().map(|(bytes, rest)| (u64::from_be_bytes(*bytes) as usize, rest))?,
        short => (usize::from(short), rest),
    };
    let (mask, rest) = rest.split_first_chunk::<4>()?;
    let payload = rest.get(..length)?;
    let used = input.len() - rest.len() + length;
    if first & 0x0f == 8 {
        return Some((used, None));
    }
    let mut frame = Vec::with_capacity(10 + length);
    frame.push(first);
    match length {
        0..126 => frame.push(length as u8),
        126..0x1_0000 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
    Some((used, Some(frame)))
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn a_masked_frame_comes_back_unmasked_once_it_is_whole() {
        // RFC 6455 section 5.7: a masked text frame with "Hello".
        let frame = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        for end in 0..frame.len() {
            assert_eq!(answer(&frame[..end]), None);
        }
        assert_eq!(answer(&frame), Some((11, Some(b"\x81\x05Hello".to_vec()))));
    }

    #[test]
    fn a_close_frame_ends_it() {
        assert_eq!(answer(&[0x88, 0x80, 0, 0, 0, 0]), Some((6, None)));
    }

    #[test]
    fn middle_lengths() {
        let mut frame = vec![0x82, 0xfe, 0x01, 0x00, 0, 0, 0, 0];
        frame.extend([7; 256]);
        let (used, answered) = answer(&frame).expect("a whole frame");
        assert_eq!(used, frame.len());
        assert_eq!(answered.map(|answered| answered[..5].to_vec()), Some(vec![0x82, 126, 1, 0, 7]));
    }
}
