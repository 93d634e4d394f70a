//! A sentence transformer: text to tokens, tokens through the model on its device, one vector per text.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use guidepost_text::{
    Embed, EmbedError, Embedding, KeepTokens, Span, TakeEmbeddings, TextRole, TokenVectors,
};
use rayon::prelude::*;
use tokenizers::{Encoding, Tokenizer};

use crate::architecture::Family;
use crate::cpu::{OnStates, Weights};
use crate::dense::Dense;
use crate::folder::{ModelFolder, Pooling, Prompts, Step};
use crate::runner::Runner;
use crate::tensors::{Budget, Phases};
use crate::token_counts::TokenCounts;
use crate::token_row::TokenRow;
use crate::tokenizer::read_tokenizer;
use crate::{Execution, LocatedModel, ModelError, Precision, digest};

/// A loaded model. Implements [`Embed`].
pub struct SentenceTransformer {
    runner: Runner,
    folder: ModelFolder,
    prompts: Prompts,
    steps: Vec<LoadedStep>,
    /// Cuts at the model's limit.
    tokenizer: Tokenizer,
    /// Only measuring needs it.
    counts: OnceLock<TokenCounts>,
    fingerprint: String,
    description: String,
}

/// A step after pooling, ready to run.
enum LoadedStep {
    Normalize,
    Dense {
        layer: Dense,
        /// SHA-256 of its weights, hexadecimal.
        sha256: String,
    },
}

/// Vectors, and where the time for them went.
#[derive(Debug, Clone)]
pub struct Measured {
    /// One per text.
    pub embeddings: Vec<Embedding>,
    /// Text to tokens.
    pub tokenize: Duration,
    /// Tokens to the device and vectors from it; nothing on the processor.
    pub copy: Duration,
    /// The model.
    pub forward: Duration,
    /// Token vectors to text vectors.
    pub pool: Duration,
    /// Tokens of all texts, special tokens included.
    pub tokens: usize,
    /// Tokens computed, padding included.
    pub computed_tokens: usize,
}

impl SentenceTransformer {
    /// Makes a model ready to run.
    ///
    /// # Errors
    /// Missing or damaged files, each named; an architecture, module or pooling that is not supported; a precision that
    /// the device does not offer.
    pub fn load(model: &LocatedModel, execution: &Execution) -> Result<Self, ModelError> {
        let folder = ModelFolder::read(&model.folder)?;
        let tokenizer_file = folder.path.join("tokenizer.json");
        let weights = folder.path.join("model.safetensors");
        // The tokenizer takes as long as the weights, so each has a thread.
        let (tokenizer, runner) = std::thread::scope(|scope| {
            let tokenizer =
                scope.spawn(|| read_tokenizer(&tokenizer_file, folder.max_tokens, folder.lowercase));
            let runner = Runner::load(&weights, &folder.architecture, folder.pooling, execution);
            (tokenizer.join().expect("reading a tokenizer does not panic"), runner)
        });
        let (tokenizer, runner) = (tokenizer?, runner?);
        // Scaling as the last step is what every embedding goes through anyway.
        let last = folder.steps.iter().rposition(|step| matches!(step, Step::Dense { .. }));
        let steps = folder.steps.iter().take(last.map_or(0, |last| last + 1));
        let steps: Vec<LoadedStep> =
            steps.map(|step| LoadedStep::load(&folder, step)).collect::<Result<_, _>>()?;
        // The folder knows best; many a model names its prompts in prose alone.
        let own = folder.prompts != Prompts::default();
        let prompts = if own { &folder.prompts } else { &model.prompts }.clone();
        let fingerprint = fingerprint(model, &folder, &prompts, &steps, execution.precision);
        let description = format!("{}, {}", runner.describe(&execution.device), execution.precision);
        Ok(SentenceTransformer {
            runner,
            folder,
            prompts,
            steps,
            tokenizer,
            counts: OnceLock::new(),
            fingerprint,
            description,
        })
    }

    /// What really runs the model, for people: `cpu (avx512-vnni, 2 threads), fast`.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Multiplications and additions (two operations each) that the model needs for a text of so many tokens.
    pub fn operations(&self, tokens: usize) -> usize {
        self.folder.architecture.operations(tokens)
    }

    /// Embeds phase after phase with the time of each, as a benchmark wants it; slower than [`Embed::embed`], where phases
    /// overlap. `budget` is for tensors.
    ///
    /// # Errors
    /// Those of [`Embed::embed`].
    pub fn measure(&self, texts: &[&str], role: TextRole, budget: Budget) -> Result<Measured, ModelError> {
        let start = Instant::now();
        let encodings = self.tokenize(texts, role, Offsets::Skip)?;
        let tokenize = start.elapsed();
        let mut phases = Phases::default();
        let start = Instant::now();
        let embeddings = self.run(&encodings, budget, None, Some(&mut phases))?;
        let tokens = encodings.iter().map(Encoding::len).sum();
        let lengths: Vec<usize> = encodings.iter().map(Encoding::len).collect();
        let (forward, computed_tokens) = match &self.runner {
            // Threads leave the model for pooling one by one, so the model has what pooling did not take.
            Runner::Cpu { .. } => (start.elapsed().saturating_sub(phases.pool), tokens),
            Runner::Tensors(_) => (phases.forward, budget.padded(&lengths)),
        };
        let Phases { copy, pool, .. } = phases;
        Ok(Measured { embeddings, tokenize, copy, forward, pool, tokens, computed_tokens })
    }

    fn prompt(&self, role: TextRole) -> &str {
        match role {
            TextRole::Question => &self.prompts.question,
            TextRole::Passage => &self.prompts.passage,
        }
    }

    fn tokenize(
        &self,
        texts: &[&str],
        role: TextRole,
        offsets: Offsets,
    ) -> Result<Vec<Encoding>, ModelError> {
        let prompt = self.prompt(role);
        let encode = |text: &&str| {
            let text =
                if prompt.is_empty() { Cow::Borrowed(*text) } else { format!("{prompt}{text}").into() };
            match offsets {
                Offsets::Skip => self.tokenizer.encode_fast(text, true),
                Offsets::Find => self.tokenizer.encode(text, true),
            }
        };
        // One question is not worth waking other threads.
        let encodings: tokenizers::Result<Vec<Encoding>> =
            if let [text] = texts { Ok(vec![encode(text)?]) } else { texts.par_iter().map(encode).collect() };
        Ok(encodings?)
    }

    /// Vectors of tokenized texts.
    fn run(
        &self,
        encodings: &[Encoding],
        budget: Budget,
        on_states: Option<OnStates<'_>>,
        phases: Option<&mut Phases>,
    ) -> Result<Vec<Embedding>, ModelError> {
        let rows: Vec<TokenRow<'_>> = encodings.iter().map(TokenRow::from).collect();
        let vectors = self.runner.vectors(&rows, budget, on_states, phases)?;
        if self.steps.is_empty() {
            return Ok(vectors.into_iter().map(Embedding::normalized).collect());
        }
        Ok(vectors.into_par_iter().map(|vector| self.finish(vector)).collect())
    }

    /// What comes after pooling, and the unit length that every embedding has.
    fn finish(&self, vector: Vec<f32>) -> Embedding {
        Embedding::normalized(self.steps.iter().fold(vector, |vector, step| step.apply(vector)))
    }

    /// Tokenizes a window of texts while the model runs on the one before, so that neither waits and memory does not grow
    /// with the number of texts.
    fn run_windows(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: Option<KeepTokens<'_>>,
        take: TakeEmbeddings<'_>,
    ) -> Result<(), ModelError> {
        let offsets = if keep.is_some() { Offsets::Find } else { Offsets::Skip };
        let mut first = 0;
        let mut windows = texts.chunks(self.runner.window());
        let mut next = windows.next().map(|window| self.tokenize(window, role, offsets));
        while let Some(encodings) = next.transpose()? {
            let on_states = |at: usize, states| {
                if let Some(keep) = keep {
                    keep(first + at, token_vectors(&encodings[at], states, self.prompt(role).len()));
                }
            };
            let wanted: Option<OnStates<'_>> = keep.is_some().then_some(&on_states);
            let run = || self.run(&encodings, self.runner.budget(), wanted, None);
            let (done, following) = match windows.next() {
                Some(window) => rayon::join(run, || Some(self.tokenize(window, role, offsets))),
                None => (run(), None),
            };
            first += encodings.len();
            if take(done?).is_break() {
                break;
            }
            next = following;
        }
        Ok(())
    }

    /// Vectors of all texts.
    fn run_all(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: Option<KeepTokens<'_>>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        let mut embeddings = Vec::with_capacity(texts.len());
        self.embed_in_steps(texts, role, keep, &mut |more| {
            on_done(more.len());
            embeddings.extend(more);
            ControlFlow::Continue(())
        })?;
        Ok(embeddings)
    }
}

/// Whether a token shall know where it stands in the text; finding out takes time.
#[derive(Clone, Copy)]
enum Offsets {
    Find,
    Skip,
}

/// States of the tokens of a text of which so many bytes are a prompt.
fn token_vectors(encoding: &Encoding, states: Vec<f32>, prompt: usize) -> TokenVectors {
    let spans = spans(encoding, prompt);
    TokenVectors { dimensions: states.len() / spans.len().max(1), values: states, spans }
}

/// Where the tokens stand in the text behind the prompt.
fn spans(encoding: &Encoding, prompt: usize) -> Vec<Span> {
    let behind = |&(start, end): &(usize, usize)| Span {
        start: start.saturating_sub(prompt),
        end: end.saturating_sub(prompt),
    };
    encoding.get_offsets().iter().map(behind).collect()
}

impl Embed for SentenceTransformer {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn dimensions(&self) -> usize {
        self.folder.dimensions()
    }

    fn token_dimensions(&self) -> usize {
        self.folder.architecture.width()
    }

    fn max_tokens(&self) -> usize {
        let prompt = self.prompts.passage.len().div_ceil(2);
        self.folder.max_tokens.saturating_sub(prompt)
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        self.counts.get_or_init(|| TokenCounts::new(&self.tokenizer)).count(texts)
    }

    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        self.run_all(texts, role, None, on_done)
    }

    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        self.run_all(texts, role, Some(keep), on_done)
    }

    fn embed_in_steps(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: Option<KeepTokens<'_>>,
        take: TakeEmbeddings<'_>,
    ) -> Result<(), EmbedError> {
        self.run_windows(texts, role, keep, take).map_err(|error| EmbedError(Box::new(error)))
    }

    fn token_spans(&self, text: &str, role: TextRole) -> Option<Vec<Span>> {
        let encodings = self.tokenize(&[text], role, Offsets::Find).ok()?;
        Some(spans(encodings.first()?, self.prompt(role).len()))
    }
}

impl LoadedStep {
    fn load(folder: &ModelFolder, step: &Step) -> Result<Self, ModelError> {
        let Step::Dense { folder: module, shape } = step else { return Ok(LoadedStep::Normalize) };
        let path = folder.path.join(module).join("model.safetensors");
        let sha256 = digest::of_file(&path)?;
        // A layer of no family: its tensors have the names that they have.
        let layer = Dense::load(&Weights::open(&path, Family::Bert)?, "linear", *shape)?;
        Ok(LoadedStep::Dense { layer, sha256 })
    }

    fn apply(&self, vector: Vec<f32>) -> Vec<f32> {
        match self {
            LoadedStep::Normalize => Embedding::normalized(vector).into_vec(),
            LoadedStep::Dense { layer, .. } => layer.apply(&vector),
        }
    }
}

fn fingerprint(
    model: &LocatedModel,
    folder: &ModelFolder,
    prompts: &Prompts,
    steps: &[LoadedStep],
    precision: Precision,
) -> String {
    let pooling = match folder.pooling {
        Pooling::Mean => "mean",
        Pooling::Cls => "cls",
    };
    let mut line = format!(
        "{}: weights {}, {pooling} pooling, {} tokens, {precision}",
        model.name,
        &model.weights_sha256[..12],
        folder.max_tokens
    );
    if let Some(settings) = &model.settings_sha256 {
        line.push_str(&format!(", settings {}", &settings[..12]));
    }
    if folder.lowercase {
        line.push_str(", small letters");
    }
    for step in steps {
        match step {
            LoadedStep::Normalize => line.push_str(", unit length"),
            LoadedStep::Dense { layer, sha256 } => {
                line.push_str(&format!(", dense {} {}", layer.activation(), &sha256[..12]));
            }
        }
    }
    for (side, prompt) in [("question", &prompts.question), ("passage", &prompts.passage)] {
        if !prompt.is_empty() {
            line.push_str(&format!(", {side} prompt {prompt:?}"));
        }
    }
    line
}
