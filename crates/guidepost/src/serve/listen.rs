//! Connections: how many, how long either side may take, and how they end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

/// Connections at once, well below the files that a process may usually have open; the next waits until one ends.
const CONNECTIONS: usize = 512;

/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a client may leave what it was sent unread, once it fills all buffers on the way.
const UNREAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes that the head of a request may have, and headers in it.
const HEAD_BYTES: usize = 64 * 1024;
const HEADERS: usize = 100;

/// How long requests may go on once the server is asked to end.
const ENDING: Duration = Duration::from_secs(10);

/// Requests that end by themselves within this are not worth a word.
const SHORTLY: Duration = Duration::from_millis(500);

/// After an error of accepting, which mostly says that there are too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until `stopped`; then those that are answered come to their end.
/// `ending` is called where some are not at their end at once.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stopped: impl Future<Output = ()>,
    ending: impl FnOnce(),
) {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS);
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut stopped = pin!(stopped);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stopped => break,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        // Answers are written whole; waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(UNREAD_TIMEOUT));
        let connection = server.serve_connection(TokioIo::new(Box::pin(stream)), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that breaks off is its own affair.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    let mut ended = pin!(graceful.shutdown());
    if tokio::time::timeout(SHORTLY, &mut ended).await.is_err() {
        ending();
        let _ = tokio::time::timeout(ENDING, ended).await;
    }
}
