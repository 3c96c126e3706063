//! Signals: SIGHUP has keys read again, and tells what else has changed; others end the server, the first lets it drain, the second does not.

use std::io;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use switchboard::Handle;

use super::reload::Reload;

/// Obeys signals from now on, draining for `drain`, on a thread of its own that lives as long as the process.
///
/// # Errors
///
/// When the system refuses a handler or the thread.
pub(crate) fn listen(handle: Handle, drain: Duration, reload: Reload) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut draining = false;
        for signal in signals.forever() {
            match signal {
                SIGHUP => reload.run(&handle),
                _ if draining => {
                    tracing::warn!(signal = name(signal), "ending at once");
                    handle.stop_now();
                }
                _ => {
                    let connections = handle.connections();
                    tracing::info!(
                        signal = name(signal),
                        connections,
                        "draining; a second signal ends at once"
                    );
                    handle.shutdown(drain);
                    draining = true;
                }
            }
        }
    })?;
    Ok(())
}

fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("signal")
}
