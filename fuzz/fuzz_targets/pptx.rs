//! Slides of PowerPoint: whole archives, and parts in a sound one.
#![no_main]

use guidepost_fuzz::{archive, check};

const PARTS: [(&str, &str); 9] = [
    ("ppt/slides/slide1.xml", "<p:sld><p:sp><a:p><a:r><a:t>text</a:t></a:r></a:p></p:sp></p:sld>"),
    (
        "ppt/presentation.xml",
        "<p:presentation><p:sldIdLst><p:sldId r:id=\"r1\"/><p:sldId r:id=\"r2\"/></p:sldIdLst></p:presentation>",
    ),
    (
        "ppt/_rels/presentation.xml.rels",
        "<Relationships><Relationship Id=\"r1\" Target=\"slides/slide1.xml\"/>\
         <Relationship Id=\"r2\" Target=\"slides/slide2.xml\"/></Relationships>",
    ),
    (
        "ppt/slides/_rels/slide1.xml.rels",
        "<Relationships><Relationship Id=\"r1\" Target=\"../slideLayouts/slideLayout1.xml\"/>\
         <Relationship Id=\"r2\" Target=\"../notesSlides/notesSlide1.xml\"/>\
         <Relationship Id=\"r3\" Target=\"https://example.org/\" TargetMode=\"External\"/></Relationships>",
    ),
    ("ppt/slideLayouts/slideLayout1.xml", "<p:sldLayout type=\"title\"/>"),
    (
        "ppt/notesSlides/notesSlide1.xml",
        "<p:notes><p:sp><p:ph type=\"body\"/><a:p><a:r><a:t>note</a:t></a:r></a:p></p:sp></p:notes>",
    ),
    ("ppt/slides/slide2.xml", "<p:sld><p:sp><a:p><a:r><a:t>more</a:t></a:r></a:p></p:sp></p:sld>"),
    ("ppt/notesSlides/notesSlide2.xml", "<p:notes/>"),
    ("docProps/core.xml", "<cp:coreProperties/>"),
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check("guide.pptx", &archive(bytes, &PARTS)));
