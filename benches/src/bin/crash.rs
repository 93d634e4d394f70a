//! What becomes of an index whose writer is killed, whose disk refuses, or whose files are damaged: the real program, hundreds of
//! times, held against what it answers when nothing happens.
//!
//!     cargo build --release && cargo run --release -p guidepost-benches --bin crash -- kills 1000
//!     ... -- faults 300        ... -- damage 1000
//!
//! `kills` ends the writer at each of the steps by which it changes the disk in turn, then at steps chosen at random, and as often
//! at random moments; `faults` lets one of these steps and all after it fail, or ends a write in the midst of its bytes; `damage`
//! changes bits of finished files or cuts them short. Needs Linux and `strace`, which stops and fails single steps of a program
//! that knows nothing of it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use guidepost_benches::folders::{copy, files_below, program};
use guidepost_text::Random;
use tempfile::TempDir;

/// The steps by which a program changes the disk.
const STEPS: &str = "write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,ftruncate,chmod,fchmod";

const QUESTIONS: [&str; 2] = ["looms and shuttles", "what do spindles cost"];

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let count = |at: usize| arguments.get(at).map_or(Ok(100), |text| text.parse::<usize>());
    match arguments.first().map(String::as_str) {
        Some("kills") => kills(count(1)?),
        Some("faults") => faults(count(1)?),
        Some("damage") => damage(count(1)?),
        _ => bail!("say what shall happen: kills N, faults N or damage N"),
    }
}

/// What a writer does to an index, from one state of the guides to another.
struct Scenario {
    name: &'static str,
    /// Guides and sections of each to begin with; no index at all without any.
    before: (usize, usize),
    /// How the index is made to begin with, beside its folder.
    first: &'static [&'static str],
    /// What the writer that shall fail is told.
    then: &'static [&'static str],
    /// Whether the guides change in between.
    changes: bool,
    /// Large guides that come in between.
    more: usize,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario { name: "first index", before: (0, 0), first: &[], then: &[], changes: true, more: 0 },
    Scenario {
        name: "first index, in two parts",
        before: (0, 0),
        first: &[],
        then: &["--memory", "800MB"],
        changes: true,
        more: 75,
    },
    Scenario {
        name: "update, small: all in one segment",
        before: (6, 4),
        first: &[],
        then: &[],
        changes: true,
        more: 0,
    },
    Scenario {
        name: "update, large: a segment beside another",
        before: (30, 100),
        first: &[],
        then: &[],
        changes: true,
        more: 0,
    },
    Scenario {
        name: "other files: without token vectors",
        before: (6, 4),
        first: &[],
        then: &["--late-interaction", "off"],
        changes: false,
        more: 0,
    },
    Scenario {
        name: "change of model",
        before: (6, 4),
        // Not on this home folder: words alone.
        first: &["--model", "all-MiniLM-L6-v2", "--offline"],
        then: &["--rebuild"],
        changes: false,
        more: 0,
    },
];

/// A home folder with guides and an index, before and after.
struct Stage {
    program: PathBuf,
    home: TempDir,
    scenario: &'static Scenario,
    /// What is answered before; `None` where there is no index yet.
    before: Option<Vec<String>>,
    after: Vec<String>,
    /// Steps of the writer, in all of its threads.
    steps: usize,
    /// How long it takes.
    took: Duration,
}

impl Stage {
    fn new(scenario: &'static Scenario) -> anyhow::Result<Stage> {
        let home = TempDir::new()?;
        let mut stage = Stage {
            program: program()?,
            home,
            scenario,
            before: None,
            after: Vec::new(),
            steps: 0,
            took: Duration::ZERO,
        };
        fs::create_dir_all(stage.path("guides"))?;
        let (guides, sections) = scenario.before;
        for at in 0..guides {
            fs::write(stage.path("guides").join(format!("{at}.md")), guide(at, sections))?;
        }
        if guides > 0 {
            stage.ok(stage.index(scenario.first))?;
            stage.before = Some(stage.answers()?);
        }
        copy(&stage.path("index"), &stage.path("index-before"))?;
        copy(&stage.path("guides"), &stage.path("guides-before"))?;
        stage.change()?;
        let log = stage.path("steps");
        let mut counted = stage.traced(&[
            "-c",
            "-S",
            "calls",
            "-o",
            &log.to_string_lossy(),
            "-e",
            &format!("trace={STEPS}"),
        ]);
        counted.args(stage.index(scenario.then).get_args());
        stage.ok(counted)?;
        // The last line of the summary: percent, seconds, microseconds per call, calls, (errors,) `total`.
        let summary = fs::read_to_string(&log)?;
        let total = summary.lines().last().and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
        stage.steps = total.context("strace printed no summary")?;
        stage.after = stage.answers()?;
        copy(&stage.path("index"), &stage.path("index-after"))?;
        stage.reset()?;
        let started = Instant::now();
        stage.ok(stage.index(scenario.then))?;
        stage.took = started.elapsed();
        if let Some(before) = &stage.before {
            ensure!(!scenario.changes || *before != stage.after, "the change changes no answer");
        }
        Ok(stage)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn guidepost(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        self.prepare(&mut command);
        command.args(args);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command.current_dir(self.home.path()).env("HOME", self.home.path()).env("GUIDEPOST_MODEL", "hash");
        command.env("GUIDEPOST_INDEX", self.path("index")).env_remove("RUST_BACKTRACE");
    }

    fn index(&self, args: &[&str]) -> Command {
        let mut command = self.guidepost(&["index", "guides"]);
        command.args(args);
        command
    }

    /// `guidepost` under strace, before its own arguments.
    fn traced(&self, args: &[&str]) -> Command {
        let mut command = Command::new("strace");
        self.prepare(&mut command);
        command.arg("-f").args(args).arg(&self.program);
        command
    }

    fn ok(&self, mut command: Command) -> anyhow::Result<Output> {
        let output = command.output().with_context(|| format!("{command:?}"))?;
        ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }

    /// Before the writer: the old index and the new guides.
    fn reset(&self) -> anyhow::Result<()> {
        for (from, to) in [("index-before", "index"), ("guides-before", "guides")] {
            let _ = fs::remove_dir_all(self.path(to));
            copy(&self.path(from), &self.path(to))?;
        }
        self.change()
    }

    fn change(&self) -> anyhow::Result<()> {
        if !self.scenario.changes {
            return Ok(());
        }
        let (guides, sections) = self.scenario.before;
        let at = |number: usize| self.path("guides").join(format!("{number}.md"));
        fs::write(at(1), guide(77, sections.max(3)))?;
        fs::write(at(guides + 1), guide(78, 5))?;
        for number in 0..self.scenario.more {
            fs::write(at(1000 + number), guide(number, 100))?;
        }
        if guides > 0 {
            fs::remove_file(at(2))?;
            fs::rename(at(3), at(guides + 2))?;
        }
        Ok(())
    }

    /// What the index answers by itself: the guides are out of reach meanwhile.
    fn answers(&self) -> anyhow::Result<Vec<String>> {
        let (here, away) = (self.path("guides"), self.path("away"));
        fs::rename(&here, &away)?;
        let answers =
            QUESTIONS.map(|question| self.guidepost(&["search", question, "--min-confidence", "0"]).output());
        fs::rename(&away, &here)?;
        let mut said = Vec::new();
        for output in answers {
            let output = output?;
            let error = String::from_utf8_lossy(&output.stderr);
            ensure!(!error.contains("panicked"), "a search panicked: {error}");
            let answered = matches!(output.status.code(), Some(0 | 1));
            let refused = output.status.code() == Some(2) && error.contains("guidepost repair");
            ensure!(answered || refused, "a search ended with {:?}: {error}", output.status);
            said.push(if answered {
                String::from_utf8_lossy(&output.stdout).into_owned()
            } else {
                REFUSED.to_owned()
            });
        }
        Ok(said)
    }

    /// Whether the index is as it was before or as it is to be, and sound; then finishes the job.
    fn check(&self) -> anyhow::Result<()> {
        let verified = self.guidepost(&["verify"]).output()?;
        let error = String::from_utf8_lossy(&verified.stderr).into_owned();
        match verified.status.code() {
            Some(0) => {
                let said = self.answers()?;
                ensure!(
                    Some(&said) == self.before.as_ref() || said == self.after,
                    "it answers neither as before nor as after: {said:?}"
                );
            }
            Some(1) => ensure!(self.before.is_none(), "the index is gone"),
            code => {
                bail!("verify ended with {code:?}: {} {error}", String::from_utf8_lossy(&verified.stdout))
            }
        }
        self.ok(self.index(self.scenario.then))?;
        ensure!(self.answers()? == self.after, "the next run did not finish the job");
        Ok(())
    }
}

/// What stands for an answer where the program says that the index is damaged.
const REFUSED: &str = "refused";

/// A guide whose text follows from a number.
fn guide(seed: usize, sections: usize) -> String {
    const SUBJECTS: [&str; 7] = ["looms", "madder", "woad", "spindles", "shuttles", "bobbins", "wool"];
    let section = |at: usize| {
        let subject = |more: usize| SUBJECTS[(seed * 3 + at * 5 + more) % SUBJECTS.len()];
        format!(
            "## {} {at}\n\nAll {} of {} cost {}. {}\n\n",
            subject(0),
            subject(1),
            subject(2),
            seed * 100 + at,
            "So they say. ".repeat(50)
        )
    };
    format!("# Guide {seed}\n\n{}", (0..sections).map(section).collect::<String>())
}

/// Every step in turn as far as there are runs for it, then random ones.
fn steps(stage: &Stage, runs: usize, random: &mut Random) -> Vec<usize> {
    let every = stage.steps.div_ceil(runs.max(1)).max(1);
    let mut steps: Vec<usize> = (1..=stage.steps).step_by(every).take(runs).collect();
    while steps.len() < runs {
        steps.push(1 + random.below(stage.steps));
    }
    steps
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn kills(runs: usize) -> anyhow::Result<()> {
    let mut random = Random(1);
    println!(
        "| writer | killed at a step, of so many in one thread | killed at a moment | wrong answers, damage, panics |\n|---|---|---|---|"
    );
    for scenario in &SCENARIOS {
        let stage = Stage::new(scenario)?;
        // A large first index takes ten times as long as anything else.
        let wanted = if scenario.more > 0 { runs.div_ceil(20) } else { runs.div_ceil(SCENARIOS.len() - 1) };
        let (mut at_steps, mut at_moments) = (0, 0);
        // Every step in turn as far as half of the kills go, then others by chance.
        let mut last = stage.steps;
        for turn in 1.. {
            let step = if turn <= last.min(wanted / 2) { turn } else { 1 + random.below(last) };
            if at_steps == wanted.div_ceil(2) {
                break;
            }
            match stage.kill_at_step(step)? {
                true => at_steps += 1,
                // strace counts the steps of each thread; none has so many.
                false => last = last.min(step - 1),
            }
        }
        while at_moments < wanted / 2 {
            let moment = stage.took.mul_f64(random.below(1000) as f64 / 1000.0);
            at_moments += usize::from(stage.kill_at_moment(moment)?);
        }
        println!("| {} | {at_steps}, {last} | {at_moments} | 0 |", scenario.name);
    }
    Ok(())
}

impl Stage {
    /// Whether there was a writer to kill.
    fn kill_at_step(&self, step: usize) -> anyhow::Result<bool> {
        self.reset()?;
        let inject = format!("inject={STEPS}:signal=KILL:when={step}");
        let mut command = self.traced(&["-o", "/dev/null", "-e", &format!("trace={STEPS}"), "-e", &inject]);
        command.args(self.index(self.scenario.then).get_args());
        let is_killed = !command.output()?.status.success();
        self.check().with_context(|| format!("{}, killed at step {step}", self.scenario.name))?;
        Ok(is_killed)
    }

    /// Whether there was a writer to kill.
    fn kill_at_moment(&self, moment: Duration) -> anyhow::Result<bool> {
        self.reset()?;
        let mut command = self.index(self.scenario.then);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(moment);
        child.kill()?;
        let is_killed = !child.wait()?.success();
        self.check().with_context(|| format!("{}, killed after {moment:?}", self.scenario.name))?;
        Ok(is_killed)
    }
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn faults(runs: usize) -> anyhow::Result<()> {
    let mut random = Random(2);
    println!(
        "| writer | fault from a step on | runs | ended with an error that says so | wrong answers, damage, panics |\n|---|---|---|---|---|"
    );
    for scenario in SCENARIOS.iter().filter(|scenario| scenario.more == 0).take(3) {
        let stage = Stage::new(scenario)?;
        for (name, fault) in [("no space left", "ENOSPC"), ("input or output error", "EIO")] {
            let steps = steps(&stage, runs.div_ceil(9), &mut random);
            let mut said = 0;
            for &step in &steps {
                stage.reset()?;
                let inject =
                    format!("inject=write,pwrite64,writev,fsync,rename,mkdir:error={fault}:when={step}+");
                let mut command = stage.traced(&["-o", "/dev/null", "-e", &inject]);
                command.args(stage.index(scenario.then).get_args());
                let output = command.output()?;
                let error = String::from_utf8_lossy(&output.stderr);
                let context = || format!("{}, {name} from step {step}: {error}", scenario.name);
                ensure!(!error.contains("panicked"), "it panicked: {}", context());
                said += usize::from(!output.status.success());
                stage.check().with_context(context)?;
            }
            println!("| {} | {name} | {} | {said} | 0 |", scenario.name, steps.len());
        }
        let said = short_writes(&stage, runs.div_ceil(9), &mut random)?;
        println!("| {} | a write cut short | {} | {said} | 0 |", scenario.name, runs.div_ceil(9));
    }
    Ok(())
}

/// Runs under a limit on the size of files: the write that reaches it writes less than it was given, all after it fail. How many
/// runs ended with an error.
fn short_writes(stage: &Stage, runs: usize, random: &mut Random) -> anyhow::Result<usize> {
    let files = files_below(&stage.path("index-after"))?;
    let sizes: Vec<u64> = files.iter().filter_map(|path| Some(path.metadata().ok()?.len())).collect();
    let mut said = 0;
    for _ in 0..runs {
        stage.reset()?;
        // Somewhere within one of the files; the shell counts in blocks of 512 bytes.
        let bytes = sizes[random.below(sizes.len())];
        let limit = random.below(bytes.div_ceil(512).max(1) as usize);
        let mut command = Command::new("sh");
        stage.prepare(&mut command);
        command.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &limit.to_string()]);
        command.arg(&stage.program).args(stage.index(stage.scenario.then).get_args());
        let output = command.output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        let context = || format!("{}, no file above {limit} blocks: {error}", stage.scenario.name);
        ensure!(!error.contains("panicked"), "it panicked: {}", context());
        said += usize::from(!output.status.success());
        stage.check().with_context(context)?;
    }
    Ok(said)
}

#[expect(clippy::print_stdout, reason = "the table is what the program is for")]
fn damage(runs: usize) -> anyhow::Result<()> {
    let mut random = Random(3);
    let stage = Stage::new(&SCENARIOS[3])?;
    let sound = stage.path("index-after");
    let mut files = files_below(&sound)?;
    files.retain(|path| !path.ends_with("LOCK"));
    let (mut refused, mut as_before) = (0, 0);
    for run in 0..runs {
        let _ = fs::remove_dir_all(stage.path("index"));
        copy(&sound, &stage.path("index"))?;
        let path = &stage.path("index").join(files[run % files.len()].strip_prefix(&sound)?);
        let mut bytes = fs::read(path)?;
        let at = random.below(bytes.len());
        let what = match random.below(2) {
            0 => {
                bytes[at] ^= 1 << random.below(8);
                "a bit changed"
            }
            _ => {
                bytes.truncate(at);
                "cut short"
            }
        };
        fs::write(path, bytes)?;
        let context = || format!("{}: {what} at byte {at}", path.display());
        for (said, expected) in stage.answers().with_context(context)?.iter().zip(&stage.after) {
            match said {
                said if said == REFUSED => refused += 1,
                said if said == expected => as_before += 1,
                said => bail!("it answers otherwise: {}: {said:?}", context()),
            }
        }
        let verified = stage.guidepost(&["verify"]).output()?;
        ensure!(verified.status.code() == Some(2), "verify did not notice: {}", context());
    }
    println!(
        "| files | damages | noticed by `verify` | searches refused | answered as before | answered otherwise, panics |"
    );
    println!(
        "|---|---|---|---|---|---|\n| {} | {runs} | {runs} | {refused} | {as_before} | 0 |",
        files.len()
    );
    Ok(())
}
