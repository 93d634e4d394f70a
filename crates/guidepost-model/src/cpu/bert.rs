//! BERT on the processor: tokens packed without padding, weights laid out once, every thread of a team at work.
//!
//! Texts are put into groups. With enough groups each thread takes its own; with few (one short question), all threads
//! share each group, every one computing a part of the columns, and wait for each other between the stages.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use memmap2::MmapMut;

use super::distances::DistanceBias;
use super::groups::{GROUP_TOKENS, groups};
use super::kernels::Kernels;
use super::layer::{Layer, Norm, Shape};
use super::linear::Storage;
use super::pass::{Pass, Workspace, per_text, pool};
use super::team::{Member, Team};
use super::weights::Weights;
use crate::architecture::{BertConfig, Family};
use crate::folder::Pooling;
use crate::token_row::TokenRow;
use crate::{ModelError, Precision};

/// Takes the last layer's states of a text's tokens, by its place among the texts: shape `[tokens, width]`.
pub(crate) type OnStates<'a> = &'a (dyn Fn(usize, Vec<f32>) + Sync);

/// A vector per text, and how long pooling took.
type Pooled = (Vec<Vec<f32>>, Duration);

const WORDS: &str = "embeddings.word_embeddings.weight";

/// A BERT, or a relative of it, ready to run.
pub(crate) struct CpuBert {
    weights: Weights,
    /// Embeddings of the words where the file has them in another format than f32; else they are read where they lie.
    converted_words: Option<Vec<f32>>,
    pub(super) shape: Shape,
    /// Embeddings of the positions, once for every token type, which is added. Shape `[types * positions, width]`.
    pub(super) places: Vec<f32>,
    /// Rows of the table of positions.
    pub(super) positions: usize,
    /// See [`BertConfig::padding_before`].
    pub(super) padding_before: Option<u32>,
    /// What MPNet adds to the scores of attention.
    pub(super) distances: Option<DistanceBias>,
    pub(super) norm: Norm,
    pub(super) layers: Vec<Layer>,
    /// The weights of all layers' products.
    pub(super) panels: MmapMut,
    pub(super) kernels: &'static Kernels,
    team: Team,
    /// One per member of the team; held during a call.
    workspaces: Mutex<Vec<Workspace>>,
}

impl CpuBert {
    /// Lays the weights out for the processor.
    ///
    /// # Errors
    /// A tensor that is missing or misshapen.
    pub(crate) fn load(
        weights: Weights,
        config: &BertConfig,
        precision: Precision,
        kernels: &'static Kernels,
        team: Team,
    ) -> Result<Self, ModelError> {
        let sizes = &config.sizes;
        let shape = Shape::of(sizes);
        let storage = Storage::of(precision, kernels).ok_or_else(|| ModelError::Precision {
            precision: precision.to_string(),
            device: "the processor".into(),
            reason: "use f32, fast or int8",
        })?;
        let converted_words = match weights.tensor(WORDS, &[shape.vocabulary, shape.width])? {
            Cow::Borrowed(_) => None,
            Cow::Owned(words) => Some(words),
        };
        let mut panels = large_memory(sizes.num_hidden_layers * Layer::bytes(sizes, storage))?;
        let distances =
            (config.family == Family::Mpnet).then(|| DistanceBias::load(&weights, sizes)).transpose()?;
        Ok(CpuBert {
            places: load_places(&weights, config)?,
            positions: sizes.max_position_embeddings,
            padding_before: config.padding_before(),
            distances,
            norm: Norm::load(&weights, "embeddings.LayerNorm", sizes)?,
            layers: Layer::load_all(&weights, sizes, storage, &team, &mut panels)?,
            panels,
            converted_words,
            weights,
            shape,
            kernels,
            workspaces: Mutex::new((0..team.size()).map(|_| Workspace::default()).collect()),
            team,
        })
    }

    /// The name of the instructions in use.
    pub(crate) fn instructions(&self) -> &'static str {
        self.kernels.name
    }

    /// Threads at work.
    pub(crate) fn threads(&self) -> usize {
        self.team.size()
    }

    /// Pooled vectors of texts given as tokens, in the order of the texts, not normalized (zeros for a text
    /// without tokens), and how long pooling took. `on_states` hears of each text's states, from the thread that has them.
    ///
    /// # Errors
    /// [`ModelError::Tokens`] for a token outside the vocabulary or a text beyond the model's positions.
    pub(crate) fn forward(
        &self,
        texts: &[TokenRow<'_>],
        pooling: Pooling,
        on_states: Option<OnStates<'_>>,
    ) -> Result<Pooled, ModelError> {
        let words = match &self.converted_words {
            Some(words) => Cow::Borrowed(&words[..]),
            None => self.weights.tensor(WORDS, &[self.shape.vocabulary, self.shape.width])?,
        };
        self.check(texts)?;
        let lengths: Vec<usize> = texts.iter().map(|text| text.len()).collect();
        let groups = groups(&lengths, GROUP_TOKENS);
        let tokens = |group: &Vec<usize>| group.iter().map(|&at| lengths[at]).sum::<usize>();
        let largest = groups.iter().map(tokens).max().unwrap_or(0);

        let mut workspaces = self.workspaces.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = workspaces[0].matrices(self.shape, largest);
        let spaces: Vec<Mutex<&mut Workspace>> = workspaces.iter_mut().map(Mutex::new).collect();
        let pooled: Mutex<Pooled> =
            Mutex::new((vec![vec![0.0; self.shape.width]; texts.len()], Duration::ZERO));
        let alone = groups.len() - groups.len() % self.team.size();
        let next = AtomicUsize::new(0);
        self.team.run(|member| {
            let mut space = spaces[member.index].lock().unwrap_or_else(PoisonError::into_inner);
            let own = space.matrices(self.shape, largest);
            let mut pass = |member: Member<'_>, matrices, group: &[usize]| {
                let texts: Vec<TokenRow<'_>> = group.iter().map(|&at| texts[at]).collect();
                let states =
                    Pass { bert: self, words: &words, member, matrices, space: &mut space }.run(&texts);
                if member.index > 0 {
                    return;
                }
                let start = Instant::now();
                // SAFETY: the workspace holds the states of these texts until the next group.
                let vectors = unsafe { pool(&texts, states, pooling) };
                if let Some(on_states) = on_states {
                    // SAFETY: as above.
                    let states = unsafe { per_text(&texts, states) };
                    group.iter().zip(states).for_each(|(&at, states)| on_states(at, states));
                }
                let mut pooled = pooled.lock().unwrap_or_else(PoisonError::into_inner);
                for (&at, vector) in group.iter().zip(vectors) {
                    pooled.0[at] = vector;
                }
                pooled.1 += start.elapsed() / self.team.size() as u32;
            };
            while let Some(group) = groups[..alone].get(next.fetch_add(1, Ordering::Relaxed)) {
                pass(member.alone(), own, group);
            }
            for group in &groups[alone..] {
                member.wait();
                pass(member, shared, group);
            }
        });
        Ok(pooled.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn check(&self, texts: &[TokenRow<'_>]) -> Result<(), ModelError> {
        let positions = self.positions.saturating_sub(self.padding_before.map_or(0, |at| at as usize + 1));
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        if longest > positions {
            return Err(ModelError::Tokens(format!(
                "{longest} tokens, but the model has {positions} positions"
            )));
        }
        let types = self.places.len() / self.shape.width / self.positions.max(1);
        if let Some(kind) = texts.iter().flat_map(|text| text.types).find(|&&kind| kind as usize >= types) {
            return Err(ModelError::Tokens(format!(
                "the tokenizer made a token of type {kind}, but the model knows {types}"
            )));
        }
        let largest = texts.iter().flat_map(|text| text.ids).max();
        match largest {
            Some(&token) if token as usize >= self.shape.vocabulary => {
                let size = self.shape.vocabulary;
                Err(ModelError::Tokens(format!(
                    "the tokenizer made token {token}, but the model knows {size}"
                )))
            }
            _ => Ok(()),
        }
    }
}

/// Zeroed memory in large pages where the system has them: weights are read from end to end for every group, and with
/// small pages the processor spends a tenth of its time looking up addresses.
fn large_memory(bytes: usize) -> Result<MmapMut, ModelError> {
    let memory = MmapMut::map_anon(bytes.max(1)).map_err(ModelError::Memory)?;
    #[cfg(target_os = "linux")]
    {
        // Advice: where it is not taken, pages are small.
        let _ = memory.advise(memmap2::Advice::HugePage);
    }
    Ok(memory)
}

fn load_places(weights: &Weights, config: &BertConfig) -> Result<Vec<f32>, ModelError> {
    let (positions, width) = (config.sizes.max_position_embeddings, config.sizes.hidden_size);
    let places = weights.tensor("embeddings.position_embeddings.weight", &[positions, width])?;
    let types = config.sizes.type_vocab_size;
    if types == 0 {
        return Ok(places.into_owned());
    }
    let kinds = weights.tensor("embeddings.token_type_embeddings.weight", &[types, width])?;
    let of_kind = |kind: &[f32]| -> Vec<f32> {
        places.iter().enumerate().map(|(at, place)| place + kind[at % width]).collect()
    };
    Ok(kinds.chunks_exact(width).flat_map(of_kind).collect())
}
