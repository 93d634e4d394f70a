//! PDF: whole files, and streams in a sound one.
#![no_main]

use guidepost_fuzz::{check, let_caught_panics_pass, pdf};

libfuzzer_sys::fuzz_target!(init: let_caught_panics_pass(), |bytes: &[u8]| check("guide.pdf", &pdf(bytes)));
