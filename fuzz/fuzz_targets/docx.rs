//! Documents of Word: whole archives, and parts in a sound one.
#![no_main]

use guidepost_fuzz::{archive, check};

const PARTS: [(&str, &str); 7] = [
    ("word/document.xml", "<w:document><w:body><w:p><w:r><w:t>text</w:t></w:r></w:p></w:body></w:document>"),
    (
        "word/styles.xml",
        "<w:styles><w:style w:styleId=\"H1\"><w:name w:val=\"heading 1\"/></w:style>\
         <w:style w:styleId=\"H2\"><w:name w:val=\"heading 2\"/></w:style>\
         <w:style w:styleId=\"T\"><w:name w:val=\"Title\"/></w:style>\
         <w:style w:styleId=\"C\"><w:name w:val=\"Source Code\"/></w:style>\
         <w:style w:styleId=\"L\"><w:name w:val=\"List Bullet\"/></w:style></w:styles>",
    ),
    (
        "word/numbering.xml",
        "<w:numbering><w:abstractNum w:abstractNumId=\"0\"><w:lvl w:ilvl=\"0\"><w:numFmt w:val=\"decimal\"/></w:lvl>\
         <w:lvl w:ilvl=\"1\"><w:numFmt w:val=\"bullet\"/></w:lvl></w:abstractNum>\
         <w:num w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num></w:numbering>",
    ),
    (
        "word/_rels/document.xml.rels",
        "<Relationships><Relationship Id=\"r1\" Target=\"https://example.org/\" TargetMode=\"External\"/></Relationships>",
    ),
    ("word/footnotes.xml", "<w:footnotes/>"),
    ("word/endnotes.xml", "<w:endnotes/>"),
    ("docProps/core.xml", "<cp:coreProperties><dc:title>Title</dc:title></cp:coreProperties>"),
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check("guide.docx", &archive(bytes, &PARTS)));
