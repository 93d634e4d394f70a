//! Phrases, exclusions, fields, misspellings and abbreviations in questions.

use std::fs;

use crate::sandbox::Sandbox;

/// A sandbox with an index of guides that hold what the tests ask for.
fn guides() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/reliability.md",
        "# Reliability\n\nSite Reliability Engineering (SRE) keeps services up.\n\n## Budgets\n\nThe error budget says how \
         much may fail in a month.\n",
    );
    home.write("guides/budgets.md", "# Money\n\nA budget has no room for any error in the sums.\n");
    home.write("guides/cpp.md", "# Systems\n\nGame engines are written in C++ by people who measure.\n");
    home.write("guides/c.md", "# Kernels\n\nKernels are written in C by people who measure.\n");
    home.write("guides/dotnet.md", "# Platforms\n\nBusinesses run .NET and ASP.NET on servers.\n");
    home.write("guides/net.md", "# Salaries\n\nThe net salary is what is left; a net of friends helps.\n");
    home.write(
        "guides/node.md",
        "# Servers\n\nNode.js and scikit-learn meet in CI/CD pipelines of Kubernetes.\n",
    );
    home.write(
        "guides/containers.md",
        "# Kubernetes\n\nClusters run containers for teams and for operators.\n",
    );
    home.ok(&["index", "guides"]);
    home
}

/// The guides that a search by words finds, best first.
fn found(home: &Sandbox, question: &str) -> Vec<String> {
    found_by(home, question, "bm25")
}

fn found_by(home: &Sandbox, question: &str, mode: &str) -> Vec<String> {
    let mut command =
        home.command(&["search", "--json", "--mode", mode, "--min-confidence", "0", "--", question]);
    let output = command.output().expect("the binary runs");
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let results = value["results"].as_array().expect("results").iter();
    let name = |result: &serde_json::Value| {
        let path = result["path"].as_str().expect("a path");
        path.trim_start_matches("guides/").trim_end_matches(".md").to_owned()
    };
    let mut names: Vec<String> = results.map(name).collect();
    names.dedup();
    names
}

#[test]
fn names_with_signs_are_found_as_they_are_written() {
    let home = guides();
    for (question, first) in [
        ("C++", "cpp"),
        ("c++ programming", "cpp"),
        ("C", "c"),
        (".NET", "dotnet"),
        ("net", "net"),
        ("Node.js", "node"),
        ("nodejs", "node"),
        ("NodeJS", "node"),
        ("scikit-learn", "node"),
        ("scikit learn", "node"),
        ("scikit", "node"),
        ("CICD", "node"),
        ("CI", "node"),
    ] {
        assert_eq!(found(&home, question).first().map(String::as_str), Some(first), "{question}");
    }
    assert!(!found(&home, "C").contains(&"cpp".to_owned()));
}

#[test]
fn phrases_must_be_there_and_excluded_words_must_not() {
    let home = guides();
    for mode in ["bm25", "dense", "hybrid"] {
        assert_eq!(found_by(&home, "\"error budget\"", mode), ["reliability"], "{mode}");
        assert_eq!(found_by(&home, "what is an \"error budgets\"?", mode), ["reliability"], "{mode}");
        assert_eq!(found_by(&home, "title:money budget", mode), ["budgets"], "{mode}");
        assert_eq!(found_by(&home, "title:kubernetes clusters", mode), ["containers"], "{mode}");
        assert_eq!(found_by(&home, "heading:reliability month", mode), ["reliability"], "{mode}");
        assert_eq!(found_by(&home, "body:kubernetes pipelines", mode), ["node"], "{mode}");
        let left = found_by(&home, "people who measure -C++", mode);
        assert!(left.contains(&"c".to_owned()) && !left.contains(&"cpp".to_owned()), "{mode}: {left:?}");
        let left = found_by(&home, "budget -\"error budget\" -title:kernels", mode);
        assert_eq!(left.first().map(String::as_str), Some("budgets"), "{mode}");
        assert!(!left.iter().any(|guide| guide == "reliability" || guide == "kernels"), "{mode}: {left:?}");
    }
}

#[test]
fn what_is_no_operator_is_text() {
    let home = guides();
    for question in
        ["scikit-learn", "budget - error", "\"error budget", "note: budget", "https://budget.example"]
    {
        assert!(!found(&home, question).is_empty(), "{question}");
    }
    let shown = home.json(&["search", "budget \"error budget\" -kernel"], 0);
    assert_eq!(shown["query"], "budget \"error budget\" -kernel");
}

#[test]
fn a_question_must_look_for_something() {
    let home = guides();
    for question in ["-budget", "-\"error budget\" -title:kernels", "tag:sql"] {
        home.run(&["search", "--", question]).says(2, &["not what to look for", "`containers -docker`"]);
    }
}

#[test]
fn misspelled_words_are_taken_for_what_they_resemble() {
    let home = guides();
    let run = home.ok(&["search", "--mode", "bm25", "kuberntes clusters"]);
    assert!(run.stderr.contains("searched for `kubernetes` instead of `kuberntes`"), "{}", run.stderr);
    let shown = home.json(&["search", "--mode", "bm25", "kuberntes clusters"], 0);
    assert_eq!(shown["corrections"], serde_json::json!([{"written": "kuberntes", "meant": ["kubernetes"]}]));
    assert_eq!(shown["results"][0]["path"], "guides/containers.md");
    let right = home.ok(&["search", "--mode", "bm25", "kubernetes clusters"]);
    assert!(!right.stderr.contains("instead of"), "{}", right.stderr);
    assert!(home.json(&["search", "kubernetes clusters"], 0).get("corrections").is_none());
    home.json(&["search", "--mode", "bm25", "zqxvw"], 1);
}

#[test]
fn abbreviations_find_what_they_stand_for_and_the_other_way() {
    let home = guides();
    home.write("guides/pager.md", "# Pagers\n\nAn SRE carries a pager at night.\n");
    home.write("guides/long.md", "# Careers\n\nSite reliability engineering pays well in cities.\n");
    for (question, expected) in [("SRE", "long"), ("site reliability engineering", "pager")] {
        let found = found(&home, question);
        assert!(found.contains(&expected.to_owned()), "{question}: {found:?}");
    }
    assert_eq!(found(&home, "SRE pager").first().map(String::as_str), Some("pager"));
}

#[test]
fn postings_of_an_earlier_version_answer_and_are_made_anew() {
    let home = guides();
    let index = home.path(".local/share/guidepost/index");
    let generation = || {
        let name = fs::read_to_string(index.join("CURRENT")).expect("an index");
        index.join(name.trim()).join("generation.json")
    };
    let manifest = fs::read_to_string(generation()).expect("a manifest");
    let earlier = manifest.replace("\"analyzer\": \"words 2\"", "\"analyzer\": \"words 1\"");
    assert_ne!(manifest, earlier);
    fs::write(generation(), earlier).expect("the sandbox is writable");
    fs::remove_file(generation().with_extension("blake3")).expect("it is there");
    let updated = home.json(&["index"], 0);
    assert_eq!(updated["embedded"], 0, "{updated}");
    let anew = fs::read_to_string(generation()).expect("a manifest");
    assert!(anew.contains("\"analyzer\": \"words 2\""));
    assert_eq!(found(&home, "C++").first().map(String::as_str), Some("cpp"));
}
