//! Listening on loopback: one place, with a cap on open connections and an end to each.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::LabError;

/// The lab is never reachable from another machine.
pub(super) const LOOPBACK: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Connections open at once on one port.
const OPEN: usize = 64;
/// One connection, from accept to close.
const CONNECTION: Duration = Duration::from_secs(60);

/// Listens on a port of the kernel's choice and gives each connection to `talk`. The listener
/// and its connections end with `tasks`.
pub(super) async fn listen<T, F>(tasks: &mut JoinSet<()>, talk: T) -> Result<SocketAddr, LabError>
where
    T: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    #[expect(clippy::disallowed_methods, reason = "the lab is the room that listens")]
    let listener = TcpListener::bind((LOOPBACK, 0)).await.map_err(LabError::Listen)?;
    let address = listener.local_addr().map_err(LabError::Listen)?;
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        loop {
            while open.len() >= OPEN {
                open.join_next().await;
            }
            while open.try_join_next().is_some() {}
            if let Ok((stream, _)) = listener.accept().await {
                let conversation = talk(stream);
                open.spawn(async move {
                    // A client that says nothing is dropped; the lab owes nobody an answer.
                    let _ = timeout(CONNECTION, conversation).await;
                });
            }
        }
    });
    Ok(address)
}
