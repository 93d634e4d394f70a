//! A home folder of its own for each test, and the binary run in it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

/// A temporary home folder. Nothing of the user who runs the tests is read or written.
pub(crate) struct Sandbox {
    root: TempDir,
}

/// What a run printed, and how it ended.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Sandbox {
    pub(crate) fn new() -> Self {
        Sandbox { root: TempDir::new().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Writes a file, and the folders it needs.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("it is below the root")).expect("the sandbox is writable");
        fs::write(&path, text).expect("the sandbox is writable");
        path
    }

    /// The binary, in this home, with the weightless embedder.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guidepost"));
        command.args(args).current_dir(self.root.path()).stdin(Stdio::null()).env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| is_of_the_network(&name.to_string_lossy())));
        command.env("HOME", self.root.path()).env("GUIDEPOST_MODEL", "hash");
        command
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// Runs and expects success.
    #[track_caller]
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, args: &[S]) -> Run {
        let run = self.run(args);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run
    }

    /// Runs with `--json`, expects an exit code, and checks every citation against the guides on disk.
    #[track_caller]
    pub(crate) fn json<S: AsRef<OsStr>>(&self, args: &[S], code: i32) -> Value {
        let mut command = self.command(args);
        let run = Run::of(command.arg("--json"));
        assert_eq!(run.code, code, "{}", run.stderr);
        let value: Value =
            serde_json::from_str(&run.stdout).expect("standard output is JSON and nothing else");
        check_citations(&value, |path| self.guide(path));
        value
    }

    /// A guide's text by the path that citations give it.
    fn guide(&self, path: &str) -> String {
        self.ok(&["get", path]).stdout
    }
}

/// What finding programs and reaching networks takes on this machine; nothing else of its environment gets in.
fn is_of_the_network(name: &str) -> bool {
    let exact = ["PATH", "TMPDIR", "SYSTEMROOT", "PYENV_ROOT", "REQUESTS_CA_BUNDLE"];
    let upper = name.to_ascii_uppercase();
    exact.contains(&name)
        || ["PIP_", "SSL_CERT_"].iter().any(|p| upper.starts_with(p))
        || upper.ends_with("_PROXY")
}

impl Run {
    pub(crate) fn of(command: &mut Command) -> Run {
        Run::from(command.output().expect("the binary runs"))
    }

    /// Runs with a text on standard input.
    pub(crate) fn with_input(command: &mut Command, input: &str) -> Run {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // The child may refuse the input before it has read all of it.
        let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
        Run::from(child.wait_with_output().expect("the binary ends"))
    }

    /// Expects an exit code and every one of the parts on standard error.
    #[track_caller]
    pub(crate) fn says(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in: {}", self.stderr);
        }
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// The property of every answer: the cited lines hold the cited words. Shipped guides are read from the checkout,
/// not from the binary.
#[track_caller]
pub(crate) fn check_citations(value: &Value, guide: impl Fn(&str) -> String) {
    let statements = value["answer"]["statements"].as_array().cloned().unwrap_or_default();
    let results = value["results"].as_array().cloned().unwrap_or_default();
    for cited in statements.iter().chain(&results) {
        let path = cited["path"].as_str().expect("a citation has a path");
        let text = match path.strip_prefix("corpus/") {
            Some(name) => {
                fs::read_to_string(checkout().join("corpus").join(name)).unwrap_or_else(|_| guide(path))
            }
            None => guide(path),
        };
        let number = |key: &str| cited[key].as_u64().expect("a line number") as usize;
        let (first, last) = (number("first_line"), number("last_line"));
        assert!(1 <= first && first <= last, "{cited}");
        let lines: Vec<&str> = text.lines().skip(first - 1).take(last - first + 1).collect();
        let words = cited["text"].as_str().expect("a citation has a text");
        assert!(lines.join("\n").contains(words), "lines {first}-{last} of {path} do not hold: {words}");
    }
}

/// The root of the checkout.
pub(crate) fn checkout() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Values of a file of the checkout, one a line.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let text = fs::read_to_string(checkout().join(path)).expect(path);
    text.lines().map(|line| serde_json::from_str(line).expect(path)).collect()
}

/// Whether a report stands in its file as it is made now. `GUIDEPOST_WRITE_REPORTS=1` writes it first.
pub(crate) fn is_committed(path: &Path, report: &str) -> bool {
    if std::env::var_os("GUIDEPOST_WRITE_REPORTS").is_some() {
        fs::write(path, report).expect("the report can be written");
    }
    fs::read_to_string(path).is_ok_and(|committed| committed == report)
}

/// Says that a test did not run. Written past the test harness, which hides what passing tests print.
pub(crate) fn skipped(test: &str, why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped {test}: {why}");
}
