//! Markdown: its front matter, its sections, the outlines in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guidepost_fuzz::check_lines("guide.md", bytes));
