// A conversation with a language model over the guides: questions that may follow from those before, each searched, answered
// and cited anew, and a file of it to keep.

import { write } from "./api.js";
import { el, icon, say } from "./dom.js";
import { Exchange } from "./exchange.js";
import { markdown, strictly, turns } from "./kept_text.js";
import { searchParameters } from "./query.js";
import { state } from "./address.js";
import { isStrict, strictBox } from "./strict.js";

/** The exchanges since it began, and where the next one is asked for. */
export class Conversation {
  #writer;
  #exchanges = [];
  /** Ends what is being written; null where nothing is. */
  #running = null;
  #list = el("div", { class: "exchanges" });
  #follow = followUp((asked) => this.ask(asked));
  #keep = tool("Save as Markdown", "M12 4v11M7 11l5 5 5-5M5 20h14", () => download(kept(this.#exchanges)));
  #whenEmpty = () => {};

  /** `writer` is the name of the language model. */
  constructor(writer) {
    this.#writer = writer;
    const strict = strictBox(() => this.#exchanges.forEach((one) => one.redraw()));
    const anew = tool("New conversation", "M12 5v14M5 12h14", () => this.#clear());
    this.element = section(writer, strict, this.#list, this.#follow.form, [this.#keep, anew]);
  }

  get isEmpty() {
    return this.#exchanges.length === 0;
  }

  /** `listen` is called when somebody wants another conversation. */
  whenEmpty(listen) {
    this.#whenEmpty = listen;
  }

  ask(asked) {
    const one = new Exchange(asked, this.#writer, () => this.stop());
    const first = this.isEmpty;
    this.#exchanges.forEach((earlier) => earlier.rest());
    this.#exchanges.push(one);
    this.#list.append(one.element);
    this.#write(one, asked);
    if (first) one.focus();
    // What comes has the room below.
    (first ? this.element : one.element).scrollIntoView({ block: "start" });
  }

  /** Ends what is being written. Gives whether anything was. */
  stop() {
    if (!this.#running) return false;
    this.#running.abort();
    this.#running = null;
    say("Stopped.");
    return true;
  }

  async #write(one, asked) {
    const own = (this.#running = new AbortController());
    const { signal } = own;
    const before = turns(kept(this.#exchanges.slice(0, this.#exchanges.indexOf(one))));
    one.begin(before.length > 0);
    this.#sync();
    say(`${this.#writer} writes an answer.`);
    try {
      const body = await write(request(asked, before), (...event) => !signal.aborted && one.hear(...event), signal);
      if (!signal.aborted) say(one.finish(body.written));
    } catch (error) {
      // Nothing is tried again by itself for somebody who has gone elsewhere.
      if (!signal.aborted) one.fail(error, () => this.element.isConnected && this.#write(one, asked));
    } finally {
      if (signal.aborted) one.halt();
      if (this.#running === own) this.#running = null;
      this.#sync();
    }
  }

  #clear() {
    this.stop();
    this.#exchanges.forEach((one) => one.rest());
    this.#exchanges = [];
    this.#list.replaceChildren();
    this.#follow.field.value = "";
    this.#whenEmpty();
  }

  #sync() {
    this.#follow.button.disabled = this.#running !== null;
    this.#keep.disabled = kept(this.#exchanges).length === 0;
  }
}

function kept(exchanges) {
  return exchanges.map((one) => one.kept()).filter(Boolean);
}

function section(writer, strict, list, form, tools) {
  const heading = el("h2", { id: "written-heading" }, "In the words of ", el("span", { class: "writer", text: writer }));
  return el(
    "section",
    { class: "answer written", "aria-labelledby": "written-heading" },
    el("header", {}, heading, strict),
    list,
    form,
    el("div", { class: "tools" }, ...tools),
  );
}

function tool(text, drawing, click) {
  return el("button", { type: "button", class: "quiet", on: { click } }, icon(drawing), text);
}

/** The field for what comes next; it can be filled while something is written. */
function followUp(ask) {
  const field = el("input", {
    type: "text",
    enterkeyhint: "send",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: "2000",
    placeholder: "Ask a follow-up",
    "aria-label": "Ask a follow-up",
  });
  const button = el("button", { type: "submit", class: "primary", text: "Ask" });
  const form = el("form", { class: "follow-up" }, el("div", { class: "field" }, field, button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const asked = field.value.trim();
    if (asked === "") return;
    field.value = "";
    ask(asked);
  });
  return { form, field, button };
}

/** What is asked of the server: the question with the filters of the page. */
function request(asked, before) {
  const { mode, kind, role, tag, path, after } = searchParameters(state());
  return { q: asked, turns: before, ...(mode ? { mode } : {}), kind, role, tag, path, after };
}

/** Gives the conversation to whoever reads, as it is shown. */
function download(exchanges) {
  const shown = exchanges.map((one) => (isStrict() && one.written ? { ...one, written: strictly(one.written) } : one));
  const file = URL.createObjectURL(new Blob([markdown(shown)], { type: "text/markdown" }));
  el("a", { href: file, download: fileName(exchanges[0].asked) }).click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(file), 10_000);
}

function fileName(asked) {
  const words = asked.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? ["questions"];
  return `${words.join("-").slice(0, 60)}.md`;
}
