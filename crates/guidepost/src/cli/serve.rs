//! The command line of what serves.

use std::net::IpAddr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::Args;

use super::{GuidesArgs, LlmArgs, RerankArgs};
use crate::serve::Limits;

pub(crate) const AFTER_SERVE: &str = "\
Examples:
  guidepost serve
  guidepost serve --port 8080 --guides ~/guides
  guidepost serve --llm http://127.0.0.1:11434 --llm-model qwen2.5
  GUIDEPOST_API_KEY=secret guidepost serve --host 0.0.0.0 --allowed-host guides.example

The page is at the address that is printed, /docs describes the interface for programs, /mcp is for agents.
The server looks for changes of your guides when it starts. `guidepost index --watch` beside it, or any
`guidepost index`, takes up later ones; the server answers from what is new without a restart.";

pub(crate) const AFTER_MCP: &str = "\
Agents start it themselves, and most take it as:
  {\"mcpServers\": {\"guidepost\": {\"command\": \"guidepost\", \"args\": [\"mcp\"]}}}

It waits for them on standard input. Its tools, which only read guides: search, ask, get, resources, status.
Where a `guidepost serve` runs, agents can be given its address with /mcp behind it instead.";

/// What is served.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServedArgs {
    #[command(flatten)]
    pub(crate) rerank: RerankArgs,
    #[command(flatten)]
    pub(crate) guides: GuidesArgs,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// Address to listen on. One that other machines can reach needs a key.
    #[arg(long, value_name = "IP", default_value = "127.0.0.1", env = "GUIDEPOST_HOST")]
    pub(crate) host: IpAddr,
    /// Port to listen on; 0 takes any that is free.
    #[arg(short, long, value_name = "N", default_value_t = 7878, env = "GUIDEPOST_PORT")]
    pub(crate) port: u16,
    /// Key that requests have to bring, as `Authorization: Bearer KEY`. Better given as a variable, since other users of this
    /// machine can see flags.
    #[arg(long, value_name = "KEY", env = "GUIDEPOST_API_KEY", hide_env_values = true)]
    pub(crate) api_key: Option<String>,
    /// Another name that the server goes by, for example that of a proxy in front of it.
    #[arg(long, value_name = "NAME")]
    pub(crate) allowed_host: Vec<String>,
    /// Requests that are worked on or wait; more are refused with 429.
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.requests, value_parser = at_least_one)]
    pub(crate) max_concurrent_requests: usize,
    /// Tokens that the model embeds together; a question that comes meanwhile waits for them.
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.batch_tokens, value_parser = at_least_one)]
    pub(crate) max_batch_tokens: usize,
    /// Texts that a request to /embed or /rerank may bring.
    #[arg(long, value_name = "N", default_value_t = Limits::DEFAULT.client_batch, value_parser = at_least_one)]
    pub(crate) max_client_batch_size: usize,
    /// Cut texts to embed that are too long for the model, instead of refusing them.
    #[arg(long)]
    pub(crate) auto_truncate: bool,
    /// Size of a request's body.
    #[arg(long, value_name = "SIZE", default_value = "2MB")]
    pub(crate) payload_limit: ByteSize,
    /// Seconds that a request may take, waiting included.
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    #[command(flatten)]
    pub(crate) served: ServedArgs,
    #[command(flatten)]
    pub(crate) llm: LlmArgs,
}

impl ServeArgs {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            requests: self.max_concurrent_requests,
            batch_tokens: self.max_batch_tokens,
            client_batch: self.max_client_batch_size,
            auto_truncate: self.auto_truncate,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[derive(Debug, Clone, Args)]
pub(crate) struct McpArgs {
    #[command(flatten)]
    pub(crate) served: ServedArgs,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| "it must be a whole number from 1".to_owned())
}
