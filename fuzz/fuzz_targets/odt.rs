//! OpenDocument text: whole archives, and parts in a sound one.
#![no_main]

use guidepost_fuzz::{archive, check};

const PARTS: [(&str, &str); 3] = [
    ("content.xml", "<office:document-content><text:p>text</text:p></office:document-content>"),
    (
        "styles.xml",
        "<office:document-styles><style:style style:name=\"C\" style:parent-style-name=\"Preformatted_20_Text\"/>\
         <style:style style:name=\"T\" style:parent-style-name=\"Title\"/>\
         <text:list-style style:name=\"N\"><text:list-level-style-number text:level=\"1\"/></text:list-style>\
         </office:document-styles>",
    ),
    ("meta.xml", "<office:document-meta><dc:title>Title</dc:title></office:document-meta>"),
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check("guide.odt", &archive(bytes, &PARTS)));
