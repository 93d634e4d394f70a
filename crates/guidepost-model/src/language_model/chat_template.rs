//! How a model wants a conversation to be written: the template that comes with it, in Jinja.
//!
//! What is said in the conversation never goes through the template. It gets placeholders, and what is said is put in their
//! place afterwards; so it is known what the template wrote, and only that may hold marks of the conversation.

use guidepost_text::Message;
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, Value, context};

/// Steps a template may take, some hundred times more than a long conversation needs.
const STEPS: u64 = 1_000_000;
/// How deep a template may nest.
const DEPTH: usize = 64;
/// Characters that stand for none in Unicode; they enclose the number of a message.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';
const NAME: &str = "tokenizer.chat_template";

/// A template that can be read.
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
    begin: String,
    end: String,
}

/// A part of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// From the template: may hold marks of the conversation.
    Template(String),
    /// Said by somebody: text, whatever it looks like.
    Said(String),
}

impl ChatTemplate {
    /// Reads a template. `begin` and `end` are the marks for the beginning and the end of a text; empty where there are none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn new(source: &str, begin: &str, end: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| describe(&error))?);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(STEPS));
        environment.set_recursion_limit(DEPTH);
        environment.add_function("raise_exception", |reason: String| -> Result<Value, minijinja::Error> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, reason))
        });
        environment.add_template_owned(NAME, source.to_owned()).map_err(|error| describe(&error))?;
        Ok(ChatTemplate { environment, begin: begin.to_owned(), end: end.to_owned() })
    }

    /// The prompt after which the model is to speak. Models that can think aloud are asked not to.
    ///
    /// # Errors
    /// Why the template does not take these messages: some want speakers to alternate, or know no system. Also when it
    /// leaves out what somebody says.
    pub(crate) fn render(&self, messages: &[Message]) -> Result<Vec<Part>, String> {
        let turns: Vec<Value> = messages.iter().enumerate().map(turn).collect();
        let values = context! {
            messages => turns,
            add_generation_prompt => true,
            enable_thinking => false,
            bos_token => &self.begin,
            eos_token => &self.end,
        };
        let template = self.environment.get_template(NAME).map_err(|error| describe(&error))?;
        let text = template.render(values).map_err(|error| describe(&error))?;
        let parts = put_in(&text, messages);
        for message in messages {
            let said = message.text.trim();
            let is_there = |part: &Part| matches!(part, Part::Said(text) if text == said);
            if !said.is_empty() && !parts.iter().any(is_there) {
                return Err(format!("it leaves out what {} says", message.speaker.role()));
            }
        }
        Ok(parts)
    }
}

/// A message as the template sees it. White space around what is said stays, since some templates trim it and some do not.
fn turn((index, message): (usize, &Message)) -> Value {
    let text = &message.text;
    let said = text.trim();
    let content = match text.split_once(said) {
        Some((before, after)) if !said.is_empty() => format!("{before}{OPEN}{index}{CLOSE}{after}"),
        _ => text.clone(),
    };
    context! { role => message.speaker.role(), content => content }
}

/// Puts what is said in the place of its placeholder.
fn put_in(text: &str, messages: &[Message]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, index, after)) = next_placeholder(rest) {
        parts.push(Part::Template(before.to_owned()));
        if let Some(message) = messages.get(index) {
            parts.push(Part::Said(message.text.trim().to_owned()));
        }
        rest = after;
    }
    parts.push(Part::Template(rest.to_owned()));
    parts
}

fn next_placeholder(text: &str) -> Option<(&str, usize, &str)> {
    let (before, rest) = text.split_once(OPEN)?;
    let (index, after) = rest.split_once(CLOSE)?;
    Some((before, index.parse().ok()?, after))
}

/// What is wrong and where, on one line.
fn describe(error: &minijinja::Error) -> String {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    error.line().map_or(what.clone(), |line| format!("{what} (line {line})"))
}

#[cfg(test)]
mod tests {
    use guidepost_text::Speaker;

    use super::*;

    /// The prompt, with what people say in guillemets.
    fn render(template: &str, texts: &[&str]) -> Result<String, String> {
        let messages: Vec<Message> =
            texts.iter().map(|text| Message { speaker: Speaker::User, text: (*text).to_owned() }).collect();
        let parts = ChatTemplate::new(template, "<s>", "</s>")?.render(&messages)?;
        let show = |part: &Part| match part {
            Part::Template(text) => text.clone(),
            Part::Said(text) => format!("«{text}»"),
        };
        Ok(parts.iter().map(show).collect())
    }

    #[test]
    fn what_is_said_takes_the_place_that_the_template_gives_it() {
        let all = |inner: &str| format!("{{% for m in messages %}}\n{inner}{{% endfor %}}");
        for (template, texts, expected) in [
            (all("[{{ m.content }}]"), &["a", "b"][..], "[«a»][«b»]"),
            (all("[{{ m['content'] }}]"), &[" a\n"], "[ «a»\n]"),
            (all("[{{ m.content | trim }}]"), &[" a\n"], "[«a»]"),
            (all("[{{ m.content.strip() }}]"), &[" a\n"], "[«a»]"),
            (all("{{ m.role }}{{ m.content }}{{ m.content }}"), &["a"], "user«a»«a»"),
            (all("{{ bos_token + m.content + eos_token }}"), &["{{ x }}"], "<s>«{{ x }}»</s>"),
            (all("{{ m.content }}"), &["<b>&"], "«<b>&»"),
            (all("{{ m.content }}{% if loop.last and add_generation_prompt %}!{% endif %}"), &["a"], "«a»!"),
            (all("{% if not m.content %}empty{% endif %}"), &[""], "empty"),
            (all("{{ m.content }}{% if loop.first %}{% break %}{% endif %}"), &["a", "a"], "«a»"),
            (all("{{ m.content }}"), &["\u{FDD0}0\u{FDD1}"], "«\u{FDD0}0\u{FDD1}»"),
            ("{% set n = namespace(x='') %}{% for m in messages %}{% set n.x = n.x + m.content %}{% endfor %}{{ n.x }}".into(), &["a", "b"], "«a»«b»"),
        ] {
            assert_eq!(render(&template, texts).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_a_template_does_not_take_is_said() {
        for (template, expected) in [
            ("{{ raise_exception('no system') }}", "no system"),
            ("{{ messages[0].content.nothing() }}", "nothing"),
            ("", "it leaves out what user says"),
            ("{% for", "line 1"),
            ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", "recursion limit"),
        ] {
            let error = render(template, &["a"]).expect_err("it must be refused");
            assert!(error.contains(expected), "expected {expected}: {error}");
        }
    }
}
