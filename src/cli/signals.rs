//! Signals that end the server: the first lets it drain, the second does not.

use std::io;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use switchboard::Handle;

/// Obeys signals from now on, on a thread of its own that lives as long as the process.
///
/// # Errors
///
/// When the system refuses a handler or the thread.
pub(crate) fn listen(handle: Handle) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut arriving = signals.forever();
        if let Some(signal) = arriving.next() {
            tracing::info!(signal = name(signal), "draining; a second signal ends at once");
            handle.shutdown();
        }
        for signal in arriving {
            tracing::warn!(signal = name(signal), "ending at once");
            handle.stop_now();
        }
    })?;
    Ok(())
}

fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("signal")
}
