// A question and the answer that a language model writes to it, sentence by sentence as they come.

import { source } from "./answer.js";
import { count, el } from "./dom.js";
import { NO_ANSWER, NOT_SAID, cited, isSilent, strictly, summary } from "./kept_text.js";
import { clearNotice, showFailure } from "./notice.js";
import { hideUnsupported, sentenceElement } from "./sentence.js";
import { isStrict } from "./strict.js";

/** One that waits for its answer, or has it. */
export class Exchange {
  #asked;
  #writer;
  #parts;
  #said;

  /** `asked` as it was typed; `writer` is the name of the language model; `stop` ends the writing. */
  constructor(asked, writer, stop) {
    this.#asked = asked;
    this.#writer = writer;
    this.#parts = elements(asked, stop);
    this.#said = nothing(asked, writer);
  }

  get element() {
    return this.#parts.element;
  }

  /** Where somebody should be who asked. */
  focus() {
    this.#parts.heading.focus({ preventScroll: true });
  }

  /** As files and follow-ups have it; null where nothing came of it. */
  kept() {
    const { ended, answered, asked, question, written } = this.#said;
    if (!ended || (!answered && written.sentences.length === 0)) return null;
    return { asked, question, written };
  }

  /** Begins, or begins anew; `follows` says whether anything was asked before. */
  begin(follows) {
    const { notice, text, sources, who, searched, button, element } = this.#parts;
    this.#said = nothing(this.#asked, this.#writer);
    clearNotice(notice);
    [text, sources, who, searched].forEach((part) => part.replaceChildren());
    button.hidden = false;
    element.setAttribute("aria-busy", "true");
    this.#stage(follows ? "Reading what was asked before…" : "Looking through the guides…");
  }

  /** Takes an event of the server. */
  hear(event, data) {
    const written = this.#said.written;
    if (event === "question") this.#searched(data.question);
    else if (event === "results") this.#stage("Choosing passages…");
    else if (event === "sources") {
      written.sources = data;
      this.#stage(`${this.#writer} reads ${count(data.length, "passage")}…`);
    } else if (event === "sentence") {
      this.#stage(`${this.#writer} writes…`);
      this.#add(data);
    }
  }

  /** All of it is there; `written` is undefined where nothing that was found may answer. Gives what is to be said of it. */
  finish(written) {
    const before = this.#said.written;
    before.sources = written?.sources ?? [];
    written?.sentences.slice(before.sentences.length).forEach((sentence) => this.#add(sentence));
    this.#said.written = written ?? null;
    this.#said.answered = true;
    this.#end();
    const verdict = !written ? NO_ANSWER : isSilent(written) ? NOT_SAID : null;
    if (verdict) this.#parts.text.append(el("p", { class: "verdict", text: verdict }));
    return verdict ?? asSentence(summary(written));
  }

  /** Somebody wanted no more of it. */
  halt(otherwise = "Stopped before anything was written.") {
    const { sentences } = this.#said.written;
    this.#said.written.supported = sentences.some(({ supported }) => supported);
    this.#end();
    if (sentences.length === 0) this.#parts.who.textContent = otherwise;
  }

  /** It went wrong; `again` is what to try again. */
  fail(error, again) {
    const { notice } = this.#parts;
    this.#said.written.finish = "broken";
    this.halt("Not answered.");
    showFailure(error, again, notice);
    notice.scrollIntoView({ block: "nearest" });
  }

  /** Nothing more is tried. */
  rest() {
    clearNotice(this.#parts.notice);
  }

  /** Draws what depends on which sentences are shown. */
  redraw() {
    const { text, sources, who } = this.#parts;
    const { ended, written } = this.#said;
    if (!written) return;
    const shown = isStrict() ? strictly(written) : written;
    text.querySelectorAll("p").forEach((paragraph) => hideUnsupported(paragraph, isStrict()));
    sources.replaceChildren(...cited(shown).map((place) => source(place, place.number, titleOf(place))));
    if (ended && written.sentences.length > 0) who.textContent = asSentence(summary(shown));
  }

  #stage(text) {
    this.#parts.stage.textContent = text;
  }

  #searched(question) {
    this.#said.question = question;
    if (question !== this.#asked) {
      this.#parts.searched.replaceChildren("Searched as: ", el("strong", { text: question }));
    }
    this.#stage("Looking through the guides…");
  }

  #add(sentence) {
    const { text } = this.#parts;
    const { sentences, sources } = this.#said.written;
    if (sentence.new_paragraph || sentences.length === 0) text.append(el("p"));
    sentences.push(sentence);
    text.lastElementChild.append(" ", sentenceElement(sentence, sources));
    this.redraw();
  }

  #end() {
    const { element, button, stage } = this.#parts;
    this.#said.ended = true;
    element.removeAttribute("aria-busy");
    stage.replaceChildren();
    if (document.activeElement === button) this.focus();
    button.hidden = true;
    this.redraw();
  }
}

function elements(asked, stop) {
  const heading = el("h3", { class: "asked", tabindex: "-1", text: asked });
  const button = el("button", { type: "button", class: "stop", text: "Stop", title: "Stop writing (Escape)" });
  button.addEventListener("click", stop);
  const head = el("header", {}, heading, button);
  const searched = el("p", { class: "searched" });
  const text = el("div", { class: "prose sentences" });
  const stage = el("p", { class: "stage" });
  const sources = el("ol", { class: "sources", "aria-label": "Sources" });
  const who = el("p", { class: "hint" });
  const notice = el("div");
  const element = el("article", { class: "exchange" }, head, searched, text, stage, sources, who, notice);
  return { heading, button, searched, text, stage, sources, who, notice, element };
}

/** What is known before anything came: as the server would say of an answer that was stopped. */
function nothing(asked, writer) {
  const written = { model: writer, supported: false, sentences: [], left_out: 0, sources: [], finish: "stopped" };
  return { asked, question: asked, written, ended: false, answered: false };
}

function asSentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

function titleOf({ heading_path: path, path: file }) {
  const [title, ...below] = path;
  const last = below.filter((heading) => heading !== title).at(-1);
  return [title ?? file, last].filter(Boolean).join(" › ");
}
