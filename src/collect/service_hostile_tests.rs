//! Servers that are odd, broken or hostile: each look ends in time, says what is known and claims
//! nothing more.

use super::*;

/// TLS behind a test of the first record: `accepts` says whether the hello is answered at all.
async fn serve_choosy(accepts: fn(&[u8]) -> bool) -> SocketAddr {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    serve(move |stream: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            let mut seen = vec![0; 4096];
            loop {
                let count = stream.peek(&mut seen).await.unwrap_or(0);
                if count == 0 {
                    return;
                }
                let whole = count >= 5 && count >= 5 + usize::from(u16::from_be_bytes([seen[3], seen[4]]));
                if whole || seen[0] != 22 {
                    seen.truncate(count);
                    break;
                }
                tokio::task::yield_now().await;
            }
            if accepts(&seen)
                && let Ok(mut tls) = acceptor.accept(stream).await
            {
                let _ = tls.read(&mut [0; 64]).await;
            }
        }
    })
    .await
}

/// The rustls server of these tests, seen whole.
fn is_whole(view: &EndpointView) {
    assert_eq!(view.state, "tls");
    assert_eq!((view.versions["TLSv1.3"], view.versions["TLSv1.2"]), ("accepted", "accepted"));
    assert_eq!((view.suites["TLSv1.3"].len(), view.suites["TLSv1.2"].len()), (3, 3), "{:?}", view.suites);
    assert!(view.exhaustive["TLSv1.3"] && view.exhaustive["TLSv1.2"]);
}

#[tokio::test]
async fn a_server_that_closes_on_large_hellos_is_asked_in_small_ones() {
    let view = look(serve_choosy(|hello| hello.len() < 280).await, 993, Mode::Full).await;
    assert_eq!((view.suites["TLSv1.3"].len(), view.suites["TLSv1.2"].len()), (3, 3), "{:?}", view.suites);
}

#[tokio::test]
async fn a_server_that_cannot_bear_a_version_leaves_that_version_unknown() {
    // The extension supported_versions, of our own hello and of the whole handshake's.
    let bears = |hello: &[u8]| !hello.windows(4).any(|bytes| matches!(bytes, [0, 43, 0, 3 | 5]));
    let address = serve_choosy(bears).await;
    let view = look(address, 993, Mode::Full).await;
    assert_eq!((view.versions["TLSv1.3"], view.versions["TLSv1.2"]), ("unknown", "accepted"));
    assert_eq!(view.suites["TLSv1.2"].len(), 3);
}

#[tokio::test]
async fn one_connection_at_a_time_is_enough_even_when_more_are_opened_ahead() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    for port in [587, 993] {
        let (listener, address) = listen().await;
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                if port == 587 {
                    let _ = stream.write_all(b"220 mx ESMTP\r\n").await;
                    let mut line = String::new();
                    let _ = stream.read_line(&mut line).await;
                    let _ = stream.write_all(EHLO.as_bytes()).await;
                    line.clear();
                    let _ = stream.read_line(&mut line).await;
                    if !line.starts_with("STARTTLS") {
                        continue;
                    }
                    let _ = stream.write_all(b"220 go\r\n").await;
                }
                if let Ok(mut tls) = acceptor.accept(stream).await {
                    let _ = tls.read(&mut [0; 64]).await;
                }
            }
        });
        let options = NetworkOptions { connection_deadline: Duration::from_secs(5), ..options(port, address) };
        is_whole(&look_with(options, port, Mode::Full, false).await);
    }
}

#[tokio::test]
async fn connections_opened_ahead_leave_politely_and_are_few() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let quits = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&quits);
    let address = serve_smtp(EHLO, "220 go ahead\r\n", move |mut stream: BufReader<TcpStream>| {
        let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
        async move {
            // In clear behind STARTTLS there is either a hello or a goodbye.
            if stream.fill_buf().await.is_ok_and(|bytes| bytes.starts_with(b"QUIT")) {
                counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                return;
            }
            if let Ok(mut tls) = acceptor.accept(stream).await {
                let _ = tls.read(&mut [0; 64]).await;
            }
        }
    })
    .await;
    let four = NetworkOptions { max_connections: Some(4), ..options(587, address) };
    let view = look_with(four, 587, Mode::Full, false).await;
    is_whole(&view);
    let one_by_one = NetworkOptions { max_connections: Some(1), ..options(587, address) };
    let alone = look_with(one_by_one, 587, Mode::Full, false).await;
    assert!(view.connections <= alone.connections + 4, "{} and {}", view.connections, alone.connections);
    assert!(quits.load(std::sync::atomic::Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn a_late_banner_is_waited_for_once() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let address = serve(move |mut stream: TcpStream| {
        let acceptor = acceptor.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let mut piece = [0; 512];
            let _ = stream.write_all(b"220 mx ESMTP\r\n").await;
            let _ = stream.read(&mut piece).await;
            let _ = stream.write_all(EHLO.as_bytes()).await;
            let _ = stream.read(&mut piece).await;
            let _ = stream.write_all(b"220 go\r\n").await;
            if let Ok(mut tls) = acceptor.accept(stream).await {
                let _ = tls.read(&mut piece).await;
            }
        }
    })
    .await;
    let options = NetworkOptions { connection_deadline: Duration::from_millis(250), ..options(25, address) };
    let view = look_with(options, 25, Mode::Verdict, false).await;
    assert_eq!((view.state.as_str(), view.versions["TLSv1.2"]), ("tls", "accepted"));
}

#[tokio::test]
async fn a_flight_in_segments_of_one_byte_is_the_same_flight() {
    let (acceptor, _) = acceptor(rustls::ALL_VERSIONS);
    let inner = serve_tls(acceptor).await;
    let address = serve(move |mut client: TcpStream| async move {
        #[expect(clippy::disallowed_methods, reason = "a test's relay on loopback")]
        let Ok(mut server) = TcpStream::connect(inner).await else { return };
        let _ = client.set_nodelay(true);
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let back = async {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = from_server.read(&mut piece).await {
                for byte in &piece[..count] {
                    if to_client.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                }
            }
            let _ = to_client.shutdown().await;
        };
        tokio::join!(back, async {
            let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            let _ = to_server.shutdown().await;
        });
    })
    .await;
    let options = NetworkOptions { connection_deadline: Duration::from_secs(5), ..options(993, address) };
    is_whole(&look_with(options, 993, Mode::Full, false).await);
}

#[tokio::test]
async fn floods_end_at_a_limit_and_settle_nothing() {
    type Handle = fn(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let large_ehlo: Handle = |mut stream| {
        Box::pin(async move {
            let _ = stream.write_all(b"220 mx ESMTP\r\n").await;
            let _ = stream.read(&mut [0; 512]).await;
            let _ = stream.write_all(&b"250-X-PADDING-PADDING-PADDING-PADDING\r\n".repeat(55_000)).await;
            let _ = stream.write_all(b"250 STARTTLS\r\n").await;
            let _ = stream.read(&mut [0; 512]).await;
        })
    };
    let random: Handle = |mut stream| {
        Box::pin(async move {
            let mut state = 0x2545_f491_4f6c_dd1d_u64;
            loop {
                let mut bytes = Vec::with_capacity(4096);
                for _ in 0..512 {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    bytes.extend(state.to_be_bytes());
                }
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        })
    };
    let alerts: Handle = |mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            while stream.write_all(&[21, 3, 3, 0, 2, 1, 112].repeat(500)).await.is_ok() {}
        })
    };
    let huge_handshake: Handle = |mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
            let record = [&[22, 3, 3, 0x40, 0][..], &[0; 16 * 1024]].concat();
            let _ = stream.write_all(&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]).await;
            while stream.write_all(&record).await.is_ok() {}
        })
    };
    let closes_after_the_hello: Handle = |mut stream| {
        Box::pin(async move {
            let _ = stream.read(&mut [0; 4096]).await;
        })
    };
    for (name, handle, port, states) in [
        ("2 MB of EHLO", large_ehlo, 25, &["limit"][..]),
        ("random bytes", random, 25, &["not-tls"]),
        ("random bytes", random, 993, &["not-tls"]),
        ("alerts without end", alerts, 993, &["no-tls"]),
        ("a handshake of 16 MB", huge_handshake, 993, &["not-tls"]),
        ("closes after the hello", closes_after_the_hello, 993, &["no-tls"]),
    ] {
        let address = serve(handle).await;
        let options = NetworkOptions {
            connection_deadline: Duration::from_secs(2),
            endpoint_deadline: Duration::from_secs(8),
            ..options(port, address)
        };
        let looked = tokio::time::timeout(Duration::from_secs(60), look_with(options, port, Mode::Full, false)).await;
        let view = looked.unwrap_or_else(|_| panic!("{name} on {port} hangs"));
        assert!(states.contains(&view.state.as_str()), "{name} on {port}: {}", view.state);
        assert!(view.versions.values().all(|&word| word != "accepted"), "{name} on {port}");
        assert!(view.suites.is_empty() && view.certificates.is_empty(), "{name} on {port}");
    }
}
