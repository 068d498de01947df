//! A web server for the MTA-STS policy and the portal: GET of a known path, and nothing else.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::tls::Tls;

/// The longest request head.
const HEAD_BYTES: usize = 8192;

/// A web service at one port.
#[derive(Clone, Debug)]
pub struct WebService {
    pub tls: Tls,
    /// By path.
    pub pages: BTreeMap<String, Page>,
}

/// What is found at a path.
#[derive(Clone, Debug)]
pub struct Page {
    pub content_type: &'static str,
    pub body: String,
}

impl WebService {
    /// Answers one request.
    pub(super) async fn talk(&self, stream: TcpStream) {
        let Some(mut stream) = self.tls.accept(stream).await else { return };
        let mut head = Vec::new();
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            let mut bytes = [0; 1024];
            match stream.read(&mut bytes).await {
                Ok(count @ 1..) if head.len() < HEAD_BYTES => head.extend_from_slice(&bytes[..count]),
                Ok(_) | Err(_) => return,
            }
        }
        let reply = self.answer(&String::from_utf8_lossy(&head));
        let _ = stream.write_all(reply.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    fn answer(&self, head: &str) -> String {
        let mut words = head.split_ascii_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (status, content_type, body) = match (method, self.pages.get(path)) {
            ("GET" | "HEAD", Some(page)) => ("200 OK", page.content_type, page.body.as_str()),
            ("GET" | "HEAD", None) => ("404 Not Found", "text/plain", "no such page\n"),
            _ => ("405 Method Not Allowed", "text/plain", "only GET\n"),
        };
        let length = body.len();
        let body = if method == "HEAD" { "" } else { body };
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\
             Strict-Transport-Security: max-age=31536000\r\nConnection: close\r\n\r\n{body}"
        )
    }
}
