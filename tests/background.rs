//! The binary beside a test: started, waited for, sent signals, ended.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::sandbox::{Run, Sandbox};

/// No test waits for a time: each waits for something to be true, and this long before it gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// A run that has not ended. Ended with the test, however that ends.
pub(crate) struct Background {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Background {
    pub(crate) fn start(home: &Sandbox, args: &[&str]) -> Self {
        let (stdout, stderr) = (home.path("background.out"), home.path("background.err"));
        let mut command: Command = home.command(args);
        let into = |path| File::create(path).expect("the sandbox is writable");
        let child = command.stdout(into(&stdout)).stderr(into(&stderr)).spawn().expect("the binary runs");
        Background { child, stdout, stderr }
    }

    /// Waits for something.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let started = Instant::now();
        while !is_so() {
            let ended = self.child.try_wait().expect("it can be asked");
            assert!(ended.is_none(), "it ended before {what}: {}", self.stderr());
            assert!(started.elapsed() < PATIENCE, "no end of waiting for {what}: {}", self.stderr());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it has said something on standard error so many times.
    #[track_caller]
    pub(crate) fn until_said(&mut self, part: &str, times: usize) {
        let stderr = self.stderr.clone();
        self.until(part, || read(&stderr).matches(part).count() >= times);
    }

    pub(crate) fn stderr(&self) -> String {
        read(&self.stderr)
    }

    /// Sends a signal by its name: `INT`, `KILL`.
    pub(crate) fn send(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.child.id().to_string()).status();
        assert!(sent.expect("kill is there").success());
    }

    /// Waits for its end. The code of a run that a signal ended is the signal's number, negative.
    pub(crate) fn end(mut self) -> Run {
        let status = self.child.wait().expect("it ends");
        let code = status.code().or(status.signal().map(|signal| -signal)).expect("it has one of them");
        Run { code, stdout: read(&self.stdout), stderr: read(&self.stderr) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &PathBuf) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}
