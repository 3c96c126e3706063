//! A poll: an ordinary HTTP program, with the relay running inside it.
//!
//! The program counts votes and says the result in the room `poll`; every page that is open shows it at once.
//! `PORT` and `RELAY_PORT` say where it listens.

mod poll;

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::thread;

use poll::Poll;
use serde_json::value::to_raw_value;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use switchboard::Handle;
use switchboard::settings::{RoomRule, RoomSettings, Settings};
use tiny_http::{Header, Method, Request, Response};

fn main() -> Result<(), Box<dyn Error>> {
    let relay = switchboard::Server::new(settings()?)?; // has its port from here on
    let handle = relay.handle(); // publishes from any thread, without ever waiting
    let address = format!("http://{}", relay.local_addrs()[0]);
    let running = thread::spawn(move || relay.run());

    let app = tiny_http::Server::http(("127.0.0.1", port("PORT", 8080)?))
        .map_err(|error| error as Box<dyn Error>)?;
    println!("The poll is at http://localhost:{}", app.server_addr().to_ip().ok_or("no address")?.port());
    println!("The relay is at {address}");
    let app = Arc::new(app);
    stop_on_signal(app.clone())?;

    let mut poll = Poll::new(
        "Where shall the team meet in May?",
        &[
            "Lisbon, by the river",
            "Ghent, everywhere by bike",
            "Trieste, with the wind",
            "At home, on camera",
        ],
    );
    tell(&handle, &poll)?;
    for request in app.incoming_requests() {
        answer(request, &mut poll, &handle, &address)?;
    }

    handle.shutdown(); // everybody is told when to come back, within `drain`
    running.join().map_err(|_| "the relay panicked")??;
    Ok(())
}

/// The relay's settings, as a program writes them: those of the file, under the same names.
fn settings() -> Result<Settings, Box<dyn Error>> {
    let result = RoomSettings { history: 1, client_publish: false, ..RoomSettings::default() };
    Ok(Settings {
        listen: vec![([127, 0, 0, 1], port("RELAY_PORT", 8000)?).into()],
        drain: std::time::Duration::from_secs(1),
        rooms: vec![RoomRule { pattern: "poll".into(), room: result }],
        ..Settings::default()
    })
}

fn port(variable: &str, default: u16) -> Result<u16, Box<dyn Error>> {
    env::var(variable).map_or(Ok(default), |port| Ok(port.parse()?))
}

/// Says the result to everybody who looks, and to whoever comes next.
fn tell(handle: &Handle, poll: &Poll) -> Result<(), Box<dyn Error>> {
    Ok(handle.publish("poll", &to_raw_value(poll)?)?)
}

/// Answers a request of the app's own: its page, or `POST /votes/2`.
fn answer(request: Request, poll: &mut Poll, handle: &Handle, relay: &str) -> Result<(), Box<dyn Error>> {
    let vote = request.url().strip_prefix("/votes/").and_then(|number| number.parse().ok());
    let sent = match (request.method(), request.url(), vote) {
        (Method::Post, _, Some(number)) if poll.vote(number) => {
            tell(handle, poll)?;
            request.respond(Response::empty(204))
        }
        (Method::Get, "/", _) => {
            let page = include_str!("page.html").replace("http://127.0.0.1:8000", relay);
            let html = Header::from_bytes("Content-Type", "text/html; charset=utf-8")
                .map_err(|()| "a bad header")?;
            request.respond(Response::from_string(page).with_header(html))
        }
        _ => request.respond(Response::empty(404)),
    };
    if let Err(error) = sent {
        eprintln!("a browser did not wait for its answer: {error}");
    }
    Ok(())
}

/// Ends the loop over requests at Ctrl-C or SIGTERM.
fn stop_on_signal(app: Arc<tiny_http::Server>) -> Result<(), Box<dyn Error>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || signals.forever().next().map(|_| app.unblock()));
    Ok(())
}
