//! A sentence transformer: text to tokens, tokens through the model on its device, one vector per text.

use std::borrow::Cow;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use guidepost_text::{Embed, EmbedError, Embedding, KeepTokens, Span, TextRole, TokenVectors};
use rayon::prelude::*;
use tokenizers::{Encoding, Tokenizer};

use crate::cpu::{CpuBert, Kernels, OnStates, Team, Weights};
use crate::folder::{ModelFolder, Pooling};
use crate::gpu::{Budget, Phases, TensorEmbedder, TokenRow};
use crate::tokenizer::read_tokenizer;
use crate::{LocatedModel, ModelError, OpenDevice, Precision};

/// A loaded model. Implements [`Embed`].
pub struct SentenceTransformer {
    runner: Runner,
    folder: ModelFolder,
    /// Cuts at the model's limit.
    tokenizer: Tokenizer,
    /// Cuts nothing; only measuring needs it.
    uncut: OnceLock<Tokenizer>,
    fingerprint: String,
    description: String,
}

/// What runs the model.
enum Runner {
    Cpu(Box<CpuBert>),
    Gpu(TensorEmbedder),
}

/// How a model is to be run.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Where.
    pub device: OpenDevice,
    /// How exactly.
    pub precision: Precision,
    /// Threads on the processor; `None` takes `RAYON_NUM_THREADS` or as many as there are cores.
    pub threads: Option<usize>,
    /// Family of instructions on the processor, to measure others than the fastest: one of [`instruction_families`].
    pub instructions: Option<String>,
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

/// The families of instructions that the forward pass can use on this processor, fastest first.
pub fn instruction_families() -> Vec<&'static str> {
    Kernels::available().iter().map(|kernels| kernels.name).collect()
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
            let tokenizer = scope.spawn(|| read_tokenizer(&tokenizer_file, folder.max_tokens));
            let runner = Runner::load(&weights, &folder, execution);
            (tokenizer.join().expect("reading a tokenizer does not panic"), runner)
        });
        let (tokenizer, runner) = (tokenizer?, runner?);
        let fingerprint = fingerprint(model, &folder, execution.precision);
        let description = format!("{}, {}", runner.describe(&execution.device), execution.precision);
        Ok(SentenceTransformer {
            runner,
            folder,
            tokenizer,
            uncut: OnceLock::new(),
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
        let bert = &self.folder.bert;
        let (width, inner) = (bert.hidden_size, bert.intermediate_size);
        let linear = 4 * width * width + 2 * width * inner;
        2 * bert.num_hidden_layers * (tokens * linear + 2 * tokens * tokens * width)
    }

    /// Embeds phase after phase with the time of each, as a benchmark wants it; slower than [`Embed::embed`], where phases
    /// overlap. `budget` is for GPUs.
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
            Runner::Cpu(_) => (start.elapsed().saturating_sub(phases.pool), tokens),
            Runner::Gpu(_) => (phases.forward, budget.padded(&lengths)),
        };
        let Phases { copy, pool, .. } = phases;
        Ok(Measured { embeddings, tokenize, copy, forward, pool, tokens, computed_tokens })
    }

    fn prompt(&self, role: TextRole) -> &str {
        match role {
            TextRole::Question => &self.folder.prompts.question,
            TextRole::Passage => &self.folder.prompts.passage,
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
        let vectors = match &self.runner {
            Runner::Cpu(bert) => {
                let texts: Vec<&[u32]> = encodings.iter().map(Encoding::get_ids).collect();
                let (vectors, pooling) = bert.forward(&texts, self.folder.pooling, on_states)?;
                if let Some(phases) = phases {
                    phases.pool = pooling;
                }
                vectors
            }
            Runner::Gpu(embedder) => {
                let rows: Vec<TokenRow<'_>> = encodings.iter().map(TokenRow::from).collect();
                embedder.embed(&rows, budget, on_states, phases)?
            }
        };
        Ok(vectors.into_iter().map(Embedding::normalized).collect())
    }

    /// Tokenizes a window of texts while the model runs on the one before, so that neither waits and memory does not grow
    /// with the number of texts.
    fn run_windows(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: Option<KeepTokens<'_>>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, ModelError> {
        let offsets = if keep.is_some() { Offsets::Find } else { Offsets::Skip };
        let mut embeddings = Vec::with_capacity(texts.len());
        let mut windows = texts.chunks(self.runner.window());
        let mut next = windows.next().map(|window| self.tokenize(window, role, offsets));
        while let Some(encodings) = next.transpose()? {
            let first = embeddings.len();
            let on_states = |at: usize, states| {
                if let Some(keep) = keep {
                    keep(first + at, token_vectors(&encodings[at], states, self.prompt(role).len()));
                }
            };
            let wanted: Option<OnStates<'_>> = keep.is_some().then_some(&on_states);
            let run = || self.run(&encodings, Budget::GPU, wanted, None);
            let (done, following) = match windows.next() {
                Some(window) => rayon::join(run, || Some(self.tokenize(window, role, offsets))),
                None => (run(), None),
            };
            embeddings.extend(done?);
            on_done(encodings.len());
            next = following;
        }
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
        self.folder.bert.hidden_size
    }

    fn max_tokens(&self) -> usize {
        let prompt = self.folder.prompts.passage.len().div_ceil(2);
        self.folder.max_tokens.saturating_sub(prompt)
    }

    fn count_tokens(&self, texts: &[&str]) -> Vec<usize> {
        let uncut = self.uncut.get_or_init(|| {
            let mut uncut = self.tokenizer.clone();
            uncut.with_truncation(None).expect("lifting the limit cannot fail");
            uncut
        });
        match uncut.encode_batch_fast(texts.to_vec(), true) {
            Ok(encodings) => encodings.iter().map(Encoding::len).collect(),
            // WordPiece and BPE encode any string; a tokenizer that does not gets the safest estimate.
            Err(_) => texts.iter().map(|text| text.len() + 2).collect(),
        }
    }

    fn embed(
        &self,
        texts: &[&str],
        role: TextRole,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        self.run_windows(texts, role, None, on_done).map_err(|error| EmbedError(Box::new(error)))
    }

    fn embed_tokens(
        &self,
        texts: &[&str],
        role: TextRole,
        keep: KeepTokens<'_>,
        on_done: &dyn Fn(usize),
    ) -> Result<Vec<Embedding>, EmbedError> {
        self.run_windows(texts, role, Some(keep), on_done).map_err(|error| EmbedError(Box::new(error)))
    }

    fn token_spans(&self, text: &str, role: TextRole) -> Option<Vec<Span>> {
        let encodings = self.tokenize(&[text], role, Offsets::Find).ok()?;
        Some(spans(encodings.first()?, self.prompt(role).len()))
    }
}

impl Runner {
    fn load(weights: &Path, folder: &ModelFolder, execution: &Execution) -> Result<Self, ModelError> {
        let device = &execution.device.device;
        if device.is_cpu() {
            let kernels = kernels(execution.instructions.as_deref())?;
            let threads = execution.threads.unwrap_or_else(rayon::current_num_threads);
            let (weights, team) = (Weights::open(weights)?, Team::new(threads)?);
            return CpuBert::load(weights, &folder.bert, execution.precision, kernels, team)
                .map(|bert| Runner::Cpu(Box::new(bert)));
        }
        let kind = match execution.precision {
            Precision::F32 => DType::F32,
            Precision::Fast => DType::F16,
            Precision::Bf16 => DType::BF16,
            Precision::Int8 => {
                return Err(ModelError::Precision {
                    precision: execution.precision.to_string(),
                    device: "a GPU".into(),
                    reason: "use f32, fast (f16) or bf16",
                });
            }
        };
        // SAFETY: the file is mapped for reading and copied into tensors before this function returns; verified
        // models are replaced by rename, never written in place.
        let variables = unsafe { VarBuilder::from_mmaped_safetensors(&[weights], DType::F32, &Device::Cpu) };
        let load = |variables| TensorEmbedder::load(&variables, &folder.bert, folder.pooling, device, kind);
        variables.and_then(load).map(Runner::Gpu).map_err(|error| ModelError::damaged(weights, &error))
    }

    /// Texts that are tokenized before the model runs on them: enough to fill the device's batches, and often enough to
    /// show progress.
    fn window(&self) -> usize {
        match self {
            Runner::Cpu(_) => 512,
            Runner::Gpu(_) => 16_384,
        }
    }

    fn describe(&self, device: &OpenDevice) -> String {
        match self {
            Runner::Cpu(bert) => {
                let threads = bert.threads();
                let plural = if threads == 1 { "" } else { "s" };
                format!("cpu ({}, {threads} thread{plural})", bert.instructions())
            }
            Runner::Gpu(_) => device.description.clone(),
        }
    }
}

/// The fastest kernels, or those that were asked for.
fn kernels(name: Option<&str>) -> Result<&'static Kernels, ModelError> {
    let Some(name) = name else { return Ok(Kernels::best()) };
    let named = Kernels::available().into_iter().find(|kernels| kernels.name == name);
    named.ok_or_else(|| ModelError::Instructions {
        name: name.into(),
        known: instruction_families().join(", "),
    })
}

fn fingerprint(model: &LocatedModel, folder: &ModelFolder, precision: Precision) -> String {
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
    for (side, prompt) in [("question", &folder.prompts.question), ("passage", &folder.prompts.passage)] {
        if !prompt.is_empty() {
            line.push_str(&format!(", {side} prompt {prompt:?}"));
        }
    }
    line
}
