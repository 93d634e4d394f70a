//! Rows of guides, and what is found in them.

use super::*;
use crate::read_document;

/// Each resource as one line: kind, title, then what is known of it.
fn draw(text: &str) -> Vec<String> {
    let document = read_document("guide.md", text.as_bytes());
    let line = |resource: &Resource| {
        let more = [&resource.by, &resource.url, &resource.price, &resource.level];
        let more: String = more.into_iter().flatten().map(|said| format!(" | {said}")).collect();
        format!("{} {}{more}", resource.kind.name(), resource.title)
    };
    named(&document).resources.iter().map(line).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(draw(text), expected);
}

#[test]
fn books_are_told_by_their_marks_and_their_authors() {
    check(
        "# G\n## Books\n- *Release It!* by Michael T. Nygard: how systems fail.\n- *Made Up*, edited by A. Bee, C. Dee and Ed van Ess.\n",
        &["book Release It! | Michael T. Nygard", "book Made Up | A. Bee, C. Dee and Ed van Ess"],
    );
    check(
        "# G\n**Resources:**\n- Books: \"One Way\" by Ann Ax (for beginners), “Two Ways” by Bo Bux.\n",
        &["book One Way | Ann Ax", "book Two Ways | Bo Bux"],
    );
    check("# G\nRead *Some Title* by Ann Ax first; *never* by halves.\n", &["book Some Title | Ann Ax"]);
    check(
        "# G\n## Books\n- The Plain Title by Ann Ax\n- Another: with a subtitle\n",
        &["book The Plain Title | Ann Ax", "book Another"],
    );
    check(
        "# G\n- Books: The Rusty Language by Ann Ax and Bo Bux, Programming Rusty by Cy Dee\n",
        &["book The Rusty Language | Ann Ax and Bo Bux", "book Programming Rusty | Cy Dee"],
    );
    check("# G\nShe said \"Nothing here\" and went.\n", &[]);
}

#[test]
fn courses_and_certifications_have_providers() {
    check(
        "# G\n- Courses: Data Basics (Coursera), Deep Water for Swimmers (fast.ai), SQLZoo tutorials.\n",
        &[
            "course Data Basics | Coursera",
            "course Deep Water for Swimmers | fast.ai",
            "course SQLZoo tutorials",
        ],
    );
    check(
        "# G\n## Courses\n- *Sound* and *Vision* (University of Oslo, on edX): both.\n- Light, Optics Institute: $49 a month.\n- Heat (free): short.\n- Tables (dbt Labs): sound.\n- Depth, fast.ai: deep.\n",
        &[
            "course Sound | University of Oslo",
            "course Vision | University of Oslo",
            "course Light | Optics Institute | $49",
            "course Heat | free",
            "course Tables | dbt Labs",
            "course Depth | fast.ai",
        ],
    );
    check(
        "# G\n## Certifications\n- **Certified Goat Herder (CGH)**, from the Goat Board: hard.\n- Microsoft Certified: Cheese Associate (exam CH-1), the natural pick.\n- None specific available.\n- *Gone:* Certified Sheep Herder.\n",
        &[
            "certification Certified Goat Herder (CGH) | Goat Board",
            "certification Microsoft Certified: Cheese Associate",
        ],
    );
    check(
        "# G\n## Certifications\nTwo help: Acme Certified Digger – Associate when you dig, and the Certified Rope Walker (CRW).\n",
        &["certification Acme Certified Digger – Associate", "certification Certified Rope Walker (CRW)"],
    );
}

#[test]
fn projects_are_headings_items_or_behind_labels() {
    check(
        "# G\n## Projects to build\n### Beginner: a clock\nIt ticks.\n- not one\n### Advanced: a second clock\n",
        &["project a clock | beginner", "project a second clock | advanced"],
    );
    check(
        "# G\n## Real Projects\n1. **Beginner: a lamp.** It *proves* light.\n2. **Lamp Shop** (local or remote)\n3. A chair: four legs.\n",
        &["project a lamp | beginner", "project Lamp Shop (local or remote)", "project A chair"],
    );
    check("# G\n- Projects: Build a bridge and cross it.\n", &["project Build a bridge and cross it"]);
    check("# G\n## Roadmap\n- Build a bridge.\n", &[]);
}

#[test]
fn tools_are_known_or_listed_as_tools() {
    check(
        "# G\nUse Postgres, Go or `pandas`. Go home. He can excel with pandas.\n",
        &["tool PostgreSQL", "tool Go", "tool pandas"],
    );
    check(
        "# G\n- Tools & Technologies: Zorble, Quux Studio, GPU computing.\n",
        &["tool Zorble", "tool Quux Studio"],
    );
    check("# G\n* Testing: `pytest`, `zork`, `frotz`\n", &["tool pytest", "tool zork", "tool frotz"]);
    check(
        "# G\n## Books\n- *Docker in Depth* by Ann Ax\n\nA Python developer uses C++, C# and R&D.\n",
        &["book Docker in Depth | Ann Ax", "tool C++", "tool C#"],
    );
    check("# G\n| Tool | Why |\n|---|---|\n| Zorble | fast |\n", &["tool Zorble"]);
    check(
        "# G\n```\n[API (FastAPI)] -> [Redis]\n```\n```python\nimport numpy\n```\n",
        &["tool FastAPI", "tool Redis"],
    );
}

#[test]
fn a_row_is_one_resource() {
    check(
        "# G\n| Certification | Price | Level | From |\n|---|---|---|---|\n| CKA | $395 | Intermediate | CNCF |\n| [Net+](https://a.example) | 250 EUR | Entry | CompTIA |\n",
        &[
            "certification CKA | $395 | intermediate",
            "certification Net+ | https://a.example | 250 EUR | entry",
        ],
    );
    check(
        "# G\n## Books\n| Title | Author | Why |\n|---|---|---|\n| *Deep Sea* | Ann Ax | it is long |\n",
        &["book Deep Sea | Ann Ax"],
    );
    check("# G\n| Week | What |\n|---|---|\n| 1 | Read |\n", &[]);
    let document = read_document(
        "books.csv",
        b"Title,Author,Level,URL\nOne,Ann Ax,Beginner,https://one.example\nTwo,Bo Bux,,\n",
    );
    let drawn: Vec<_> =
        named(&document).resources.into_iter().map(|r| (r.kind, r.title, r.by, r.url)).collect();
    let url = |url: &str| Some(url.to_owned());
    assert_eq!(
        drawn,
        [
            (ResourceKind::Book, "One".to_owned(), url("Ann Ax"), url("https://one.example")),
            (ResourceKind::Book, "Two".to_owned(), url("Bo Bux"), None),
        ]
    );
    let document = read_document("list.csv", b"Title,Kind,Provider\nOne,course,Ax U\nTwo,book,Bo Bux\n");
    let drawn: Vec<_> = named(&document).resources.into_iter().map(|r| (r.kind, r.title)).collect();
    assert_eq!(drawn, [(ResourceKind::Course, "One".to_owned()), (ResourceKind::Book, "Two".to_owned())]);
}

#[test]
fn links_are_what_they_lead_to() {
    check(
        "# G\n## Resources\n- [A List](https://list.example/x)\n- [Goat Zoomcamp](https://z.example)\n- [FastAPI](https://f.example)\n- [sibling](other.md)\n",
        &[
            "link A List | https://list.example/x",
            "course Goat Zoomcamp | https://z.example",
            "tool FastAPI | https://f.example",
        ],
    );
    check(
        "# G\n## Books\n- [Good Book](https://b.example) by Ann Ax\n",
        &["book Good Book | Ann Ax | https://b.example"],
    );
}

#[test]
fn resources_serve_the_nearest_subject() {
    let document = read_document(
        "guide.md",
        b"# All skills\n## Programming\n### Rust\n**Resources:**\n- Books: \"Rusty\" by Ann Ax.\n## 2. Goats\n### Further reading\n#### Books\n- *Goats* by Bo Bux\n",
    );
    let drawn: Vec<(String, u32)> = named(&document)
        .resources
        .into_iter()
        .map(|resource| (resource.serves, resource.lines.first))
        .collect();
    assert_eq!(
        drawn.iter().map(|(serves, line)| (serves.as_str(), *line)).collect::<Vec<_>>(),
        [("Rust", 5), ("Goats", 9)]
    );
}

#[test]
fn roles_are_titles_headings_and_lists() {
    let document = read_document(
        "guide.md",
        b"# Data\n```markmap\n- Data\n  - Data Analyst\n    - SQL\n  - Site Reliability Engineer (SRE)\n    - Logs\n```\n- Job titles: Goat Herder, NLP Engineer.\n## What an engineer does\n",
    );
    let drawn: Vec<(String, bool, u32)> = named(&document)
        .roles
        .into_iter()
        .map(|role| (role.name, role.described, role.lines.first))
        .collect();
    let expected =
        [("Data Analyst", true, 4), ("Site Reliability Engineer (SRE)", true, 6), ("NLP Engineer", false, 9)];
    assert_eq!(drawn, expected.map(|(name, described, line)| (name.to_owned(), described, line)));
}
