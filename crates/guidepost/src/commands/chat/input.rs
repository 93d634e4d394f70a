//! What somebody types: questions, and commands that begin with a slash.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use rustyline::DefaultEditor;
use rustyline::error::ReadlineError;

use crate::console::printable;

pub(crate) const HELP: &str = "\
/new        begin anew: the next question follows from nothing
/save FILE  write the conversation as Markdown, now and after every answer
/quit       end; Ctrl-D does, too
Ctrl-C ends an answer that is being written.
";

/// A line that was typed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Typed {
    Question(String),
    Command(Command),
}

/// A line that begins with a slash.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Help,
    New,
    Save(PathBuf),
    Quit,
    Unknown(String),
}

impl Typed {
    /// `None` for a line without anything on it.
    fn parse(line: &str) -> Option<Typed> {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let command = match (word, rest.trim()) {
            ("", _) => return None,
            ("/help", "") => Command::Help,
            ("/new", "") => Command::New,
            ("/quit" | "/exit", "") => Command::Quit,
            ("/save", file) if !file.is_empty() => Command::Save(PathBuf::from(file)),
            (word, _) if word.starts_with('/') => Command::Unknown(line.to_owned()),
            _ => return Some(Typed::Question(line.to_owned())),
        };
        Some(Typed::Command(command))
    }
}

/// Where lines come from.
pub(super) enum Input {
    /// With a line editor and its history.
    Terminal(Box<DefaultEditor>),
    /// A file or a pipe, whose lines are shown, so that what is printed can be read as a conversation.
    Lines(std::io::Lines<std::io::StdinLock<'static>>),
}

impl Input {
    pub(super) fn open() -> anyhow::Result<Input> {
        match std::io::stdin().is_terminal() {
            true => {
                Ok(Input::Terminal(Box::new(DefaultEditor::new().context("the terminal cannot be read")?)))
            }
            false => Ok(Input::Lines(std::io::stdin().lock().lines())),
        }
    }

    pub(super) fn is_terminal(&self) -> bool {
        matches!(self, Input::Terminal(_))
    }

    /// What is typed next; `None` where nothing comes any more.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Typed>> {
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            if let Some(typed) = Typed::parse(&line) {
                return Ok(Some(typed));
            }
        }
    }

    fn line(&mut self) -> anyhow::Result<Option<String>> {
        match self {
            Input::Lines(lines) => {
                let line = lines.next().transpose().context("the questions cannot be read")?;
                if let Some(line) = line.as_deref().map(str::trim).filter(|line| !line.is_empty()) {
                    writeln!(std::io::stdout(), "> {}", printable(line))?;
                }
                Ok(line)
            }
            Input::Terminal(editor) => match editor.readline("> ") {
                Ok(line) => {
                    editor.add_history_entry(&line)?;
                    Ok(Some(line))
                }
                // At the prompt there is nothing to stop but the line.
                Err(ReadlineError::Interrupted) => Ok(Some(String::new())),
                Err(ReadlineError::Eof) => Ok(None),
                Err(error) => Err(error).context("the terminal cannot be read"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_questions_or_commands() {
        for (line, expected) in [
            ("  how do I start? ", Some(Typed::Question("how do I start?".to_owned()))),
            ("", None),
            ("/new", Some(Typed::Command(Command::New))),
            ("/save my notes.md", Some(Typed::Command(Command::Save("my notes.md".into())))),
            ("/save", Some(Typed::Command(Command::Unknown("/save".to_owned())))),
            ("/exit", Some(Typed::Command(Command::Quit))),
            ("/new job?", Some(Typed::Command(Command::Unknown("/new job?".to_owned())))),
        ] {
            assert_eq!(Typed::parse(line), expected);
        }
    }
}
