//! Which family a model is of, and how large its parts are.

use crate::ModelError;

use super::gguf::GgufFile;

/// Transformers that differ in details.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Llama, Mistral, SmolLM and others; rotates neighboring numbers.
    Llama,
    /// Qwen2 and 2.5: biases on queries, keys and values.
    Qwen2,
    /// Qwen3: queries and keys are normalized head by head.
    Qwen3,
}

impl Family {
    const ALL: [(&str, Family); 3] =
        [("llama", Family::Llama), ("qwen2", Family::Qwen2), ("qwen3", Family::Qwen3)];

    fn read(file: &GgufFile) -> Result<(String, Self), ModelError> {
        let key = "general.architecture";
        let found = file.text(key).ok_or_else(|| file.lacking(key, "which kind of model it is"))?;
        let known = Family::ALL.iter().find(|(name, _)| *name == found);
        known.map(|(name, family)| ((*name).to_owned(), *family)).ok_or_else(|| {
            let names = Family::ALL.map(|(name, _)| name).join(", ");
            file.broken(format!("its architecture is `{found}`; those that can be run: {names}"))
        })
    }
}

/// Sizes, all above 0.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sizes {
    pub(crate) family: Family,
    /// Blocks of attention and feed-forward, one after the other.
    pub(crate) layers: usize,
    /// Numbers per token between the blocks.
    pub(crate) width: usize,
    /// Heads of queries; a multiple of `key_heads`.
    pub(crate) heads: usize,
    /// Heads of keys and values.
    pub(crate) key_heads: usize,
    /// Numbers per head; even.
    pub(crate) head: usize,
    /// Numbers per token within the feed-forward part.
    pub(crate) inner: usize,
    /// Tokens it was trained to see at once.
    pub(crate) context: usize,
    /// What keeps norms from dividing by 0.
    pub(crate) epsilon: f32,
    /// Base of the angles by which positions are told apart.
    pub(crate) rotary_base: f64,
    /// Positions are divided by this.
    pub(crate) rotary_divisor: f64,
}

impl Sizes {
    /// What the file says.
    ///
    /// # Errors
    /// Another architecture, a size that is missing or does not go with the others, or a variant that cannot be run.
    pub(crate) fn read(file: &GgufFile) -> Result<Self, ModelError> {
        let (name, family) = Family::read(file)?;
        let key = |rest: &str| format!("{name}.{rest}");
        let count = |rest: &str| file.count(&key(rest));
        let (width, heads) = (count("embedding_length")?, count("attention.head_count")?);
        let epsilon = key("attention.layer_norm_rms_epsilon");
        let sizes = Sizes {
            family,
            layers: count("block_count")?,
            width,
            heads,
            key_heads: file.number(&key("attention.head_count_kv")).unwrap_or(heads),
            head: file.number(&key("attention.key_length")).unwrap_or(width / heads),
            inner: count("feed_forward_length")?,
            context: count("context_length")?,
            epsilon: file.real(&epsilon).ok_or_else(|| file.lacking(&epsilon, "a number"))? as f32,
            rotary_base: file.real(&key("rope.freq_base")).unwrap_or(10_000.0),
            rotary_divisor: rotary_divisor(file, &name)?,
        };
        sizes.check(file, &name)?;
        Ok(sizes)
    }

    fn check(&self, file: &GgufFile, name: &str) -> Result<(), ModelError> {
        let refuse = |reason: String| Err(file.broken(reason));
        let (heads, key_heads, head) = (self.heads, self.key_heads, self.head);
        if key_heads == 0 || !heads.is_multiple_of(key_heads) {
            return refuse(format!("{heads} heads cannot share {key_heads} heads of keys"));
        }
        if head == 0 || !head.is_multiple_of(2) {
            return refuse(format!("a head of {head} numbers cannot be rotated"));
        }
        for part in ["attention.value_length", "rope.dimension_count"] {
            let size = file.number(&format!("{name}.{part}")).unwrap_or(head);
            if size != head {
                return refuse(format!(
                    "`{name}.{part}` is {size}; only {head}, the size of a head, can be run"
                ));
            }
        }
        match file.number(&format!("{name}.expert_count")).unwrap_or(0) {
            0 => Ok(()),
            experts => refuse(format!("it is a mixture of {experts} experts, which cannot be run")),
        }
    }
}

/// What positions are divided by, so that a model can see more than it was trained for.
fn rotary_divisor(file: &GgufFile, name: &str) -> Result<f64, ModelError> {
    match file.text(&format!("{name}.rope.scaling.type")) {
        None | Some("none") => Ok(1.0),
        Some("linear") => {
            let key = format!("{name}.rope.scaling.factor");
            let factor = file.real(&key).filter(|factor| *factor > 0.0);
            factor.ok_or_else(|| file.lacking(&key, "a number above 0"))
        }
        Some(other) => Err(file
            .broken(format!("its positions are scaled by `{other}`; only `none` and `linear` can be run"))),
    }
}
