//! What was asked and answered, and the file that keeps it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use guidepost_query::Turn;

use crate::output::{WrittenView, escaped, written_markdown};

/// A question and its answer.
pub(super) struct Exchange {
    /// As it was typed.
    pub(super) asked: String,
    /// As it was searched.
    pub(super) question: String,
    /// `None` where no guide answers.
    pub(super) written: Option<WrittenView>,
}

/// All of them, in order.
pub(super) struct Conversation {
    exchanges: Vec<Exchange>,
    /// Those before do not count for what follows.
    from: usize,
    file: Option<PathBuf>,
}

impl Conversation {
    pub(super) fn new(file: Option<&Path>) -> anyhow::Result<Conversation> {
        let mut conversation = Conversation { exchanges: Vec::new(), from: 0, file: None };
        file.map_or(Ok(()), |file| conversation.save_to(file)).map(|()| conversation)
    }

    /// What a follow-up can mean. Only what guides support is told on.
    pub(super) fn turns(&self) -> Vec<Turn> {
        let turn = |exchange: &Exchange| Turn {
            question: exchange.question.clone(),
            answer: exchange.written.as_ref().map(WrittenView::supported_text).unwrap_or_default(),
        };
        self.exchanges[self.from..].iter().map(turn).collect()
    }

    /// The next question follows from nothing before it.
    pub(super) fn forget(&mut self) {
        self.from = self.exchanges.len();
    }

    pub(super) fn has_answer(&self) -> bool {
        let mut written = self.exchanges.iter().filter_map(|exchange| exchange.written.as_ref());
        written.any(|written| written.supported)
    }

    pub(super) fn add(&mut self, exchange: Exchange) -> anyhow::Result<()> {
        self.exchanges.push(exchange);
        self.save()
    }

    /// Keeps the conversation in a file from now on, one that is not there yet.
    pub(super) fn save_to(&mut self, file: &Path) -> anyhow::Result<()> {
        let own = self.file.as_deref() == Some(file);
        ensure!(own || !file.exists(), "`{}` is there already; name a new file", file.display());
        self.file = Some(file.to_owned());
        let saved = self.save();
        if saved.is_err() {
            self.file = None;
        }
        saved
    }

    /// Writes the file whole: a reader sees the conversation before the last answer, or with it.
    fn save(&self) -> anyhow::Result<()> {
        let Some(path) = &self.file else { return Ok(()) };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let saved = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
            self.markdown(&mut file)?;
            file.persist(path).map_err(|error| error.error)
        });
        saved.map(|_| ()).with_context(|| format!("`{}` cannot be written", path.display()))
    }

    fn markdown(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "# Questions to the guides\n")?;
        for exchange in &self.exchanges {
            writeln!(out, "## {}\n", exchange.asked)?;
            if exchange.question != exchange.asked {
                writeln!(out, "*Searched as: {}*\n", escaped(&exchange.question))?;
            }
            match &exchange.written {
                Some(written) => written_markdown(written, out)?,
                None => writeln!(out, "No guide here answers that.\n")?,
            }
        }
        Ok(())
    }
}
