//! `guidepost chat`: questions that follow from those before.

use crate::language_server::{Asked, LanguageServer, Reply};
use crate::sandbox::{Run, Sandbox};

fn home() -> Sandbox {
    let home = Sandbox::new();
    home.write(
        "guides/roofer.md",
        "# Roofer\n\nTraining as a roofer takes three years and costs 1,200 euros.\n",
    );
    home.write("guides/mason.md", "# Mason\n\nTraining as a mason takes two years.\n");
    home.ok(&["index", "guides"]);
    home
}

/// Answers from whatever source names the trade, and knows what `that` stands for.
fn server() -> LanguageServer {
    LanguageServer::start(|asked, _| match (is_follow_up(asked), asked.message(1)) {
        (true, _) => Reply::says("What does the training as a roofer cost?"),
        (false, user) if user.contains("cost?") => Reply::says("Training as a roofer costs 1,200 euros [1]."),
        (false, user) if user.contains("mason?") => Reply::says("Training as a mason takes two years [1]."),
        _ => Reply::says(
            "Training as a roofer takes three years [1]. It is done on the [moon](http://moon.invalid/) [1].",
        ),
    })
}

fn is_follow_up(asked: &Asked) -> bool {
    asked.message(0).contains("without the conversation before")
}

fn chat(home: &Sandbox, server: &LanguageServer, typed: &str, more: &[&str]) -> Run {
    let asked = ["chat", "--min-confidence", "0", "--llm", server.address(), "--llm-model", "m"];
    Run::with_input(&mut home.command(&[&asked[..], more].concat()), typed)
}

#[test]
fn a_follow_up_is_searched_as_a_question_of_its_own() {
    let (home, server) = (home(), server());
    let run = chat(&home, &server, "How long is the training as a roofer?\nAnd what does that cost?\n", &[]);
    run.says(0, &[]);
    assert!(run.stdout.contains("> And what does that cost?\n"), "{}", run.stdout);
    assert!(run.stdout.contains("searched as: What does the training as a roofer cost?"), "{}", run.stdout);
    assert!(run.stdout.contains("costs 1,200 euros. [1]"), "{}", run.stdout);
    assert_eq!(
        run.stdout.matches("\n[1] guides/roofer.md:3").count(),
        2,
        "each turn is cited: {}",
        run.stdout
    );
    let asked = server.asked();
    assert_eq!(asked.iter().map(is_follow_up).collect::<Vec<_>>(), [false, true, false]);
    let told = asked[1].message(1);
    assert!(told.contains("| Answered: Training as a roofer takes three years."), "{told}");
    assert!(!told.contains("moon"), "what no guide says is not told on: {told}");
    assert!(!asked[2].message(1).contains("How long"), "an answer is written from its sources alone");
}

#[test]
fn a_new_conversation_follows_from_nothing() {
    let (home, server) = (home(), server());
    let run =
        chat(&home, &server, "How long is the training?\n/new\nAnd as a mason?\n/quit\nNever asked?\n", &[]);
    run.says(0, &["not looked at any more"]);
    assert!(server.asked().iter().all(|asked| !is_follow_up(asked)));
    assert!(!run.stdout.contains("Never asked"), "{}", run.stdout);
}

#[test]
fn a_conversation_is_saved_with_its_sources() {
    let (home, server) = (home(), server());
    let typed = "How long is the training as a roofer?\nAnd what does that cost?\n/save copy.md\n";
    chat(&home, &server, typed, &["--save", "talk.md"]).says(0, &["saved in `copy.md`"]);
    let saved = std::fs::read_to_string(home.path("talk.md")).expect("it was written");
    assert_eq!(saved, std::fs::read_to_string(home.path("copy.md")).expect("it was written"));
    for part in [
        "# Questions to the guides\n\n## How long is the training as a roofer?\n",
        "Training as a roofer takes three years. [1] It is done on the \\[moon\\](http://moon.invalid/). [1] (? ",
        "\n1. `guides/roofer.md:3` Roofer\n",
        "\n## And what does that cost?\n\n*Searched as: What does the training as a roofer cost?*\n",
        "*written by m and held against the guides: 1 of 2 sentences",
    ] {
        assert!(saved.contains(part), "no `{part}` in: {saved}");
    }
    chat(&home, &server, "x?\n", &["--save", "talk.md"]).says(2, &["`talk.md` is there already"]);
}

#[test]
fn without_answers_nothing_was_found_and_without_a_model_there_is_no_chat() {
    let home = home();
    let silent = LanguageServer::saying("The guides do not say.");
    let run = chat(&home, &silent, "What is the weather?\n/nonsense\n", &[]);
    run.says(1, &["`/nonsense` is no command"]);
    assert!(run.stdout.contains("The guides do not say."), "{}", run.stdout);
    home.run(&["chat"]).says(2, &["takes a language model", "--llm"]);
    let failing = LanguageServer::start(|_, _| Reply::Fails(401, "", "{}"));
    chat(&home, &failing, "What?\n", &[]).says(2, &["refuses requests without a key"]);
}
