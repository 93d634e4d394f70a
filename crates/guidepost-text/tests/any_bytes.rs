//! The promises that hold for any bytes, held against odd texts and made-up ones; `fuzz/` holds them against many more.

#[expect(unreachable_pub, reason = "the fuzz targets reach them")]
mod invariants;

use invariants::check_lines;
use proptest::prelude::*;

fn check(bytes: &[u8]) {
    check_lines("guide.md", bytes);
    check_lines("guide.txt", bytes);
    // A reading of its own, whose lines are not the file's.
    invariants::check("guide.csv", bytes);
}

#[test]
fn odd_texts_hold_the_invariants() {
    for text in [
        String::new(),
        "word ".repeat(2000),
        "\u{200b}".repeat(5000),
        "日本語の文章。".repeat(500),
        format!("# {}\ntext", "very long heading ".repeat(200)),
        format!("# {}\ntext", "長い見出し".repeat(200)),
        format!(
            "```markmap\n{}```\n",
            (0..60).map(|n| format!("{}- level {n}\n", "  ".repeat(n))).collect::<String>()
        ),
        format!("```\n{}```\n", "let x = 1; // one line of code\n".repeat(200)),
        format!("- {}\n- b", "item ".repeat(700)),
        "👩‍👩‍👧‍👦".repeat(3000),
        format!("e{}", "\u{301}".repeat(3000)),
        "| a | b |\n|---|---|\n".to_owned() + &"| cell one | cell two |\n".repeat(300),
        format!("| {} |\n|---|\n{}", "long header ".repeat(100), "| cell |\n".repeat(300)),
        "no capitals and no end; ".repeat(500),
        "# A\n\n# A\n\n## B\n\n# A\n\nx\n\n## B\ny\n\n# A\n\n".to_owned(),
    ] {
        check(text.as_bytes());
    }
}

proptest! {
    #[test]
    fn any_text_holds_the_invariants(text in "([#*`|>-]{0,3} ?[a-zA-Zé日 .!?\n]{0,60}\n?){0,40}") {
        check(text.as_bytes());
    }

    #[test]
    fn any_outline_holds_the_invariants(sections in proptest::collection::vec((1usize..5, "[A-C]", "([a-z]{1,9} ){0,60}"), 0..20)) {
        let section = |(level, heading, text): (usize, String, String)| {
            format!("{} {heading}\n\n{text}\n\n", "#".repeat(level))
        };
        let text: String = sections.into_iter().map(section).collect();
        check_lines("guide.md", text.as_bytes());
    }

    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        check(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_names_things_that_stand_on_its_lines(pieces in proptest::collection::vec(0..SOUP.len(), 0..60)) {
        let text: String = pieces.into_iter().map(|piece| SOUP[piece]).collect();
        check(text.as_bytes());
    }
}

/// What the rules look for, and what comes between.
const SOUP: [&str; 56] = [
    "# ",
    "## ",
    "### ",
    "\n",
    "\n\n",
    "- ",
    "  - ",
    "1. ",
    "| ",
    "|---|---|\n",
    "> ",
    "```\n",
    "```markmap\n",
    "**",
    "*",
    "`",
    "\"",
    "“",
    "”",
    "„",
    "(",
    ")",
    "[",
    "](https://x.example)",
    ":",
    ": ",
    ", ",
    "; ",
    ". ",
    " – ",
    "/",
    "&",
    " by ",
    "by ",
    "edited by ",
    "from ",
    "Books",
    "Courses",
    "Certifications",
    "Projects",
    "Tools",
    "Skills",
    "Roadmap",
    "Certified ",
    "Associate",
    "Beginner: ",
    "None",
    "retired",
    "A.",
    "Ärger",
    "é",
    "日本",
    "😀",
    "C++",
    "Python",
    "Data Analyst ",
];
