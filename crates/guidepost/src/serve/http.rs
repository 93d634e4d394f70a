//! Guidepost's own interface: routes, and what they say of themselves.

use std::convert::Infallible;
use std::sync::Arc;

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post_with};
use aide::openapi::{OpenApi, SecurityScheme, Tag};
use aide::transform::{TransformOpenApi, TransformOperation};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::answering::Progress;
use super::extract::{Body, Parameters};
use super::failure::{Failure, FailureView, Kind};
use super::library::{Desk, Library};
use super::map::MapView;
use super::parameters::{
    CompareParameters, GetParameters, ResourceParameters, SearchParameters, WriteParameters,
};
use super::places::Places;
use super::writing;
use crate::output::{
    ComparisonView, DocumentsView, GuideView, ResourcesView, Results, RolesView, StatusView,
};

/// What handlers reach.
#[derive(Clone)]
pub(super) struct App {
    pub(super) library: Arc<Library>,
    pub(super) places: Arc<Places>,
    /// Those for answers that are written, which take long.
    pub(super) writers: Arc<Places>,
    pub(super) limits: Limits,
}

/// What requests may bring.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Requests that are worked on or wait.
    pub(crate) requests: usize,
    /// Tokens that the model embeds together.
    pub(crate) batch_tokens: usize,
    /// Texts of a request to `/embed` or `/rerank`.
    pub(crate) client_batch: usize,
    /// Whether texts that are too long for the model are cut without being asked to.
    pub(crate) auto_truncate: bool,
}

impl Limits {
    /// Those of text-embeddings-inference, but for the tokens: a processor takes a quarter of a second for so many, and the
    /// next question waits for them.
    pub(crate) const DEFAULT: Limits =
        Limits { requests: 512, batch_tokens: 2048, client_batch: 32, auto_truncate: false };
}

impl App {
    /// Does work with the library, on a thread of its own.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let library = Arc::clone(&self.library);
        self.places.run(move |caller| work(&Desk::new(library, caller))).await
    }

    /// The same for texts of the embedding interface.
    pub(super) async fn work_behind<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let library = Arc::clone(&self.library);
        self.places.run_behind(move |caller| work(&Desk::new(library, caller))).await
    }
}

type Answered<T> = Result<Json<T>, Failure>;

/// The routes below `/api`.
pub(super) fn routes() -> ApiRouter<App> {
    ApiRouter::new()
        .api_route(
            "/api/search",
            get_with(search, |operation| describe(operation, "search", SEARCH))
                .post_with(search_posted, |operation| describe(operation, "searchPosted", SEARCH)),
        )
        .api_route(
            "/api/ask",
            get_with(ask, |operation| describe_ask(operation, "ask"))
                .post_with(ask_posted, |operation| describe_ask(operation, "askPosted")),
        )
        .api_route("/api/write", post_with(write, describe_write))
        .api_route(
            "/api/resources",
            get_with(resources, |operation| describe(operation, "resources", RESOURCES)),
        )
        .api_route("/api/roles", get_with(roles, |operation| describe(operation, "roles", ROLES)))
        .api_route(
            "/api/compare",
            get_with(compare, |operation| not_found(describe(operation, "compare", COMPARE))),
        )
        .api_route(
            "/api/documents",
            get_with(documents, |operation| describe(operation, "documents", DOCUMENTS)),
        )
        .api_route("/api/get", get_with(get_lines, |operation| not_found(describe(operation, "get", GET))))
        .api_route("/api/map", get_with(map, |operation| describe(operation, "map", MAP)))
        .api_route("/api/status", get_with(status, |operation| describe(operation, "status", STATUS)))
}

const SEARCH: [&str; 2] = ["Find passages", "The passages that fit a query, best first."];
const ASK: [&str; 2] = [
    "Answer a question",
    "An answer in the guides' own words, every statement with its lines, and the passages behind it; `answer` is `null` where no guide answers. With `Accept: text/event-stream` it comes as server-sent events: `progress` (`{\"stage\": \"searching\"}`), `results` (as a search has them), a `statement` each, `done` with all of it, or `error`.",
];
const WRITE: [&str; 2] = [
    "Have an answer written",
    "An answer in a language model's words, where the server was started with `--llm`: every sentence of `written` is held against the passages that it cites, and what they do not say is marked. With `turns`, a question may follow from those before. With `Accept: text/event-stream` it comes as server-sent events: `question` (as it is searched), `results`, `sources`, a `sentence` each, `done` with all of it, or `error`.",
];
const RESOURCES: [&str; 2] = [
    "List resources",
    "Books, courses, certifications, projects, tools and links that guides name, with the places that name them.",
];
const ROLES: [&str; 2] = ["List roles", "The roles that guides are about."];
const COMPARE: [&str; 2] =
    ["Compare two roles", "Two roles side by side: skills, tools, roadmap, resources."];
const DOCUMENTS: [&str; 2] =
    ["List guides", "The guides of the index, and the values they can be filtered by."];
const GET: [&str; 2] = ["Print lines of a guide", "The text that a citation names, as the guide is now."];
const MAP: [&str; 2] =
    ["Map the guides", "Guides and their sections placed by meaning: what lies close says something alike."];
const STATUS: [&str; 2] = ["Describe the index", "What the index holds, and whether it is up to date."];

/// What an operation is, and what it may answer in the shape that this interface gives to failures.
pub(super) fn describe<'o>(
    operation: TransformOperation<'o>,
    id: &str,
    text: [&str; 2],
) -> TransformOperation<'o> {
    describe_with::<FailureView>(operation, id, text)
}

/// The same, with failures in the shape `F`.
pub(super) fn describe_with<'o, F: JsonSchema + Serialize>(
    operation: TransformOperation<'o>,
    id: &str,
    [summary, description]: [&str; 2],
) -> TransformOperation<'o> {
    operation
        .id(id)
        .summary(summary)
        .description(description)
        .response_with::<400, Json<F>, _>(|answer| answer.description("It cannot be understood."))
        .response_with::<401, Json<F>, _>(|answer| answer.description("The key is missing or wrong."))
        .response_with::<403, Json<F>, _>(|answer| answer.description("From another site."))
        .response_with::<408, Json<F>, _>(|answer| answer.description("It did not arrive in time."))
        .response_with::<413, Json<F>, _>(|answer| answer.description("It brings too much."))
        .response_with::<415, Json<F>, _>(|answer| answer.description("It is not JSON."))
        .response_with::<424, Json<F>, _>(|answer| answer.description("The model failed."))
        .response_with::<429, Json<F>, _>(|answer| {
            answer.description("Too many requests at once; `Retry-After` says when to come again.")
        })
        .response_with::<414, (), _>(|answer| answer.description("Its address is too long."))
        .response_with::<431, (), _>(|answer| answer.description("Its address and its headers are too long."))
        .response_with::<500, Json<F>, _>(|answer| answer.description("The index is damaged."))
        .response_with::<503, Json<F>, _>(|answer| answer.description("It took too long."))
}

fn not_found(operation: TransformOperation) -> TransformOperation {
    operation.response_with::<404, Json<FailureView>, _>(|answer| {
        answer.description("There is none of that name.")
    })
}

fn describe_ask<'o>(operation: TransformOperation<'o>, id: &str) -> TransformOperation<'o> {
    streamed(describe(operation, id, ASK))
}

fn describe_write(operation: TransformOperation) -> TransformOperation {
    streamed(describe(operation, "write", WRITE))
}

fn streamed(operation: TransformOperation) -> TransformOperation {
    operation.response_with::<200, Json<Results>, _>(|mut answer| {
        answer.inner().content.insert("text/event-stream".to_owned(), aide::openapi::MediaType::default());
        answer.description("The answer.")
    })
}

/// The description of the whole interface.
pub(super) fn describe_all(mut api: TransformOpenApi) -> TransformOpenApi {
    // The key, or none where the server asks for none.
    let key = [("key".to_owned(), Vec::new())];
    api.inner_mut().security = vec![Default::default(), key.into_iter().collect()];
    api.title("Guidepost")
        .version(env!("CARGO_PKG_VERSION"))
        .description(
            "Local search over guides, with answers that say where they come from. All of it reads; nothing writes.",
        )
        .tag(Tag { name: "embeddings".to_owned(), ..Tag::default() })
        .security_scheme(
            "key",
            SecurityScheme::Http {
                scheme: "bearer".to_owned(),
                bearer_format: None,
                description: Some("Where the server was started with `--api-key`.".to_owned()),
                extensions: Default::default(),
            },
        )
        .strip_null_from_query_params()
}

async fn search(
    State(app): State<App>,
    Parameters(parameters): Parameters<SearchParameters>,
) -> Answered<Results> {
    app.work(|desk| desk.search(parameters)).await.map(Json)
}

async fn search_posted(
    State(app): State<App>,
    Body(parameters): Body<SearchParameters>,
) -> Answered<Results> {
    app.work(|desk| desk.search(parameters)).await.map(Json)
}

async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<SearchParameters>,
) -> Response {
    answer(app, &headers, parameters).await
}

async fn ask_posted(
    State(app): State<App>,
    headers: HeaderMap,
    Body(parameters): Body<SearchParameters>,
) -> Response {
    answer(app, &headers, parameters).await
}

async fn answer(app: App, headers: &HeaderMap, parameters: SearchParameters) -> Response {
    let places = Arc::clone(&app.places);
    respond(app, places, headers, move |desk, listener| {
        let results = desk.ask(parameters, &mut |progress| listener.tell(|| event_of(&progress)))?;
        let statements = results.answer.iter().flatten().flat_map(|answer| &answer.statements);
        statements.for_each(|statement| listener.tell(|| event("statement", statement)));
        Ok(results)
    })
    .await
}

async fn write(
    State(app): State<App>,
    headers: HeaderMap,
    Body(parameters): Body<WriteParameters>,
) -> Response {
    let places = Arc::clone(&app.writers);
    respond(app, places, &headers, move |desk, listener| {
        desk.write(parameters, &mut |progress| listener.tell(|| event_of_writing(&progress)))
    })
    .await
}

/// Hears how far an answer is, where somebody wants to know.
struct Listener(Option<mpsc::Sender<Result<Event, Failure>>>);

impl Listener {
    /// A reader that has left is no reason to fail.
    fn tell(&self, event: impl FnOnce() -> Event) {
        if let Some(events) = &self.0 {
            drop(events.blocking_send(Ok(event())));
        }
    }
}

/// Answers as the client wants it: at once, or as it comes about.
async fn respond(
    app: App,
    places: Arc<Places>,
    headers: &HeaderMap,
    work: impl FnOnce(&Desk, &Listener) -> Result<Results, Failure> + Send + 'static,
) -> Response {
    let library = app.library;
    match wants_events(headers) {
        true => stream_answer(library, places, work).await,
        false => {
            let answer = places.run(move |caller| work(&Desk::new(library, caller), &Listener(None)));
            answer.await.map(Json).into_response()
        }
    }
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/event-stream"))
}

/// Events that may wait for a slow reader.
const EVENTS: usize = 64;

/// The answer as it comes about. What is refused before it begins has the status that it has elsewhere. For a reader that leaves,
/// nothing is begun any more.
async fn stream_answer(
    library: Arc<Library>,
    places: Arc<Places>,
    work: impl FnOnce(&Desk, &Listener) -> Result<Results, Failure> + Send + 'static,
) -> Response {
    let (sender, mut receiver) = mpsc::channel::<Result<Event, Failure>>(EVENTS);
    tokio::spawn(async move {
        let listener = Listener(Some(sender.clone()));
        let answered = places.run(move |caller| work(&Desk::new(library, caller), &listener));
        tokio::select! {
            answered = answered => drop(sender.send(answered.map(|results| event("done", &results))).await),
            () = sender.closed() => {}
        }
    });
    let first = match receiver.recv().await {
        Some(Ok(first)) => first,
        Some(Err(failure)) => return failure.into_response(),
        None => return Failure::new(Kind::Unhealthy, "the server is about to end").into_response(),
    };
    let rest = stream::unfold(receiver, |mut receiver| async {
        let event = receiver.recv().await?.unwrap_or_else(|failure| {
            event("error", &FailureView { error: failure.message, error_type: failure.kind })
        });
        Some((event, receiver))
    });
    let events = stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    // Proxies that gather what they pass on would hold it back.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

fn event_of(progress: &Progress) -> Event {
    let stage = |stage: &str| event("progress", &json!({"stage": stage}));
    match progress {
        Progress::Searching => stage("searching"),
        Progress::Found(results) => event("results", results),
        Progress::Checking => stage("checking"),
    }
}

fn event_of_writing(progress: &writing::Progress) -> Event {
    match progress {
        writing::Progress::Question(question) => event("question", &json!({"question": question})),
        writing::Progress::Found(results) => event("results", results),
        writing::Progress::Sources(sources) => event("sources", sources),
        writing::Progress::Sentence(sentence) => event("sentence", sentence),
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // Only a map with keys that are no strings could not be written; there is none.
    Event::default().event(name).json_data(data).unwrap_or_default()
}

async fn resources(
    State(app): State<App>,
    Parameters(parameters): Parameters<ResourceParameters>,
) -> Answered<ResourcesView> {
    app.work(move |desk| desk.resources(&parameters)).await.map(Json)
}

async fn roles(State(app): State<App>) -> Answered<RolesView> {
    app.work(|desk| Ok(desk.roles())).await.map(Json)
}

async fn compare(
    State(app): State<App>,
    Parameters(parameters): Parameters<CompareParameters>,
) -> Answered<ComparisonView> {
    app.work(move |desk| desk.compare(&parameters)).await.map(Json)
}

async fn documents(State(app): State<App>) -> Answered<DocumentsView> {
    app.work(|desk| Ok(desk.documents())).await.map(Json)
}

async fn get_lines(
    State(app): State<App>,
    Parameters(parameters): Parameters<GetParameters>,
) -> Answered<GuideView> {
    app.work(move |desk| desk.get(&parameters)).await.map(Json)
}

async fn map(State(app): State<App>) -> Answered<Arc<MapView>> {
    app.work(|desk| desk.map()).await.map(Json)
}

/// The index, and the program that serves it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ServerStatus {
    #[serde(flatten)]
    status: StatusView,
    server: ServerView,
}

/// The program.
#[derive(Debug, Clone, Serialize, JsonSchema)]
struct ServerView {
    version: &'static str,
    /// Fingerprint of the model that embeds questions; `null` where words alone search.
    model: Option<String>,
    /// Name of the language model that writes answers; `null` where none does.
    language_model: Option<String>,
}

async fn status(State(app): State<App>) -> Answered<ServerStatus> {
    let described = app.work(|desk| {
        let embedder = desk.library.embedder();
        Ok(ServerStatus {
            status: desk.status()?,
            server: ServerView {
                version: env!("CARGO_PKG_VERSION"),
                model: embedder.map(|embedder| embedder.fingerprint().to_owned()),
                language_model: desk.library.writer.as_ref().map(|writer| writer.model.name().to_owned()),
            },
        })
    });
    described.await.map(Json)
}

/// What the routes say of themselves, as `/openapi.json` has it.
pub(super) fn description(routes: ApiRouter<App>) -> (axum::Router<App>, OpenApi) {
    let mut api = OpenApi::default();
    let router = routes.finish_api_with(&mut api, describe_all);
    (router, api)
}
