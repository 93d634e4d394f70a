// The answer: sentences of guides, each with the number of its source, and the sources below.

import { confidence } from "./confidence.js";
import { el, hidden } from "./dom.js";
import { guideLinks, headings, placeLink, shownPlace } from "./places.js";
import { render } from "./text.js";

const STAGES = {
  searching: "Looking through the guides…",
  answering: "Reading the best passages…",
  checking: "Holding each sentence against its guide…",
};

/** An empty card that fills as the answer comes. */
export function answerCard() {
  const stage = el("p", { class: "stage", text: STAGES.searching });
  const statements = el("div", { class: "statements" });
  const sources = el("ol", { class: "sources", "aria-label": "Sources" });
  const head = el("header", {}, el("h2", { id: "answer-heading", text: "Answer" }));
  const card = el(
    "section",
    { class: "answer", "aria-labelledby": "answer-heading", "aria-busy": "true" },
    head,
    stage,
    statements,
    sources,
  );
  const titles = new Map();
  return {
    card,
    progress(name) {
      stage.textContent = STAGES[name] ?? stage.textContent;
    },
    know(results) {
      results.forEach((hit) => titles.set(hit.path, hit.title));
    },
    statement(said) {
      if (statements.querySelector(`[data-citation="${said.citation}"]`)) return;
      statements.append(statement(said, titles.get(said.path)));
      sources.append(source(said, said.citation, titles.get(said.path)));
    },
    finish(body) {
      card.setAttribute("aria-busy", "false");
      stage.remove();
      this.know(body.results);
      body.answer.statements.forEach((said) => this.statement(said));
      head.append(confidence(body.answer.confidence));
    },
  };
}

/** A quotation, below the heading that it stands under: a step of a roadmap says little without it. */
function statement(said, title) {
  const heading = headings(said, title)
    .filter((one) => one !== title)
    .at(-1);
  const text = el("blockquote", { class: "prose" }, render(unquoted(said.text), { guide: guideLinks(said.path) }));
  const mark = el("sup", {}, placeLink(said, { class: "cite" }, hidden("Source "), String(said.citation)));
  lastText(text).append(" ", mark);
  return el(
    "div",
    { class: "statement", dataset: { citation: said.citation } },
    el("p", { class: "under", text: [title, heading].filter(Boolean).join(" › ") }),
    text,
  );
}

/** The lines of a statement: one that begins within a line of a quotation goes on without the marks of the next. */
function unquoted(text) {
  const lines = text.split("\n");
  return lines[0].startsWith(">") ? lines : lines.map((line) => line.replace(/^\s*>\s?/, ""));
}

/** Where the number of the source goes: after the last word. */
function lastText(text) {
  const last = [...text.querySelectorAll(".block")].at(-1);
  return last && last.matches("p, li, blockquote, h3, h4, h5, h6") ? last : text;
}

/** A place that is cited by its number. */
export function source(place, number, title) {
  return el(
    "li",
    { value: number },
    placeLink(place, {}, title ?? place.path),
    " ",
    el("span", { class: "place", text: shownPlace(place) }),
  );
}

/** What is said where no guide answers. */
export function noAnswer(results) {
  const nearest =
    results.length > 0 ? "The nearest passages are below; they may not be about it." : "Nothing comes near, either.";
  return el(
    "section",
    { class: "answer none", "aria-labelledby": "answer-heading" },
    el("h2", { id: "answer-heading", text: "No guide here answers that" }),
    el("p", { text: `${nearest} Other words may help: the guides’ own, if you know them.` }),
  );
}
