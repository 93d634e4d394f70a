//! What a measurement was made on.

use guidepost_model::instruction_families;
use serde::Serialize;

/// The machine, and this program.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Machine {
    /// As the system calls the processor; `null` where it does not say.
    pub(super) processor: Option<String>,
    /// Threads that can run at once.
    pub(super) cores: usize,
    /// Families of instructions that the model can use, fastest first.
    pub(super) instructions: Vec<&'static str>,
    /// `linux x86_64`.
    pub(super) system: String,
    /// Version of guidepost.
    pub(super) guidepost: &'static str,
}

impl Machine {
    pub(super) fn this() -> Self {
        Machine {
            processor: processor(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            instructions: instruction_families(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            guidepost: env!("CARGO_PKG_VERSION"),
        }
    }

    /// For a line above the tables.
    pub(super) fn describe(&self) -> String {
        let processor = self.processor.as_deref().unwrap_or("a processor of unknown name");
        let plural = if self.cores == 1 { "" } else { "s" };
        format!("{processor}, {} core{plural}, {}; guidepost {}", self.cores, self.system, self.guidepost)
    }
}

/// Linux alone says it in a file.
fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    field(&text, "model name")
}

/// Most memory that this process ever had resident, in bytes; only Linux says.
pub(super) fn peak_resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kibibytes: u64 = field(&text, "VmHWM")?.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The first value of a name in lines of `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = values.filter(|(found, _)| found.trim() == name);
    named.next().map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found() {
        let text = "processor\t: 0\nmodel name\t: A: B\nmodel name\t: C\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A: B"));
        assert_eq!(field(text, "model"), None);
    }
}
