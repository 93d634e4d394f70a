//! Plain text: whatever bytes are decoded to, repaired and tidied, and the headings told by their shape.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| guidepost_fuzz::check_lines("guide.txt", bytes));
