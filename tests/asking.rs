//! `ask` and `search` over the guides that ship and over folders.

use crate::sandbox::Sandbox;

#[test]
fn the_first_question_builds_an_index_and_the_second_does_not() {
    let home = Sandbox::new();
    let question = ["ask", "How do I become a machine learning engineer?", "--min-confidence", "0"];
    let first = home.ok(&question);
    assert!(first.stderr.contains("no index yet") && first.stderr.contains("embedding"), "{}", first.stderr);
    let second = home.ok(&question);
    assert_eq!(second.stderr, "", "the second question has nothing to do but to answer");
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn answers_cite_lines_that_hold_them() {
    let home = Sandbox::new();
    for question in [
        "How do I become a machine learning engineer?",
        "which certification proves SQL skills",
        "what is on call like",
        "books about data engineering",
        "Terraform Associate exam",
        "error budget",
    ] {
        let answer = home.json(&["ask", question, "--min-confidence", "0"], 0);
        let statements = answer["answer"]["statements"].as_array().expect("an answer");
        assert!(!statements.is_empty() && statements.len() <= 3, "{question}: {answer}");
        for statement in statements {
            let path = statement["path"].as_str().expect("a path");
            let lines = format!("{path}:{}-{}", statement["first_line"], statement["last_line"]);
            let shown = home.ok(&["get", &lines]).stdout;
            assert!(shown.contains(statement["text"].as_str().expect("a text")), "{lines}: {shown}");
        }
    }
}

#[test]
fn the_answer_does_not_depend_on_how_much_is_shown() {
    let home = Sandbox::new();
    let ask = |limit: &str| {
        home.json(&["ask", "what do employers ask of juniors", "-n", limit, "--min-confidence", "0"], 0)
    };
    let (few, many) = (ask("1"), ask("8"));
    assert_eq!(few["answer"], many["answer"]);
    let shown = few["results"].as_array().map_or(0, Vec::len);
    assert!(shown < many["results"].as_array().map_or(0, Vec::len), "{few}");
}

#[test]
fn nothing_answers_nonsense() {
    let home = Sandbox::new();
    // Few words: of many, the weightless embedder takes some for the question's.
    home.write("guides/sql.md", "# SQL\n\nJoins combine tables.\n");
    home.write("guides/bread.md", "# Bread\n\nFlour, water, salt and time.\n");
    home.ok(&["index", "guides"]);
    let run = home.run(&["ask", "zqxv wvutq", "--min-confidence", "0.5"]);
    run.says(1, &[]);
    assert!(run.stdout.starts_with("No guide here answers that. The nearest passages:"), "{}", run.stdout);
    let answer = home.json(&["ask", "zqxv wvutq", "--min-confidence", "0.5"], 1);
    assert!(answer["answer"].is_null());
    let none = home.json(&["search", "zqxv wvutq", "--mode", "bm25"], 1);
    assert_eq!(none["results"].as_array().map(Vec::len), Some(0));
}

#[test]
fn every_mode_finds_shared_words() {
    let home = Sandbox::new();
    home.write("guides/sql.md", "# SQL\n\nJoins combine tables.\n\n## Certification\n\nThe exam is short.\n");
    home.write("guides/bread.md", "# Bread\n\nFlour, water, salt and time.\n");
    for mode in ["hybrid", "dense", "bm25"] {
        let found =
            home.json(&["search", "joins of tables", "--guides", "guides", "--mode", mode, "--explain"], 0);
        assert_eq!((&found["results"][0]["path"], &found["mode"]), (&"guides/sql.md".into(), &mode.into()));
        let explain = &found["results"][0]["explain"];
        assert_eq!(explain["bm25"].is_null(), mode == "dense", "{explain}");
        assert_eq!(explain["cosine"].is_null(), mode == "bm25", "{explain}");
    }
}

#[test]
fn lists_of_resources_wait_until_they_are_asked_for() {
    let home = Sandbox::new();
    let job = "A violin maker carves tops and backs from spruce and maple, and listens. ".repeat(20);
    let books = "- *Violin Maker* by Ida Holt: how to become a violin maker.\n".repeat(15);
    let list = format!("# Violin maker\n\n## The job\n\n{job}\n\n## Books\n\n{books}");
    home.write("guides/violin.md", list);
    let fit = |question: &str| {
        let found = home.json(&["search", question, "--guides", "guides", "--explain"], 0);
        let list = found["results"].as_array().expect("results").iter().find(|hit| {
            hit["heading_path"].as_array().is_some_and(|path| path.iter().any(|heading| heading == "Books"))
        });
        list.expect("it is found")["explain"]["fit"].clone()
    };
    assert!(fit("how do I become a violin maker").as_f64().is_some_and(|fit| fit < 1.0));
    assert_eq!(fit("books on how to become a violin maker"), 1.0);
}

#[test]
fn the_way_to_a_role_is_its_roadmap_from_the_beginning() {
    let home = Sandbox::new();
    let roles = home.json(&["roles"], 0);
    let roles = roles["roles"].as_array().expect("roles");
    let described = roles.iter().filter(|role| !role["described"].as_array().expect("places").is_empty());
    for role in described.step_by(7) {
        let question = format!("How do I become a {}?", role["role"].as_str().expect("a name"));
        let found = home.json(&["ask", &question, "--explain", "-n", "3"], 0);
        for (at, hit) in found["results"].as_array().expect("results").iter().enumerate() {
            assert!(hit["explain"]["on_the_way"] == true || at > 0, "{question}: {hit}");
        }
        let of_role = |place: &serde_json::Value| place["path"] == found["results"][0]["path"];
        assert!(role["described"].as_array().expect("places").iter().any(of_role), "{found}");
        let first = &found["answer"]["statements"][0];
        assert_eq!(first["first_line"], found["results"][0]["first_line"], "{question}: {found}");
    }
    // A section of a guide is all there is to say.
    let home = Sandbox::new();
    let (bronze, reed) = ("- Clay, wax and bronze\n".repeat(50), "- Reed and straw\n".repeat(60));
    let roles = format!("## Roles\n\n### Bell Engineer\n\n{bronze}\n### Roof Engineer\n\n{reed}\n");
    home.write("folder/jobs.md", format!("# Jobs\n\n{roles}## Become\n\nHow do I become, he asked.\n"));
    let ask = ["ask", "How do I become a bell engineer?", "--guides", "folder"];
    let found = home.json(&ask, 0);
    assert!(found["answer"]["statements"][0]["text"].as_str().is_some_and(|text| text.contains("bronze")));
    assert_eq!(found["results"][0]["confidence"].as_f64().map(|sure| sure >= 0.8), Some(true), "{found}");
    // Filters hold here as everywhere.
    home.write("folder/other.md", "# Other\n\nHow do I become a bell engineer? Nobody knows.\n");
    let elsewhere =
        home.json(&[&ask[..], &["--path", "folder/other.md", "--min-confidence", "0"]].concat(), 0);
    let results = elsewhere["results"].as_array().expect("results");
    assert!(!results.is_empty() && results.iter().all(|hit| hit["path"] == "folder/other.md"), "{elsewhere}");
}

#[test]
fn the_score_is_what_explain_says() {
    let home = Sandbox::new();
    let found = home.json(&["search", "learn SQL for data analysis", "--explain", "-n", "8"], 0);
    for hit in found["results"].as_array().expect("results") {
        let (number, explain) =
            (|value: &serde_json::Value| value.as_f64().expect("a number"), &hit["explain"]);
        let weight = number(&explain["dense_weight"]);
        let sum = weight * number(&explain["cosine_normalized"])
            + (1.0 - weight) * number(&explain["bm25_normalized"]);
        let late = number(&explain["late_weight"]);
        let sum = (1.0 - late) * sum + late * number(&explain["late_normalized"]);
        let sum = number(&explain["fit"]) * sum;
        assert!((sum - number(&hit["score"])).abs() < 1e-5, "{hit}");
    }
}
