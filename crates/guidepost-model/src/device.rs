//! Where the model runs. A device asked for by name is used or is an error; only `auto` may choose.

use std::fmt;
use std::str::FromStr;

use candle_core::Device;

use crate::{ModelError, Precision};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The best that is there.
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU, counted from 0.
    Cuda(usize),
    /// Apple's GPU.
    Metal,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || format!("`{text}` is no device; use auto, cpu, cuda, cuda:N or metal");
        match text.to_ascii_lowercase().split_once(':') {
            Some(("cuda", number)) => number.parse().map(DeviceChoice::Cuda).map_err(|_| unknown()),
            Some(_) => Err(unknown()),
            None => match text.to_ascii_lowercase().as_str() {
                "auto" => Ok(DeviceChoice::Auto),
                "cpu" => Ok(DeviceChoice::Cpu),
                "cuda" | "gpu" => Ok(DeviceChoice::Cuda(0)),
                "metal" => Ok(DeviceChoice::Metal),
                _ => Err(unknown()),
            },
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Cuda(number) => write!(f, "cuda:{number}"),
            DeviceChoice::Metal => f.write_str("metal"),
        }
    }
}

/// A device ready for use.
#[derive(Debug, Clone)]
pub struct OpenDevice {
    pub(crate) device: Device,
    /// Which it is and why, for people: `cpu (built without CUDA and Metal)`.
    pub description: String,
}

impl OpenDevice {
    /// Whether this build knows another device than the processor, so that `auto` really chooses.
    pub fn has_choice() -> bool {
        cfg!(feature = "cuda") || cfg!(feature = "metal")
    }

    /// Whether it is the processor.
    pub fn is_cpu(&self) -> bool {
        self.device.is_cpu()
    }

    /// The precisions that it offers, most exact first.
    pub fn precisions(&self) -> &'static [Precision] {
        match self.is_cpu() {
            true => &[Precision::F32, Precision::Fast, Precision::Int8],
            false => &[Precision::F32, Precision::Fast, Precision::Bf16],
        }
    }

    /// Opens what was asked for.
    ///
    /// # Errors
    /// [`ModelError::Device`] when a device was named and cannot be used.
    pub fn open(choice: DeviceChoice) -> Result<Self, ModelError> {
        let refuse = |reason: String| ModelError::Device { device: choice.to_string(), reason };
        match choice {
            DeviceChoice::Auto => Ok(automatic()),
            DeviceChoice::Cpu => {
                Ok(OpenDevice { device: Device::Cpu, description: "cpu (asked for)".into() })
            }
            DeviceChoice::Cuda(number) => open_cuda(number).map_err(refuse),
            DeviceChoice::Metal => open_metal().map_err(refuse),
        }
    }
}

fn automatic() -> OpenDevice {
    let tried = [open_cuda(0), open_metal()];
    let mut reasons = Vec::new();
    for attempt in tried {
        match attempt {
            Ok(open) => return open,
            Err(reason) => reasons.push(reason),
        }
    }
    let why =
        if OpenDevice::has_choice() { reasons.join("; ") } else { "built without CUDA and Metal".to_owned() };
    OpenDevice { device: Device::Cpu, description: format!("cpu ({why})") }
}

#[cfg(feature = "cuda")]
fn open_cuda(number: usize) -> Result<OpenDevice, String> {
    let device = crate::tensors::cuda::open(number).map_err(|error| error.to_string())?;
    Ok(OpenDevice { device, description: format!("cuda:{number}") })
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_number: usize) -> Result<OpenDevice, String> {
    Err("built without CUDA; build with `cargo build --release --features cuda`".into())
}

/// Untested: nobody has run this on a Mac yet. Nothing else is particular to Metal.
fn open_metal() -> Result<OpenDevice, String> {
    if !cfg!(feature = "metal") {
        return Err(
            "built without Metal; on a Mac, build with `cargo build --release --features metal`".into()
        );
    }
    let device = Device::new_metal(0).map_err(|error| error.to_string())?;
    Ok(OpenDevice { device, description: "metal".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood() {
        for (text, choice) in [
            ("auto", DeviceChoice::Auto),
            ("CPU", DeviceChoice::Cpu),
            ("cuda", DeviceChoice::Cuda(0)),
            ("cuda:3", DeviceChoice::Cuda(3)),
            ("metal", DeviceChoice::Metal),
        ] {
            assert_eq!(text.parse(), Ok(choice));
        }
        for text in ["", "tpu", "cuda:x", "cpu:1"] {
            assert!(text.parse::<DeviceChoice>().is_err_and(|error| error.contains("use auto, cpu")));
        }
    }

    #[test]
    fn a_named_device_never_falls_back() {
        assert!(OpenDevice::open(DeviceChoice::Auto).is_ok());
        if !cfg!(feature = "metal") {
            let refused = OpenDevice::open(DeviceChoice::Metal).expect_err("this build has no Metal");
            assert!(refused.to_string().contains("built without Metal"), "{refused}");
        }
    }
}
