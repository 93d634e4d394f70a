//! Tells positions apart: pairs of numbers are rotated, by an angle that grows with the position.

use candle_core::{Device, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};

use crate::ModelError;

use super::gguf::GgufFile;
use super::sizes::{Family, Sizes};

/// How fast each pair turns.
pub(crate) struct Rotary {
    /// Radians per position, one per pair: half as many as a head has numbers.
    speeds: Vec<f64>,
    /// Whether the numbers of a pair are neighbors; else half a head apart.
    neighbors: bool,
    device: Device,
}

/// Sines and cosines of some positions that follow each other.
pub(crate) struct Angles {
    /// [positions, pairs].
    cosines: Tensor,
    /// [positions, pairs].
    sines: Tensor,
    neighbors: bool,
}

impl Rotary {
    /// Reads what the file says. Llama 3.1 and later divide each speed by a number of its own, which is in the tensor
    /// `rope_freqs.weight`.
    ///
    /// # Errors
    /// Such a tensor that is damaged.
    pub(crate) fn read(file: &mut GgufFile, sizes: &Sizes, device: &Device) -> Result<Self, ModelError> {
        let pairs = sizes.head / 2;
        let name = "rope_freqs.weight";
        let divisors = match file.shape(name) {
            Some(_) => {
                file.tensor(name, &[pairs], &Device::Cpu)?.dequantize(&Device::Cpu)?.to_vec1::<f32>()?
            }
            None => vec![1.0; pairs],
        };
        let speed = |(pair, divisor): (usize, &f32)| {
            let speed = sizes.rotary_base.powf(-(pair as f64) / pairs as f64);
            speed / (sizes.rotary_divisor * f64::from(*divisor))
        };
        let speeds = divisors.iter().enumerate().map(speed).collect();
        Ok(Rotary { speeds, neighbors: sizes.family == Family::Llama, device: device.clone() })
    }

    /// Angles of `count` positions from `start` on.
    pub(crate) fn angles(&self, start: usize, count: usize) -> Result<Angles, ModelError> {
        let angles: Vec<f64> = (start..start + count)
            .flat_map(|position| self.speeds.iter().map(move |speed| position as f64 * speed))
            .collect();
        let tensor = |function: fn(f64) -> f64| {
            let numbers: Vec<f32> = angles.iter().map(|angle| function(*angle) as f32).collect();
            Tensor::from_vec(numbers, (count, self.speeds.len()), &self.device)
        };
        Ok(Angles { cosines: tensor(f64::cos)?, sines: tensor(f64::sin)?, neighbors: self.neighbors })
    }
}

impl Angles {
    /// Rotates queries or keys: [heads, positions, head], contiguous; the same shape comes back.
    pub(crate) fn rotate(&self, heads: &Tensor) -> candle_core::Result<Tensor> {
        let rotate = if self.neighbors { rope_i } else { rope };
        rotate(&heads.unsqueeze(0)?, &self.cosines, &self.sines)?.squeeze(0)
    }
}
