//! Everything that goes to standard error: progress, notes, warnings, errors.

use std::io::Write;
use std::time::{Duration, Instant};

use guidepost_index::Event;
use guidepost_model::{FetchEvent, LocatedModel, Trust};
use indicatif::{ProgressBar, ProgressStyle};

/// Standard error with manners: bars on a terminal only, nothing but errors under `--quiet`.
#[derive(Clone)]
pub(crate) struct Console {
    quiet: bool,
    verbose: bool,
}

impl Console {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        Console { quiet, verbose }
    }

    /// Worth knowing.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(&printable(text));
        }
    }

    /// Worth knowing to the curious.
    pub(crate) fn detail(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            self.line(&text());
        }
    }

    pub(crate) fn warn(&self, text: &str) {
        if !self.quiet {
            self.line(&format!("{YELLOW}warning:{YELLOW:#} {}", printable(text)));
        }
    }

    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.line(&format!("{RED}error:{RED:#} {}", printable(&format!("{error:#}"))));
    }

    fn line(&self, text: &str) {
        // There is nowhere left to report that standard error is gone.
        let _ = writeln!(anstream::stderr().lock(), "{text}");
    }

    /// Says it when a model's files are believed because nothing is known about them.
    pub(crate) fn note_trust(&self, model: &LocatedModel) {
        let Trust::Recorded { record, now: true } = &model.trust else { return };
        self.note(&format!(
            "no digests of all files of {} are known here; those in `{}` were recorded in `{}` and are checked from now on",
            model.name,
            model.folder.display(),
            record.display()
        ));
    }

    /// Shows a fetch.
    pub(crate) fn fetch(&self) -> FetchDisplay<'_> {
        FetchDisplay { console: self, bar: None }
    }

    /// Shows an update.
    pub(crate) fn update(&self) -> UpdateDisplay<'_> {
        UpdateDisplay { console: self, bar: None, started: Instant::now() }
    }

    /// Shows that something is waited for, until it is cleared.
    pub(crate) fn waiting(&self, text: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("  {spinner} {msg} {elapsed}");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
        let spinner = ProgressBar::new_spinner().with_style(style).with_message(printable(text));
        spinner.enable_steady_tick(Duration::from_millis(100));
        spinner
    }

    /// Shows so many steps of a measurement.
    pub(crate) fn steps(&self, total: u64) -> ProgressBar {
        self.bar(total, "  {bar:30} {pos}/{len}  {eta} left")
    }

    fn bar(&self, total: u64, template: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(total).with_style(style.progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}

const YELLOW: anstyle::Style = anstyle::AnsiColor::Yellow.on_default().bold();
const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// A fetch on the console.
pub(crate) struct FetchDisplay<'a> {
    console: &'a Console,
    bar: Option<ProgressBar>,
}

impl FetchDisplay<'_> {
    pub(crate) fn show(&mut self, event: FetchEvent) {
        match event {
            FetchEvent::Waiting => {
                self.console.note("another guidepost is fetching the model; waiting for it")
            }
            FetchEvent::Trying { source } => self.console.note(&format!("fetching the model: {source}")),
            FetchEvent::Failed { source, reason } => {
                self.bar.take().inspect(ProgressBar::finish_and_clear);
                self.console.detail(|| format!("{source}: {reason}"));
            }
            FetchEvent::Bytes { done, total } => {
                let template = "  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left";
                let bar = self.bar.get_or_insert_with(|| self.console.bar(total, template));
                bar.set_length(total);
                bar.set_position(done);
            }
        }
    }
}

impl Drop for FetchDisplay<'_> {
    fn drop(&mut self) {
        self.bar.take().inspect(ProgressBar::finish_and_clear);
    }
}

/// An update on the console.
pub(crate) struct UpdateDisplay<'a> {
    console: &'a Console,
    bar: Option<ProgressBar>,
    started: Instant,
}

impl UpdateDisplay<'_> {
    pub(crate) fn show(&mut self, event: Event) {
        match event {
            Event::Waiting { holder } => {
                self.console
                    .note(&format!("another guidepost ({holder}) is writing to the index; waiting for it"));
            }
            Event::Reading { guides: 0 } => {}
            Event::Reading { guides } => self.console.note(&format!("reading {}", count(guides, "guide"))),
            Event::Resumed { passages } => {
                let passages = count(passages, "passage");
                self.console.note(&format!("{passages} taken over from an update that was interrupted"));
            }
            Event::Embedding { done: 0, total } => {
                self.console.note(&format!("embedding {}", count(total, "passage")));
                self.started = Instant::now();
                let template = "  {bar:30} {pos}/{len}  {per_sec}, {eta} left";
                self.bar = Some(self.console.bar(total as u64, template));
            }
            Event::Embedding { done, total } => {
                self.bar.iter().for_each(|bar| bar.set_position(done as u64));
                if done == total {
                    self.bar.take().inspect(ProgressBar::finish_and_clear);
                    let seconds = self.started.elapsed().as_secs_f64();
                    let rate = total as f64 / seconds.max(1e-9);
                    self.console.detail(|| format!("embedded in {seconds:.1} s, {rate:.0} passages/s"));
                }
            }
            Event::Writing => self.console.detail(|| "writing the index".to_owned()),
            Event::Linking { done, total } => {
                let template = "  linking neighbors {bar:30} {percent}%, {eta} left";
                let bar = self.bar.get_or_insert_with(|| self.console.bar(total as u64, template));
                bar.set_position(done as u64);
                if done >= total {
                    self.bar.take().inspect(ProgressBar::finish_and_clear);
                }
            }
        }
    }
}

/// Text for a terminal. Guides and file names are data: what would move the cursor or change the window is replaced.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

/// `1 guide`, `2 guides`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
