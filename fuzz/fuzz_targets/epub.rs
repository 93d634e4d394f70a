//! Electronic books: whole archives, and parts in a sound one.
#![no_main]

use guidepost_fuzz::{archive, check};

const PARTS: [(&str, &str); 4] = [
    ("OEBPS/one.xhtml", "<html><body><h1>One</h1><p>text</p></body></html>"),
    (
        "OEBPS/content.opf",
        "<package><metadata><dc:title>Book</dc:title></metadata><manifest>\
         <item id=\"a\" href=\"one.xhtml\" media-type=\"application/xhtml+xml\"/>\
         <item id=\"b\" href=\"two%20.xhtml\" media-type=\"application/xhtml+xml\"/>\
         </manifest><spine><itemref idref=\"a\"/><itemref idref=\"b\"/></spine></package>",
    ),
    (
        "META-INF/container.xml",
        "<container><rootfiles><rootfile full-path=\"OEBPS/content.opf\"/></rootfiles></container>",
    ),
    ("OEBPS/two .xhtml", "<html><body><h2>Two</h2><p>more</p></body></html>"),
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check("guide.epub", &archive(bytes, &PARTS)));
