//! Chooses the next token.

use candle_core::Tensor;
use candle_transformers::generation::{LogitsProcessor, Sampling};
use guidepost_text::GenerateOptions;

use crate::ModelError;

/// Where there is a choice, it is among this many tokens,
const CANDIDATES: usize = 64;
/// and among the likeliest that together are this likely: what is unlikely each is likely all together, and derails.
const SHARE: f64 = 0.95;

/// Chooses one token after the other.
pub(crate) struct Sampler(LogitsProcessor);

impl Sampler {
    /// # Errors
    /// A temperature that is negative or no number.
    pub(crate) fn new(options: &GenerateOptions) -> Result<Self, ModelError> {
        let temperature = f64::from(options.temperature);
        if !temperature.is_finite() || temperature < 0.0 {
            return Err(ModelError::Run(format!("a temperature is 0 or above, not {temperature}")));
        }
        let sampling = match temperature < 1e-6 {
            true => Sampling::ArgMax,
            false => Sampling::TopKThenTopP { k: CANDIDATES, p: SHARE, temperature },
        };
        Ok(Sampler(LogitsProcessor::from_sampling(options.seed, sampling)))
    }

    /// The next token; `scores` has a number for each.
    ///
    /// # Errors
    /// Scores that are no numbers: the model's weights are damaged.
    pub(crate) fn choose(&mut self, scores: &Tensor) -> Result<u32, ModelError> {
        let numbers = scores.to_vec1::<f32>()?;
        if numbers.iter().any(|number| number.is_nan()) {
            return Err(ModelError::Run("the model gives no numbers: its weights are damaged".into()));
        }
        let scores = Tensor::new(numbers, &candle_core::Device::Cpu)?;
        Ok(self.0.sample(&scores)?)
    }
}
