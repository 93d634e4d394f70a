//! `guidepost serve`: model and index kept warm, for a page, for programs and for agents. The only part that is
//! asynchronous: requests wait here, and work is done on threads by what the command line uses, too.
//!
//! ```text
//! connection --listen--> guard --> route --> places --> Library, on a thread --> Batcher, the model's thread
//! ```
//!
//! Once it serves, nothing here writes to the index. A generation that somebody else writes is taken up while requests go on.

mod failure;
mod metrics;

mod batching;
mod library;
mod map;
mod parameters;

mod answering;
mod places;
mod writing;

mod extract;
mod guard;

mod docs;
mod embedding;
mod http;
mod page;

mod listen;
mod mcp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aide::axum::ApiRouter;
use anyhow::{Context, bail};
use axum::body::HttpBody;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use guidepost_index::Snapshot;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal;
use tokio::sync::Semaphore;

use crate::cli::{LlmArgs, McpArgs, ServeArgs, ServedArgs};
use crate::console::Console;
use crate::engine::{self, Engine};
use crate::llm;
use crate::reranker;
use crate::settings::{ResultSettings, UserSettings, folders_of};

use batching::Batcher;
use failure::{Failure, Kind};
use guard::Guard;
use http::App;
pub(crate) use http::Limits;
use library::{Library, Seen, Served, Shelf, Writer};
use metrics::Metrics;
use places::{Places, THREADS};

/// Serves until Ctrl-C.
pub(crate) fn run(args: &ServeArgs, console: &Console) -> anyhow::Result<()> {
    if !args.host.is_loopback() && args.api_key.is_none() {
        bail!(
            "{} can be reached from other machines: give a key with --api-key, or GUIDEPOST_API_KEY",
            args.host
        );
    }
    if args.api_key.as_ref().is_some_and(|key| key.is_empty() || key.trim() != key) {
        bail!("the key is empty, or begins or ends with white space, which no request can send");
    }
    let is_name = |host: &String| host.parse::<Authority>().is_ok_and(|name| name.host() == host);
    if let Some(wrong) = args.allowed_host.iter().find(|host| !is_name(host)) {
        bail!("`{wrong}` is no name of a host; give it without a scheme and a port, like `guides.example`");
    }
    let writing = Writing { llm: Some(&args.llm), timeout: args.timeout() };
    let Ready { app, seen, metrics } = ready(&args.served, args.limits(), writing, console)?;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let address = SocketAddr::new(args.host, args.port);
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("cannot listen on {address}"))?;
        let address = listener.local_addr()?;
        let guard = Guard::new(address, &args.allowed_host, args.api_key.as_deref());
        let (agents, end_sessions) = agents(&app);
        let router = router(
            app.clone(),
            agents,
            Arc::clone(&metrics),
            Arc::new(guard),
            args.payload_limit.as_u64() as usize,
        );
        let asked_to_end = stopped()?;
        console.note(&format!("serving on http://{address} until Ctrl-C"));
        tokio::spawn(follow(Arc::clone(&app.library), seen));
        let stopped = async {
            asked_to_end.await;
            end_sessions();
        };
        let ending = || console.note("ending: what is asked already is answered, for 10 seconds at most");
        listen::serve(listener, router, stopped, ending).await;
        console.note("stopped");
        Ok(())
    });
    // Work that goes on for nobody shall not keep the program.
    runtime.shutdown_background();
    served
}

/// Speaks the agents' protocol on standard input and output.
pub(crate) fn run_mcp(args: &McpArgs, console: &Console) -> anyhow::Result<()> {
    // Agents are language models themselves.
    let writing = Writing { llm: None, timeout: REQUEST_TIMEOUT };
    let Ready { app, seen, .. } = ready(&args.served, Limits::DEFAULT, writing, console)?;
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        tokio::spawn(follow(Arc::clone(&app.library), seen));
        mcp::on_standard_streams(app).await
    });
    runtime.shutdown_background();
    served
}

/// How long a request may take where nobody says otherwise.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

fn runtime() -> anyhow::Result<Runtime> {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // Those that search, those that write, and some for files.
    Ok(runtime.enable_all().max_blocking_threads(THREADS + WRITERS + 8).build()?)
}

/// Model and index, made ready to be served.
struct Ready {
    app: App,
    /// What was on disk before the index was opened.
    seen: Seen,
    metrics: Arc<Metrics>,
}

/// Who writes answers, and how long what is asked of everybody else may take.
struct Writing<'a> {
    llm: Option<&'a LlmArgs>,
    timeout: Duration,
}

/// Answers that are written at once: a model that runs here writes one after the other, and a server has its own limits.
const WRITERS: usize = 4;
/// Requests for written answers that are worked on or wait, and how long one may take, waiting included.
const WRITINGS: usize = 64;
const WRITING_TIMEOUT: Duration = Duration::from_secs(15 * 60);

fn ready(args: &ServedArgs, limits: Limits, writing: Writing, console: &Console) -> anyhow::Result<Ready> {
    let user = UserSettings::load(console)?;
    let choice = writing.llm.map(|llm| llm.choice(&user)).transpose()?.flatten();
    let engine = Engine::new(&args.guides.place, Some(&args.guides.model), &user, console)?;
    let guides = args.guides.folder.clone().or_else(|| user.guides.clone());
    let reranker = reranker::load(args.rerank.choice(user.rerank.as_ref()), &engine, console)?;
    let seen = Seen::of(&engine.index);
    let existing = Snapshot::open_for_update(&engine.index)?;
    let engine::Ready { snapshot, embedder } = engine.ready(existing, guides.as_deref(), false)?;
    let metrics = Arc::new(Metrics::new()?);
    let writer = match (choice, writing.llm) {
        (Some(choice), Some(args)) => {
            let model = llm::open(&choice, &engine, console)?;
            console.note(&format!("{} writes answers where they are asked for", model.name()));
            Some(Writer { model, reading: args.reading() })
        }
        _ => None,
    };
    let served = Served {
        writer,
        index: engine.index.clone(),
        shipped: engine.shipped.clone(),
        settings: ResultSettings::beside(&folders_of(&snapshot), console).or(user.results),
        budget_ms: user.budget_ms,
        metrics: Arc::clone(&metrics),
        console: console.clone(),
    };
    let batcher = |embedder| Batcher::new(embedder, limits.batch_tokens, Arc::clone(&metrics));
    let model = embedder.map(batcher).map(Arc::new);
    let library = Library::new(Shelf::new(snapshot, console)?, model, reranker, served);
    let places = Places::new(THREADS, limits.requests, writing.timeout, Arc::clone(&metrics));
    let writers = Places::new(WRITERS, WRITINGS, WRITING_TIMEOUT, Arc::clone(&metrics));
    let app =
        App { library: Arc::new(library), places: Arc::new(places), writers: Arc::new(writers), limits };
    Ok(Ready { app, seen, metrics })
}

/// How often the index is looked at: two stats.
const LOOK: Duration = Duration::from_millis(500);

/// Takes up new generations as they come.
async fn follow(library: Arc<Library>, mut seen: Seen) {
    let mut pause = LOOK;
    loop {
        tokio::time::sleep(pause).await;
        let now = Seen::of(&library.index);
        if now != seen {
            let library = Arc::clone(&library);
            // A reload that panicked has said so, and the generation before goes on answering.
            let taken_up = tokio::task::spawn_blocking(move || library.reload()).await.unwrap_or(false);
            // What could not be taken up is tried again, less and less often.
            pause = if taken_up { LOOK } else { (pause * 2).min(SELDOM) };
            if taken_up {
                seen = now;
            }
        }
    }
}

/// How seldom what cannot be taken up is tried again, at most.
const SELDOM: Duration = Duration::from_secs(60);

/// Ends when somebody asks the server to end; whoever does from now on is heard.
#[cfg(unix)]
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).context("cannot listen for Ctrl-C");
    let (mut interrupted, mut terminated) =
        (listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> anyhow::Result<impl Future<Output = ()>> {
    Ok(async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

const NOWHERE: &str = "there is nothing at this address; `/docs` lists what there is";

/// All routes, behind all that guards them.
fn router(app: App, agents: Agents, metrics: Arc<Metrics>, guard: Arc<Guard>, payload: usize) -> Router {
    let routes: ApiRouter<App> = http::routes().merge(embedding::routes());
    let (routes, api) = http::description(routes);
    let docs = docs::page(&api);
    let api = Arc::new(api);
    let metrics_text = Arc::clone(&metrics);
    let limited = Limited { payload, metrics, unread: Arc::new(Semaphore::new(UNREAD)) };
    routes
        .route("/", get(page::index).merge(embedding::at_the_root()))
        .route("/page/{*name}", get(page::part))
        .route("/docs", get(move || async move { Html(docs.clone()) }))
        .route("/openapi.json", get(move || async move { Json(Arc::clone(&api)) }))
        .route("/metrics", get(move || async move { metrics_page(&metrics_text) }))
        .nest_service("/mcp", agents)
        .fallback(
            |uri: Uri| async move { failure::respond_at(uri.path(), Failure::new(Kind::NotFound, NOWHERE)) },
        )
        .method_not_allowed_fallback(|uri: Uri| async move {
            failure::respond_at(
                uri.path(),
                Failure::new(Kind::Method, "not with this method; `/docs` says with which"),
            )
        })
        .layer(DefaultBodyLimit::max(payload))
        .layer(middleware::from_fn_with_state(limited.clone(), whole))
        .layer(middleware::from_fn_with_state(guard, guard::guard))
        .layer(middleware::from_fn_with_state(limited, measure))
        .with_state(app)
}

type Agents = StreamableHttpService<mcp::Tools, LocalSessionManager>;

/// The agents' protocol over HTTP, and what ends its sessions. Host and origin are checked before.
fn agents(app: &App) -> (Agents, impl FnOnce()) {
    // Every tool is a question and an answer: there is nothing to remember between two of them.
    let config = StreamableHttpServerConfig::default()
        .disable_allowed_hosts()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let (app, token) = (app.clone(), config.cancellation_token.clone());
    let service =
        StreamableHttpService::new(move || Ok(mcp::Tools::new(app.clone())), Arc::default(), config);
    (service, move || token.cancel())
}

fn metrics_page(metrics: &Metrics) -> Response {
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    match metrics.text() {
        Ok(text) => ([kind], text).into_response(),
        Err(error) => Failure::new(Kind::Internal, error.to_string()).into_response(),
    }
}

/// What every request is measured with and held to.
#[derive(Clone)]
struct Limited {
    payload: usize,
    metrics: Arc<Metrics>,
    /// Kilobytes for bodies that are read.
    unread: Arc<Semaphore>,
}

/// Kilobytes that bodies may take before a place decides what becomes of their requests.
const UNREAD: usize = 64 * 1024;

/// How long the body of a request may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body whole, within bounds of size and time, before anything is done with it.
async fn whole(State(limited): State<Limited>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let too_long = || Failure::new(Kind::TooLarge, format!("a request may have {} bytes", limited.payload));
    let announced = body.size_hint().lower();
    let most = if body.is_end_stream() { 0 } else { limited.payload.div_ceil(1024).min(UNREAD) };
    let read = async {
        // Held until the body is whole; then the places for requests are the bound.
        let _room = limited.unread.acquire_many(most as u32).await;
        match announced > limited.payload as u64 {
            true => Err(too_long()),
            false => match axum::body::to_bytes(body, limited.payload).await {
                Err(error) if is_too_long(&error) => Err(too_long()),
                Err(error) => {
                    Err(Failure::new(Kind::Validation, format!("the body cannot be read: {error}")))
                }
                Ok(bytes) => Ok(bytes),
            },
        }
    };
    let failure = match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(bytes)) => return next.run(Request::from_parts(parts, bytes.into())).await,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::new(Kind::Slow, "the body did not arrive in time"),
    };
    failure::respond_at(parts.uri.path(), failure)
}

fn is_too_long(error: &axum::Error) -> bool {
    let source = std::error::Error::source(error);
    source.is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

async fn measure(State(limited): State<Limited>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Methods are what clients write; only known ones become a label.
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "HEAD" | "OPTIONS" | "DELETE") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let response = next.run(request).await;
    let path = path.as_deref().unwrap_or("other");
    limited.metrics.answered(path, &method, response.status().as_u16(), started.elapsed());
    response
}
