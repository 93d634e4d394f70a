//! The command line of answers in a language model's words.

use std::path::PathBuf;

use clap::Args;

use super::{HowArgs, QueryArgs, parse_limit};
use crate::llm::Choice;
use crate::settings::UserSettings;
use crate::writing::{Reading, Unsupported};

pub(crate) const AFTER_ASK: &str = "\
Answers in a language model's words, where you want them. Every sentence is held against the passages
that it cites; what they do not say is marked:
  guidepost ask how to become a data analyst --llm http://127.0.0.1:11434 --llm-model qwen2.5
  OPENAI_API_KEY=... guidepost ask which degree --llm openai --llm-model gpt-4.1-mini
  guidepost ask which degree --llm local --strict
  guidepost ask which degree --show-prompt";

pub(crate) const AFTER_CHAT: &str = "\
Examples:
  guidepost chat --llm http://127.0.0.1:11434 --llm-model qwen2.5
  guidepost chat --llm local --save careers.md

A question that follows from those before is written so that it stands alone, shown, and searched. Each
answer is written from the passages that were found for it, and checked against them. /help lists what
else can be typed. Lines that come from a file or a pipe are questions, too.";

/// Which language model writes, if any.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Language model")]
pub(crate) struct LlmArgs {
    /// Have answers written by a language model from the passages found: the address of a server that speaks OpenAI's protocol
    /// (Ollama, llama.cpp, vLLM, hosted ones); `openai`, or what OPENAI_BASE_URL names; `local` for one that is run here; a
    /// GGUF file; or `none`. The key is read from OPENAI_API_KEY [default: none].
    #[arg(long, value_name = "URL|openai|local|FILE|none", env = "GUIDEPOST_LLM")]
    pub(crate) llm: Option<String>,
    /// Name of the server's model; with `local`, one of `guidepost models list`, or a GGUF file [default: the only one
    /// that the server has].
    #[arg(long, value_name = "NAME", env = "GUIDEPOST_LLM_MODEL")]
    pub(crate) llm_model: Option<String>,
    /// Tokens of passages that the language model reads, from 100 to 100000.
    #[arg(long, value_name = "N", default_value_t = BUDGET, env = "GUIDEPOST_LLM_BUDGET", value_parser = budget)]
    pub(crate) llm_budget: usize,
    /// Most passages or sections that it reads, from 1 to 100, however many fit.
    #[arg(long, value_name = "N", default_value_t = SOURCES, env = "GUIDEPOST_LLM_SOURCES", value_parser = parse_limit)]
    pub(crate) llm_sources: usize,
}

/// Some 1,100 words: what a small model on a laptop reads in some seconds, and a dozen passages.
const BUDGET: usize = 1500;

/// More rarely fit, and models cite worse the more there is to choose from.
const SOURCES: usize = 12;

fn budget(text: &str) -> Result<usize, String> {
    let budget = text.parse().ok().filter(|tokens| (100..=100_000).contains(tokens));
    budget.ok_or_else(|| "it must be a whole number from 100 to 100000".to_owned())
}

const NONE: &str = "none";

impl LlmArgs {
    /// What was asked for, by flag or variable, else by the user's settings.
    ///
    /// # Errors
    /// What is no language model.
    pub(crate) fn choice(&self, user: &UserSettings) -> anyhow::Result<Option<Choice>> {
        let llm = self.llm.as_deref().or(user.llm.as_deref()).filter(|llm| !llm.is_empty() && *llm != NONE);
        let model = self.llm_model.as_deref().or(user.llm_model.as_deref());
        llm.map(|llm| Choice::parse(llm, model)).transpose()
    }

    /// What it shall read.
    pub(crate) fn reading(&self) -> Reading {
        Reading { budget: self.llm_budget, sources: self.llm_sources }
    }
}

/// What becomes of what was written.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Language model")]
pub(crate) struct CheckArgs {
    /// Leave out sentences that the passages do not support, in place of marking them.
    #[arg(long)]
    strict: bool,
}

impl CheckArgs {
    pub(crate) fn unsupported(self) -> Unsupported {
        if self.strict { Unsupported::LeaveOut } else { Unsupported::Mark }
    }
}

/// `ask`.
#[derive(Debug, Clone, Args)]
pub(crate) struct AskArgs {
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    #[command(flatten)]
    pub(crate) llm: LlmArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    /// Only print what the language model would be given; no model is asked.
    #[arg(long, help_heading = "Language model")]
    pub(crate) show_prompt: bool,
}

/// `chat`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChatArgs {
    #[command(flatten)]
    pub(crate) how: HowArgs,
    #[command(flatten)]
    pub(crate) llm: LlmArgs,
    #[command(flatten)]
    pub(crate) check: CheckArgs,
    /// Write the conversation into this file after every answer, as Markdown with its sources. The file must be new.
    #[arg(long, value_name = "FILE", help_heading = "Language model")]
    pub(crate) save: Option<PathBuf>,
}
