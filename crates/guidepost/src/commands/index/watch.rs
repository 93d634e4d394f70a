//! `guidepost index --watch`: stays, and takes up what changes.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use guidepost_index::{
    Changes, Event, Follower, Following, IndexError, Preview, Update, Wake, Warning, preview, update,
};
use guidepost_text::Embed;

use super::report;
use crate::Outcome;
use crate::console::{Console, count};
use crate::engine::{Change, Engine};

/// An index that is kept up to date. The model stays loaded.
pub(super) struct Watch<'a> {
    engine: &'a Engine<'a>,
    embedder: Option<&'a dyn Embed>,
    stop: &'a AtomicBool,
    console: &'a Console,
    /// What was said: a folder that stays away is worth one line.
    said: Said,
}

/// What the last look brought up, so that it is not said with every look again.
#[derive(Default)]
struct Said {
    warnings: HashSet<(Option<String>, String)>,
    polled: HashSet<PathBuf>,
    folders: Option<usize>,
    failure: Option<String>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        engine: &'a Engine<'a>,
        embedder: Option<&'a dyn Embed>,
        stop: &'a AtomicBool,
        console: &'a Console,
    ) -> Self {
        Watch { engine, embedder, stop, console, said: Said::default() }
    }

    /// Ends with Ctrl-C alone: what fails is said, and tried again at the next change.
    pub(super) fn run(mut self, following: Following) -> anyhow::Result<Outcome> {
        let mut follower = Follower::new(&self.engine.index, following);
        loop {
            match self.look(&mut follower) {
                Ok(()) => self.said.failure = None,
                Err(IndexError::Interrupted { kept }) => {
                    if let Some(kept) = kept {
                        self.console.note(&super::what_is_kept(kept, "guidepost index"));
                    }
                    return Ok(Outcome::Found);
                }
                Err(error) => self.say_failure(&error),
            }
            if follower.wait(self.stop) == Wake::Stop {
                return Ok(Outcome::Found);
            }
        }
    }

    /// Follows the folders that the index has now, and takes up what differs on disk.
    fn look(&mut self, follower: &mut Follower) -> Result<(), IndexError> {
        let change = Change { wait: true, stop: Some(self.stop), ..Change::NONE };
        let engine = self.engine;
        let request = engine.request(&change, self.embedder);
        let found = preview(&request)?;
        follower.follow(&found.folders);
        self.say_followed(follower, found.folders.len());
        self.say_warnings(&found.warnings);
        // Without a folder, the index that was followed is gone: an update would build one of the guides that ship.
        if !found.writes || found.folders.is_empty() {
            self.console.detail(|| "looked: nothing to take up".to_owned());
            return Ok(());
        }
        let started = Instant::now();
        let done = update(&request, &mut |event| self.show(&event))?;
        self.engine.print_warnings(&self.unsaid(&done.warnings));
        if done.changes.any_text() {
            let seconds = started.elapsed().as_secs_f64();
            self.console.note(&format!(
                "{}; {} in {seconds:.1} s",
                changed(&found, &done),
                report::embedded(&done)
            ));
        }
        Ok(())
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Waiting { holder } => self
                .console
                .note(&format!("another guidepost ({holder}) is writing to the index; waiting for it")),
            Event::Embedding { done: 0, total } => {
                self.console.detail(|| format!("embedding {}", count(*total, "passage")));
            }
            _ => {}
        }
    }

    fn say_followed(&mut self, follower: &Follower, folders: usize) {
        for (folder, reason) in follower.polled() {
            if self.said.polled.insert(folder.clone()) {
                let folder = folder.display();
                self.console.note(&format!("`{folder}` is looked at every 5 seconds: {reason}"));
            }
        }
        if self.said.folders.replace(folders) != Some(folders) {
            self.console.note(&match folders {
                0 => "the index has no folder any more; add one with `guidepost index DIR`".to_owned(),
                _ => format!("following {}; Ctrl-C ends it", count(folders, "folder")),
            });
        }
    }

    fn say_failure(&mut self, error: &IndexError) {
        let failure = error.to_string();
        if self.said.failure.as_ref() != Some(&failure) {
            self.console.warn(&format!("not updated, until the next change: {failure}"));
        }
        self.said.failure = Some(failure);
    }

    /// Says of the warnings of a look what the look before did not say.
    fn say_warnings(&mut self, warnings: &[Warning]) {
        let key = |warning: &Warning| (warning.path.clone(), warning.message.clone());
        self.engine.print_warnings(&self.unsaid(warnings));
        self.said.warnings = warnings.iter().map(key).collect();
    }

    fn unsaid(&self, warnings: &[Warning]) -> Vec<Warning> {
        let is_said = |warning: &&Warning| {
            self.said.warnings.contains(&(warning.path.clone(), warning.message.clone()))
        };
        warnings.iter().filter(|warning| !is_said(warning)).cloned().collect()
    }
}

/// What an update took up: by name where it is one guide, as after most saves.
fn changed(found: &Preview, done: &Update) -> String {
    let Changes { added, changed, removed, .. } = done.changes;
    let named = |kind: &str, guides: &[String]| guides.first().map(|guide| format!("{kind} `{guide}`"));
    let one = match (added, changed, removed) {
        (1, 0, 0) => named("added", &found.added),
        (0, 1, 0) => named("changed", &found.changed),
        (0, 0, 1) => named("removed", &found.removed),
        _ => None,
    };
    one.unwrap_or_else(|| format!("{added} added, {changed} changed, {removed} removed"))
}
