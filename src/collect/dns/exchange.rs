//! One question to one server: UDP, and TCP where the answer does not fit (RFC 7766 §5).

use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use hickory_proto::op::{DnsRequest, DnsResponse, ResponseCode};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::tcp::TcpClientStream;
use hickory_resolver::net::udp::UdpClientStream;
use hickory_resolver::net::xfer::{DnsHandle, DnsRequestSender, FirstAnswer};
use hickory_resolver::net::{DnsError, NetError};

/// Packets sent in one attempt, a third of a second apart, until one is answered.
const PACKETS: u8 = 3;

/// Sends requests to one server and gives back what came, unread but for its response code.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    address: SocketAddr,
    attempt: Duration,
}

impl Exchange {
    pub(super) fn new(address: SocketAddr, attempt: Duration) -> Self {
        Self { address, attempt }
    }

    async fn ask(self, request: DnsRequest) -> Result<DnsResponse, NetError> {
        let provider = TokioRuntimeProvider::default();
        let mut udp = UdpClientStream::builder(self.address, provider.clone())
            .with_timeout(Some(self.attempt))
            .with_max_retries(PACKETS)
            .build();
        let mut response = first(udp.send_message(request.clone())).await?;
        if response.metadata.truncation {
            let tcp = TcpClientStream::exchange(self.address, None, self.attempt, None, provider).await?;
            response = first(tcp.send(request)).await?;
        }
        match response.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(response),
            code => Err(DnsError::ResponseCode(code).into()),
        }
    }
}

/// A stream that ends without an answer ran out of time.
async fn first(answers: impl Stream<Item = Result<DnsResponse, NetError>> + Unpin) -> Result<DnsResponse, NetError> {
    answers.first_answer().await
}

impl DnsHandle for Exchange {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        Box::pin(stream::once(self.clone().ask(request)))
    }
}
