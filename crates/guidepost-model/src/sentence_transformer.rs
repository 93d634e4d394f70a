//! A sentence transformer on candle: tokens, batches, one forward pass, pooling.

use std::path::Path;
use std::sync::OnceLock;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::BertModel;
use guidepost_text::{Embed, EmbedError, Embedding, TextRole};
use tokenizers::{Encoding, Tokenizer, TruncationParams};

use crate::folder::{ModelFolder, Pooling};
use crate::{LocatedModel, ModelError, OpenDevice};

/// Tokens in one batch, padding included: bounds the memory of a forward pass whatever the corpus.
const BATCH_TOKENS: usize = 4096;

/// A loaded model. Implements [`Embed`].
pub struct SentenceTransformer {
    bert: BertModel,
    device: Device,
    folder: ModelFolder,
    /// Cuts at the model's limit.
    tokenizer: Tokenizer,
    /// Cuts nothing; only measuring needs it.
    uncut: OnceLock<Tokenizer>,
    fingerprint: String,
}

impl SentenceTransformer {
    /// Maps the weights and makes the model ready.
    ///
    /// # Errors
    /// Missing or damaged files, each named; an architecture, module or pooling that is not supported.
    pub fn load(model: &LocatedModel, device: &OpenDevice) -> Result<Self, ModelError> {
        let folder = ModelFolder::read(&model.folder)?;
        let tokenizer = read_tokenizer(&folder.path.join("tokenizer.json"), folder.max_tokens)?;
        let weights = folder.path.join("model.safetensors");
        let damaged = |error: candle_core::Error| ModelError::Damaged {
            path: weights.clone(),
            reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        // SAFETY: the file is mapped for reading and copied into tensors before this function returns; verified
        // models are replaced by rename, never written in place.
        let variables = unsafe {
            VarBuilder::from_mmaped_safetensors(&[&weights], DType::F32, &device.device).map_err(damaged)?
        };
        let bert = BertModel::load(variables, &folder.bert).map_err(damaged)?;
        let fingerprint = fingerprint(model, &folder);
        Ok(SentenceTransformer {
            bert,
            device: device.device.clone(),
            folder,
            tokenizer,
            uncut: OnceLock::new(),
            fingerprint,
        })
    }

    /// Runs one batch of encodings, all padded to the longest.
    fn forward(&self, batch: &[&Encoding]) -> Result<Vec<Embedding>, candle_core::Error> {
        let longest = batch.iter().map(|encoding| encoding.len()).max().unwrap_or(0);
        let shape = (batch.len(), longest);
        let padded = |part: fn(&Encoding) -> &[u32], pad: u32| {
            let row = |encoding: &&Encoding| {
                let values = part(encoding).iter().copied();
                values.chain(std::iter::repeat(pad)).take(longest).collect::<Vec<u32>>()
            };
            Tensor::from_vec(batch.iter().flat_map(row).collect::<Vec<u32>>(), shape, &self.device)
        };
        let ids = padded(Encoding::get_ids, self.folder.bert.pad_token_id as u32)?;
        let types = padded(Encoding::get_type_ids, 0)?;
        let mask = padded(Encoding::get_attention_mask, 0)?;
        let tokens = self.bert.forward(&ids, &types, Some(&mask))?;
        let pooled = match self.folder.pooling {
            Pooling::Mean => mean(&tokens, &mask)?,
            Pooling::Cls => tokens.narrow(1, 0, 1)?.squeeze(1)?,
        };
        Ok(pooled.to_vec2::<f32>()?.into_iter().map(Embedding::normalized).collect())
    }
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
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| EmbedError(error);
        let prompt = match role {
            TextRole::Question => &self.folder.prompts.question,
            TextRole::Passage => &self.folder.prompts.passage,
        };
        let inputs: Vec<String> = texts.iter().map(|text| format!("{prompt}{text}")).collect();
        let encodings = self.tokenizer.encode_batch_fast(inputs, true).map_err(failed)?;
        let mut embeddings: Vec<Option<Embedding>> = vec![None; texts.len()];
        for batch in batches(&encodings) {
            let rows: Vec<&Encoding> = batch.iter().map(|&at| &encodings[at]).collect();
            let computed = self.forward(&rows).map_err(|error| failed(Box::new(error)))?;
            on_done(batch.len());
            for (at, embedding) in batch.into_iter().zip(computed) {
                embeddings[at] = Some(embedding);
            }
        }
        Ok(embeddings.into_iter().map(|embedding| embedding.expect("every text is in one batch")).collect())
    }
}

/// Positions of the encodings, longest first so that memory peaks at once and padding is rare, cut where another
/// one would exceed [`BATCH_TOKENS`].
fn batches(encodings: &[Encoding]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..encodings.len()).collect();
    order.sort_by_key(|&at| (std::cmp::Reverse(encodings[at].len()), at));
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for at in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * encodings[batch[0]].len() <= BATCH_TOKENS => batch.push(at),
            _ => batches.push(vec![at]),
        }
    }
    batches
}

/// Mean over the tokens the mask keeps. Shapes: tokens `[batch, length, hidden]`, mask `[batch, length]`.
fn mean(tokens: &Tensor, mask: &Tensor) -> Result<Tensor, candle_core::Error> {
    let mask = mask.to_dtype(tokens.dtype())?.unsqueeze(2)?;
    let sum = tokens.broadcast_mul(&mask)?.sum(1)?;
    sum.broadcast_div(&mask.sum(1)?.clamp(1e-9, f64::INFINITY)?)
}

/// The folder's tokenizer with the model's own limit. The file's settings for padding and truncation are somebody
/// else's leftovers (all-MiniLM-L6-v2's say 128 where the model takes 256).
fn read_tokenizer(path: &Path, max_tokens: usize) -> Result<Tokenizer, ModelError> {
    let damaged =
        |error: tokenizers::Error| ModelError::Damaged { path: path.to_owned(), reason: error.to_string() };
    std::fs::metadata(path).map_err(|error| ModelError::Missing { path: path.to_owned(), error })?;
    let mut tokenizer = Tokenizer::from_file(path).map_err(damaged)?;
    tokenizer.with_padding(None);
    let truncation = TruncationParams { max_length: max_tokens, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(damaged)?;
    Ok(tokenizer)
}

fn fingerprint(model: &LocatedModel, folder: &ModelFolder) -> String {
    let pooling = match folder.pooling {
        Pooling::Mean => "mean",
        Pooling::Cls => "cls",
    };
    let mut line = format!(
        "{}: weights {}, {pooling} pooling, {} tokens, f32",
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
