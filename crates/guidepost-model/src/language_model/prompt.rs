//! From a conversation to the tokens that a model reads.

use guidepost_text::Message;
use tokenizers::Tokenizer;

use crate::ModelError;

use super::chat_template::{ChatTemplate, Part};
use super::gguf::GgufFile;
use super::text_tokenizer::read_text_tokenizer;
use super::vocabulary::{Token, Vocabulary};

/// What a conversation is written with.
pub(crate) struct PromptWriter {
    pub(crate) vocabulary: Vocabulary,
    tokenizer: Tokenizer,
    template: ChatTemplate,
}

impl PromptWriter {
    /// What the file says.
    ///
    /// # Errors
    /// No vocabulary or no template, or one that is not understood.
    pub(crate) fn read(file: &GgufFile) -> Result<Self, ModelError> {
        let vocabulary = Vocabulary::read(file)?;
        let tokenizer = read_text_tokenizer(file, &vocabulary)?;
        let key = "tokenizer.chat_template";
        let source = file.text(key).ok_or_else(|| {
            file.lacking(key, "how a conversation is written; models made to be talked to have it")
        })?;
        let (begin, end) = (vocabulary.piece(vocabulary.begin), vocabulary.piece(vocabulary.end));
        let template = ChatTemplate::new(source, begin, end)
            .map_err(|reason| file.broken(format!("its `{key}` cannot be read: {reason}")))?;
        Ok(PromptWriter { vocabulary, tokenizer, template })
    }

    /// Tokens of a plain text.
    pub(crate) fn text(&self, text: &str) -> Result<Vec<Token>, ModelError> {
        Ok(self.tokenizer.encode_fast(text, false)?.get_ids().to_vec())
    }

    /// Tokens of a conversation, up to where the model is to speak.
    ///
    /// # Errors
    /// Messages that the template does not take.
    pub(crate) fn conversation(&self, messages: &[Message]) -> Result<Vec<Token>, ModelError> {
        let parts = self.template.render(messages).map_err(ModelError::ChatTemplate)?;
        let mut prompt = Vec::new();
        let mut plain = String::new();
        for part in parts {
            match part {
                Part::Said(text) => plain.push_str(&text),
                Part::Template(text) => self.template_text(&text, &mut plain, &mut prompt)?,
            }
        }
        prompt.extend(self.text(&plain)?);
        if let Some(begin) = self.vocabulary.begin.filter(|_| self.vocabulary.adds_begin)
            && prompt.first() != Some(&begin)
        {
            prompt.insert(0, begin);
        }
        Ok(prompt)
    }

    /// Adds what the template wrote: its marks as tokens, and what stands between them to the plain text, which goes on
    /// across the borders of messages as if it had been written in one go.
    fn template_text(
        &self,
        text: &str,
        plain: &mut String,
        prompt: &mut Vec<Token>,
    ) -> Result<(), ModelError> {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let length = match self.vocabulary.mark_at(rest) {
                Some((length, mark)) => {
                    prompt.extend(self.text(plain)?);
                    plain.clear();
                    prompt.push(mark);
                    length
                }
                None => {
                    plain.push(first);
                    first.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        Ok(())
    }
}
