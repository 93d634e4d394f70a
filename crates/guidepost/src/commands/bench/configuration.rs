//! What is compared: every device with the precisions and numbers of threads that it offers, each with its own copy of the
//! model.

use std::time::Instant;

use anyhow::{Context, bail, ensure};
use guidepost_model::{
    Budget, DeviceChoice, Execution, LocatedModel, Measured, OpenDevice, Precision, SentenceTransformer,
};
use guidepost_text::{Embed, Embedding, TextRole};

use crate::cli::BenchEmbedArgs;
use crate::console::Console;

/// One way to run the model.
#[derive(Clone)]
pub(super) struct Configuration {
    device: OpenDevice,
    pub(super) precision: Precision,
    /// Threads of the model; `None` on a GPU.
    pub(super) threads: Option<usize>,
    instructions: Option<String>,
}

impl Configuration {
    /// Every combination that was asked for.
    pub(super) fn all(
        args: &BenchEmbedArgs,
        setting: Option<DeviceChoice>,
        console: &Console,
    ) -> anyhow::Result<Vec<Self>> {
        let default = [setting.unwrap_or(DeviceChoice::Auto)];
        let named = if args.device.is_empty() { &default[..] } else { &args.device };
        let devices = named.iter().map(|&choice| Ok(OpenDevice::open(choice)?));
        let devices = devices.collect::<anyhow::Result<Vec<OpenDevice>>>()?;
        check_precisions(&args.precision, &devices)?;
        let has_cpu = devices.iter().any(OpenDevice::is_cpu);
        ensure!(has_cpu || args.threads.is_empty(), "--threads is for the processor; add `cpu` to --device");
        ensure!(
            has_cpu || args.instructions.is_none(),
            "--instructions is for the processor; add `cpu` to --device"
        );
        let mut all: Vec<Configuration> = Vec::new();
        for device in &devices {
            for found in Self::of(device, args, console) {
                if all.iter().all(|other| other.label() != found.label()) {
                    all.push(found);
                }
            }
        }
        Ok(all)
    }

    /// The processor with full precision: what vectors are held against.
    pub(super) fn reference() -> anyhow::Result<Self> {
        let device = OpenDevice::open(DeviceChoice::Cpu)?;
        let threads = Some(rayon::current_num_threads());
        Ok(Configuration { device, precision: Precision::F32, threads, instructions: None })
    }

    fn of(device: &OpenDevice, args: &BenchEmbedArgs, console: &Console) -> Vec<Self> {
        let offered = device.precisions();
        let mut precisions = offered.to_vec();
        if !args.precision.is_empty() {
            precisions.retain(|offered| args.precision.contains(offered));
            for missing in args.precision.iter().filter(|named| !offered.contains(named)) {
                console
                    .note(&format!("{missing} is not measured on {}, which does not offer it", name(device)));
            }
        }
        let threads: Vec<Option<usize>> = match (device.is_cpu(), args.threads.is_empty()) {
            (false, _) => vec![None],
            (true, true) => vec![Some(rayon::current_num_threads())],
            (true, false) => args.threads.iter().copied().map(Some).collect(),
        };
        let one = |precision: Precision, threads: Option<usize>| Configuration {
            device: device.clone(),
            precision,
            threads,
            instructions: args.instructions.clone().filter(|_| device.is_cpu()),
        };
        precisions.iter().flat_map(|&precision| threads.iter().map(move |&t| one(precision, t))).collect()
    }

    pub(super) fn is_cpu(&self) -> bool {
        self.device.is_cpu()
    }

    /// Whether its vectors are what others are held against.
    pub(super) fn is_reference(&self) -> bool {
        self.is_cpu() && self.precision == Precision::F32
    }

    /// `cpu` or `cuda:0`.
    pub(super) fn device(&self) -> &str {
        name(&self.device)
    }

    /// Short name for tables and legends: `cpu fast, 2 threads`.
    pub(super) fn label(&self) -> String {
        match self.threads {
            None => format!("{} {}", self.device(), self.precision),
            Some(1) => format!("{} {}, 1 thread", self.device(), self.precision),
            Some(threads) => format!("{} {}, {threads} threads", self.device(), self.precision),
        }
    }
}

/// A precision that was named and that no device offers is an error.
fn check_precisions(named: &[Precision], devices: &[OpenDevice]) -> anyhow::Result<()> {
    let offered: Vec<Precision> = devices.iter().flat_map(|device| device.precisions()).copied().collect();
    if let Some(missing) = named.iter().find(|precision| !offered.contains(precision)) {
        let names: Vec<&str> = devices.iter().map(name).collect();
        let offered: Vec<String> = offered.iter().map(Precision::to_string).collect();
        bail!("precision `{missing}` cannot be had on {}; use {}", names.join(" or "), offered.join(", "));
    }
    Ok(())
}

/// A description begins with the device's name and goes on with why it was chosen.
fn name(device: &OpenDevice) -> &str {
    device.description.split(' ').next().unwrap_or_default()
}

/// A configuration with its model loaded, and threads of its own to tokenize on.
pub(super) struct Contender {
    pub(super) configuration: Configuration,
    pub(super) model: SentenceTransformer,
    threads: rayon::ThreadPool,
    /// From nothing to a model that is ready; milliseconds.
    pub(super) load_ms: f64,
    /// The first call, of one question; milliseconds.
    pub(super) first_call_ms: f64,
}

impl Contender {
    pub(super) fn load(
        configuration: Configuration,
        model: &LocatedModel,
        question: &str,
    ) -> anyhow::Result<Self> {
        let Configuration { device, precision, threads, instructions } = configuration.clone();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
        let pool = pool.build().context("no threads to tokenize on")?;
        let execution = Execution { device, precision, threads, instructions };
        let start = Instant::now();
        let model = SentenceTransformer::load(model, &execution)?;
        let load_ms = milliseconds(start);
        let mut contender = Contender { configuration, model, threads: pool, load_ms, first_call_ms: 0.0 };
        let start = Instant::now();
        contender.embed(&[question], TextRole::Question)?;
        contender.first_call_ms = milliseconds(start);
        Ok(contender)
    }

    /// One call.
    pub(super) fn embed(&self, texts: &[&str], role: TextRole) -> anyhow::Result<Vec<Embedding>> {
        Ok(self.threads.install(|| self.model.embed(texts, role, &|_| ()))?)
    }

    /// One call phase by phase.
    pub(super) fn measure(&self, texts: &[&str]) -> anyhow::Result<Measured> {
        Ok(self.threads.install(|| self.model.measure(texts, TextRole::Passage, Budget::GPU))?)
    }
}

/// Milliseconds since then.
pub(in crate::commands) fn milliseconds(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
