//! Signals. SIGHUP reloads keys and logs what else has changed. SIGTERM and SIGINT stop the server: the first drains it, the
//! second stops it at once.

use std::io;
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use switchboard::Handle;

use super::reload::Reload;

/// Handles signals from now on, on a thread that lives as long as the process. A drain takes `drain` at most.
///
/// # Errors
///
/// If the system refuses a handler or the thread.
pub(crate) fn listen(handle: Handle, drain: Duration, reload: Reload) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let mut draining = false;
        for signal in signals.forever() {
            match signal {
                SIGHUP => reload.run(&handle),
                _ if draining => {
                    tracing::warn!(signal = name(signal), "stopping at once");
                    handle.stop_now();
                }
                _ => {
                    let connections = handle.connections();
                    tracing::info!(
                        signal = name(signal),
                        connections,
                        "draining; a second signal stops the server at once"
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
