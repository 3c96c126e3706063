//! The `switchboard` program: reads the configuration, starts the server and waits for a signal.

mod cli;

use std::process::ExitCode;

use cli::banner::{self, Banner};
use cli::logging::Logging;
use cli::reload::Reload;
use cli::{Command, Invocation, console, descriptors, signals, token};
use switchboard::program::config::{self, Config, Input, credentials, memory};
use switchboard::{Server, StartError};

/// The exit status when the server failed.
const FAILED: ExitCode = ExitCode::FAILURE;

fn main() -> ExitCode {
    let result = match cli::parse(std::env::args_os()) {
        Ok(Invocation { command: None, input }) => serve(&input),
        Ok(Invocation { command: Some(Command::Check), input }) => check(&input),
        Ok(Invocation { command: Some(Command::Token(wish)), input }) => print_token(&wish, &input),
        Ok(Invocation { command: Some(Command::Key), .. }) => print_key(),
        Err(end) => Err(end),
    };
    result.map_or_else(|end| end, |()| ExitCode::SUCCESS)
}

/// `switchboard check`: prints every error, or that there is none.
fn check(input: &Input) -> Result<(), ExitCode> {
    let config = config::read(input).map_err(console::refuse)?;
    credentials::warnings(&config.settings).iter().for_each(console::warn);
    console::say(&cli::summary(input, &config));
    Ok(())
}

/// `switchboard token`: prints a token.
fn print_token(wish: &token::Wish, input: &Input) -> Result<(), ExitCode> {
    let config = config::read(input).map_err(console::refuse)?;
    credentials::warnings(&config.settings).iter().for_each(console::warn);
    console::say(&token::token(wish, &config.settings).map_err(console::refuse_named)?);
    Ok(())
}

/// `switchboard key`: prints a new key.
fn print_key() -> Result<(), ExitCode> {
    console::say(&token::key().map_err(console::refuse_named)?);
    Ok(())
}

/// `switchboard`: serves until a signal.
fn serve(input: &Input) -> Result<(), ExitCode> {
    let Config { mut settings, log } = config::read(input).map_err(console::refuse)?;
    let logging = Logging::start(log).map_err(no_room)?;
    descriptors::raise(settings.limits.connections);
    if memory::available().is_some_and(|bytes| memory::fit(&mut settings.limits, bytes)) {
        let limits = &settings.limits;
        tracing::info!(
            limits.queue_total,
            limits.history_total,
            limits.rooms_total,
            limits.keys_total,
            "limits lowered to fit the memory of this machine"
        );
    }
    credentials::warnings(&settings).iter().for_each(|warning| tracing::warn!("{warning}"));
    let (access, drain) = (banner::Access::of(&settings), settings.drain);
    let reload = Reload::new(input, credentials::files(&settings));
    let server = Server::new(settings).map_err(console::refuse_named)?;
    signals::listen(server.handle(), drain, reload).map_err(no_room)?;
    logging.announce(&Banner::new(server.local_addrs(), access));
    let ended = server.run();
    match &ended {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => tracing::error!(%error, "the server failed"),
    }
    logging.close();
    ended.map_err(|_| FAILED)
}

/// The system refused a basic resource, nearly always because there are too few descriptors.
fn no_room(error: std::io::Error) -> ExitCode {
    console::refuse_named(StartError::System(error))
}
