//! `receive`: runs the receiving lab and says what came.

use std::sync::Arc;

use super::args::{Format, ReceiveArgs};
use super::{Failure, Voice, say, say_json};
use crate::clock::{Clock, SystemClock, date_of};
use crate::receive::{self, Setup};
use crate::report::receive as view;
use crate::verdict::Ending;

/// Random bytes of a token: nobody finds the recipient by trying.
const TOKEN_BYTES: usize = 8;

pub(super) fn run(args: ReceiveArgs, voice: &Voice) -> Result<Ending, Failure> {
    let token = match args.token {
        Some(token) => token,
        None => random_token()?,
    };
    let clock = SystemClock;
    let setup = Setup::read(&args.setup, token, date_of(clock.now())).map_err(Failure::usage)?;
    let to_publish = setup.to_publish();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    let ready = |servers: &[receive::Seen]| {
        voice.remark("These names must be published for the lab to be found:");
        for line in &to_publish {
            voice.remark(&format!("  {line}"));
        }
        voice.remark("Send one message each, without patient information, to:");
        for server in servers {
            voice.remark(&format!("  {}    {}", server.recipient, server.behaves.in_words()));
        }
        voice.remark("Waiting for messages; Ctrl-C ends the wait and says what came.");
    };
    let stopped = async {
        // Without a handler the wait still ends by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let seen = runtime
        .block_on(receive::run(setup, args.wait, Arc::new(clock), ready, stopped))
        .map_err(anyhow::Error::from)?;
    let conclusion = receive::conclude(&seen);
    let result = view::received(&seen, &conclusion);
    match args.format {
        Format::Json => say_json(&result),
        Format::Text => say(&view::text(&result)),
    }
    Ok(Ending::Clean)
}

fn random_token() -> Result<String, Failure> {
    let mut bytes = [0; TOKEN_BYTES];
    rustls::crypto::aws_lc_rs::default_provider()
        .secure_random
        .fill(&mut bytes)
        .map_err(|_| anyhow::anyhow!("this machine gives no random numbers"))?;
    Ok(crate::evidence::hex(&bytes))
}
