//! Which files are guides, told by their extension, and how much of one is read.

/// How a guide is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Markdown, MDX, notes of Obsidian.
    Markdown,
    /// AsciiDoc.
    AsciiDoc,
    /// reStructuredText.
    ReStructuredText,
    /// Text without marks, or whose marks are not known.
    Plain,
    /// A web page.
    Html,
    /// A table of values separated by commas, semicolons or tabs.
    Csv,
    /// A Jupyter notebook.
    Notebook,
    /// A document of Word.
    Docx,
    /// Slides of PowerPoint.
    Pptx,
    /// A document of LibreOffice Writer.
    Odt,
    /// An electronic book.
    Epub,
    /// Pages for printing.
    Pdf,
}

impl Format {
    /// The format that a path's extension tells; `None` where it is none that is read.
    pub fn of(path: &str) -> Option<Format> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let extension = name.rsplit_once('.')?.1.to_ascii_lowercase();
        Some(match extension.as_str() {
            "md" | "markdown" | "mdown" | "mkd" | "mdx" => Format::Markdown,
            "adoc" | "asciidoc" => Format::AsciiDoc,
            "rst" => Format::ReStructuredText,
            "txt" | "text" => Format::Plain,
            "html" | "htm" | "xhtml" => Format::Html,
            "csv" | "tsv" => Format::Csv,
            "ipynb" => Format::Notebook,
            "docx" | "docm" => Format::Docx,
            "pptx" | "pptm" => Format::Pptx,
            "odt" => Format::Odt,
            "epub" => Format::Epub,
            "pdf" => Format::Pdf,
            _ => return None,
        })
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Markdown => "Markdown",
            Format::AsciiDoc => "AsciiDoc",
            Format::ReStructuredText => "reStructuredText",
            Format::Plain => "plain text",
            Format::Html => "HTML",
            Format::Csv => "CSV",
            Format::Notebook => "Jupyter notebook",
            Format::Docx => "DOCX",
            Format::Pptx => "PPTX",
            Format::Odt => "ODT",
            Format::Epub => "EPUB",
            Format::Pdf => "PDF",
        }
    }

    /// Size in bytes above which a file is left out. No guide has more text than 16 MB; what has is a dump of
    /// something, and would take hours to embed. Pictures and fonts make books and slides longer than their text.
    pub fn max_bytes(self) -> u64 {
        match self {
            Format::Docx | Format::Pptx | Format::Odt | Format::Epub | Format::Pdf => 64 << 20,
            _ => 16 << 20,
        }
    }

    /// Whether the file's own lines are the guide's text.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Format::Markdown | Format::AsciiDoc | Format::ReStructuredText | Format::Plain)
    }

    /// How a page is cited: `p. 12`; `None` where the format has no pages.
    pub fn page_label(self, page: u32) -> Option<String> {
        match self {
            Format::Pdf => Some(format!("p. {page}")),
            Format::Pptx => Some(format!("slide {page}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_tells_the_format() {
        for (path, format) in [
            ("a/b.md", Some(Format::Markdown)),
            ("B.PDF", Some(Format::Pdf)),
            ("notes.v2.txt", Some(Format::Plain)),
            ("a.pdf/readme", None),
            ("photo.jpg", None),
            (".md", Some(Format::Markdown)),
        ] {
            assert_eq!(Format::of(path), format, "{path}");
        }
    }
}
