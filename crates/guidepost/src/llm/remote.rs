//! A language model behind a server that speaks OpenAI's protocol: Ollama, llama.cpp, vLLM, and those that are hosted.

use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::time::Duration;

use guidepost_text::{Finish, Generate, GenerateError, GenerateOptions, Generated, Message, TakeText};
use serde_json::{Value, json};
use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body, RequestBuilder, Timeout};

use super::about_tokens;
use super::choice::{self, Key};
use super::events::{Chunk, Models, failure};

/// How long a server may take to be reached.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may be silent: models are loaded first, and long prompts are read slowly.
const SILENT: Duration = Duration::from_secs(180);
/// How long the whole answer may take.
const WHOLE: Duration = Duration::from_secs(900);

/// Times that a busy server is asked, and how long is waited before the second; each time twice as long.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// Longest wait that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Parameters that some servers or models refuse, and that can be left out.
const OPTIONAL: [&str; 3] = ["temperature", "seed", "stream_options"];
/// What newer models of OpenAI want in place of `max_tokens`.
const MAX_TOKENS: &str = "max_tokens";
const MAX_COMPLETION_TOKENS: &str = "max_completion_tokens";

/// What is read and shown of a failure.
const SAID_BYTES: u64 = 64 * 1024;
const SAID_LETTERS: usize = 300;

/// A model of a server.
pub(super) struct Remote {
    agent: Agent,
    /// Up to and with `/v1`.
    base: String,
    model: String,
    key: Option<Key>,
}

/// Why a server did not write.
#[derive(Debug, thiserror::Error)]
pub(super) enum RemoteError {
    #[error("`{base}` cannot be reached: {reason}; is the server running?")]
    Unreachable { base: String, reason: String },
    #[error("`{base}` said nothing for {} seconds; a model that is loaded first, or a long prompt, may need longer: try again, or lower --llm-budget", SILENT.as_secs())]
    Silent { base: String },
    #[error("`{base}` refuses {with} ({said}); the key is read from OPENAI_API_KEY")]
    Refused { base: String, with: &'static str, said: String },
    #[error("`{base}` has no model `{model}` ({said}){}", listed(.known))]
    NoModel { base: String, model: String, said: String, known: Vec<String> },
    #[error("which model of `{base}`? name it with --llm-model{}", listed(.known))]
    WhichModel { base: String, known: Vec<String> },
    #[error("`{base}` has too much to do, after {TRIES} tries as well: {said}")]
    Busy { base: String, said: String },
    #[error("`{base}` answers {status}: {said}")]
    Status { base: String, status: u16, said: String },
    #[error("`{base}` stopped in the midst of its answer: {reason}")]
    Broken { base: String, reason: String },
    #[error("`{base}` does not speak the protocol of chat completions: {reason}")]
    Foreign { base: String, reason: String },
}

fn listed(models: &[String]) -> String {
    if models.is_empty() { String::new() } else { format!("; it has {}", models.join(", ")) }
}

/// What one try at a request came to.
enum Tried {
    Answered(Response<Body>),
    /// Worth another try, after a pause if the server asks for one.
    Again {
        status: StatusCode,
        said: String,
        wait: Option<Duration>,
    },
}

impl Remote {
    /// `base` goes up to and with `/v1`; without a model's name, the only one that the server has.
    pub(super) fn new(base: &str, model: Option<&str>, key: Option<Key>) -> Result<Remote, RemoteError> {
        let config = Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_per_read(Some(SILENT))
            .timeout_recv_body(Some(WHOLE))
            // A key goes where it was meant to go and nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false);
        let config = if choice::is_loopback(base) { config.proxy(None) } else { config };
        let mut remote =
            Remote { agent: config.build().into(), base: base.to_owned(), model: String::new(), key };
        remote.model = match model {
            Some(model) => model.to_owned(),
            None => remote.only_model()?,
        };
        Ok(remote)
    }

    fn only_model(&self) -> Result<String, RemoteError> {
        match self.models()? {
            mut names if names.len() == 1 => Ok(names.remove(0)),
            known => Err(RemoteError::WhichModel { base: self.base.clone(), known }),
        }
    }

    /// The models that the server has.
    fn models(&self) -> Result<Vec<String>, RemoteError> {
        let request = self.with_key(self.agent.get(format!("{}/models", self.base)));
        let mut response = request.call().map_err(|error| self.unreachable(&error))?;
        if !response.status().is_success() {
            let said = self.said(&mut response);
            return Err(self.failure(response.status(), said, Vec::new()));
        }
        let models: Result<Models, _> = response.body_mut().read_json();
        let foreign =
            |error: ureq::Error| RemoteError::Foreign { base: self.base.clone(), reason: error.to_string() };
        models.map(Models::names).map_err(foreign)
    }

    fn with_key<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.key {
            Some(key) => request.header(header::AUTHORIZATION, format!("Bearer {}", key.reveal())),
            None => request,
        }
    }

    /// Sends a request until it is answered, or it is of no use to go on.
    fn ask(&self, mut body: Value) -> Result<Response<Body>, RemoteError> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            let (status, said, wait) = match self.try_once(&body)? {
                Tried::Answered(response) => return Ok(response),
                Tried::Again { status, said, wait } => (status, said, wait),
            };
            if status == StatusCode::BAD_REQUEST && leave_out(&mut body, &said) {
                continue;
            }
            let busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
            if !busy || tries == TRIES {
                // What it has instead, as far as it says.
                let known = (status == StatusCode::NOT_FOUND).then(|| self.models().unwrap_or_default());
                return Err(self.failure(status, said, known.unwrap_or_default()));
            }
            std::thread::sleep(wait.unwrap_or(pause).min(LONGEST_PAUSE));
            pause *= 2;
            tries += 1;
        }
    }

    fn try_once(&self, body: &Value) -> Result<Tried, RemoteError> {
        let request = self.agent.post(format!("{}/chat/completions", self.base));
        let request = self.with_key(request).header(header::ACCEPT, "text/event-stream");
        let mut response = request.send_json(body).map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(Tried::Answered(response));
        }
        let wait = retry_after(response.headers());
        Ok(Tried::Again { status, said: self.said(&mut response), wait })
    }

    fn unreachable(&self, error: &ureq::Error) -> RemoteError {
        let base = self.base.clone();
        match error {
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => RemoteError::Unreachable {
                base,
                reason: format!("no answer in {} seconds", CONNECT.as_secs()),
            },
            ureq::Error::Timeout(_) => RemoteError::Silent { base },
            error => RemoteError::Unreachable { base, reason: self.without_key(&error.to_string()) },
        }
    }

    /// `known`: the models that the server has, where it lacks the one that was asked for.
    fn failure(&self, status: StatusCode, said: String, known: Vec<String>) -> RemoteError {
        let base = self.base.clone();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let with = if self.key.is_some() { "this key" } else { "requests without a key" };
                RemoteError::Refused { base, with, said }
            }
            StatusCode::NOT_FOUND => RemoteError::NoModel { base, model: self.model.clone(), said, known },
            StatusCode::TOO_MANY_REQUESTS => RemoteError::Busy { base, said },
            status => RemoteError::Status { base, status: status.as_u16(), said },
        }
    }

    /// What a failed request was answered with: its message where it has one, on one line, cut.
    fn said(&self, response: &mut Response<Body>) -> String {
        let text = response.body_mut().with_config().limit(SAID_BYTES).read_to_string().unwrap_or_default();
        let line = failure(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        match line.as_str() {
            "" => "it does not say why".to_owned(),
            line => self.without_key(line).chars().take(SAID_LETTERS).collect(),
        }
    }

    /// Some servers say the key back.
    fn without_key(&self, text: &str) -> String {
        self.key.as_ref().map_or_else(|| text.to_owned(), |key| text.replace(key.reveal(), "..."))
    }

    /// Takes an answer as it comes.
    fn listen(&self, response: Response<Body>, take: TakeText<'_>) -> Result<Generated, RemoteError> {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let whole = kind.is_some_and(|kind| kind.starts_with("application/json"));
        let lines = BufReader::new(response.into_body().into_reader()).lines();
        let mut heard = Heard::default();
        if whole {
            let text = lines.collect::<Result<Vec<_>, _>>().map_err(|error| self.broken(&error))?.join("\n");
            return self.hear(&mut heard, &text, take).map(|_| heard.generated);
        }
        for line in lines {
            let line = line.map_err(|error| self.broken(&error))?;
            match line.strip_prefix("data:").map(str::trim) {
                Some("[DONE]") => return Ok(heard.generated),
                Some(data) if self.hear(&mut heard, data, take)?.is_break() => return Ok(heard.generated),
                // A sign of life; nobody may be waiting any more.
                None if take("").is_break() => return Ok(heard.stopped()),
                _ => {}
            }
        }
        match (heard.events, heard.finished) {
            // Some servers leave the last line out.
            (_, true) => Ok(heard.generated),
            (0, _) => {
                Err(RemoteError::Foreign { base: self.base.clone(), reason: "it sent no event".to_owned() })
            }
            _ => Err(self.broken(&"the connection ended")),
        }
    }

    fn hear(
        &self,
        heard: &mut Heard,
        data: &str,
        take: TakeText<'_>,
    ) -> Result<ControlFlow<()>, RemoteError> {
        let chunk: Chunk = serde_json::from_str(data)
            .map_err(|error| RemoteError::Foreign { base: self.base.clone(), reason: error.to_string() })?;
        if let Some(error) = chunk.error {
            return Err(self.broken(&error.text()));
        }
        heard.events += 1;
        if let Some(usage) = chunk.usage {
            heard.generated.read_tokens = usage.prompt_tokens;
            heard.generated.written_tokens = usage.completion_tokens;
        }
        for choice in chunk.choices {
            if let Some(reason) = &choice.finish_reason {
                heard.finished = true;
                heard.generated.finish = if reason == "length" { Finish::Length } else { Finish::Done };
            }
            let text = choice.text();
            if !text.is_empty() && take(&text).is_break() {
                heard.generated.finish = Finish::Stopped;
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn broken(&self, reason: &dyn std::fmt::Display) -> RemoteError {
        RemoteError::Broken { base: self.base.clone(), reason: self.without_key(&reason.to_string()) }
    }
}

/// How much of an answer has come.
struct Heard {
    events: usize,
    finished: bool,
    generated: Generated,
}

impl Heard {
    fn stopped(self) -> Generated {
        Generated { finish: Finish::Stopped, ..self.generated }
    }
}

impl Default for Heard {
    fn default() -> Self {
        let generated = Generated { finish: Finish::Done, read_tokens: None, written_tokens: None };
        Heard { events: 0, finished: false, generated }
    }
}

/// Seconds; dates, which are allowed there, too, are not understood.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Takes a parameter out that a server refuses, as it says, and says whether there was one.
fn leave_out(body: &mut Value, said: &str) -> bool {
    let Some(fields) = body.as_object_mut() else { return false };
    if said.contains(MAX_COMPLETION_TOKENS)
        && let Some(most) = fields.remove(MAX_TOKENS)
    {
        fields.insert(MAX_COMPLETION_TOKENS.to_owned(), most);
        return true;
    }
    let refused = OPTIONAL.into_iter().find(|name| said.contains(name));
    refused.is_some_and(|name| fields.remove(name).is_some())
}

impl Generate for Remote {
    fn name(&self) -> &str {
        &self.model
    }

    fn context_tokens(&self) -> Option<usize> {
        None
    }

    fn count_tokens(&self, text: &str) -> usize {
        about_tokens(text)
    }

    fn generate(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
        take: TakeText<'_>,
    ) -> Result<Generated, GenerateError> {
        let messages =
            messages.iter().map(|message| json!({"role": message.speaker.role(), "content": message.text}));
        let body = json!({
            "model": self.model,
            "messages": messages.collect::<Vec<_>>(),
            MAX_TOKENS: options.max_tokens,
            "temperature": options.temperature,
            "seed": options.seed,
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        let answered = self.ask(body).and_then(|response| self.listen(response, take));
        answered.map_err(|error| GenerateError(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_parameters_are_left_out_one_by_one() {
        let mut body = json!({"max_tokens": 9, "temperature": 0.0, "seed": 1});
        assert!(leave_out(&mut body, "Unsupported: 'max_tokens'. Use 'max_completion_tokens' instead."));
        assert!(leave_out(&mut body, "'temperature' does not support 0.0"));
        assert_eq!(body, json!({"max_completion_tokens": 9, "seed": 1}));
        assert!(!leave_out(&mut body, "'temperature' does not support 0.0"), "it is out already");
        assert!(!leave_out(&mut body, "too many tokens"));
    }
}
