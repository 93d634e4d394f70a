// The view of questions: results while somebody types, the answer on Enter, filters beside both.

import { ask, get, known } from "./api.js";
import { sameQuestion, searchParameters } from "./query.js";
import { state } from "./address.js";
import { answerCard, noAnswer } from "./answer.js";
import { chosenChips, chosenFilters, facetPanel, syncFacets, withoutFilters } from "./facets.js";
import { count, el, say } from "./dom.js";
import { link } from "./link.js";
import { clearNotice, emptiness, showFailure, waiting } from "./notice.js";
import { moreLink, showResults } from "./results.js";
import { resourceItem } from "./resource_item.js";
import { leaveWriting, showWriting } from "./writing.js";

/** Skeletons only come where an answer takes longer than this: faster ones would flicker. */
const PATIENCE_MS = 250;

/** The view; `documents` are those of `/api/documents`, null where they are not to be had. */
export function searchView(root, { documents, writer, progress }) {
  const chips = el("div", { class: "chips" });
  const told = el("div", { class: "told" });
  const answer = el("div", { id: "answer" });
  const written = el("div", { id: "written" });
  const list = el("ol", { class: "results", role: "list", "aria-label": "Passages" });
  const below = el("div", { class: "below" });
  const facets = documents ? facetPanel(documents.facets) : null;
  const content = el("div", { class: "content" }, chips, answer, written, told, list, below);
  root.replaceChildren(el("div", { class: "search-view" }, facets, content));
  const parts = { chips, told, answer, written, writer, list, below, progress };
  let running = null;

  async function load() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const patience = setTimeout(() => wait(parts), PATIENCE_MS);
    progress(true);
    try {
      await (state().asked ? loadAnswer(parts, signal) : loadResults(parts, signal));
      clearNotice();
    } catch (error) {
      if (!signal.aborted) {
        parts.list.querySelector(".skeleton")?.closest("li").remove();
        parts.answer.replaceChildren();
        showFailure(error, load);
      }
    } finally {
      clearTimeout(patience);
      if (!signal.aborted) progress(false);
    }
  }

  return {
    update(before) {
      if (facets) syncFacets(facets);
      chips.replaceChildren(...chosenChips());
      const now = state();
      if (!before || before.asked !== now.asked || before.q !== now.q) showWriting(written, writer, false);
      if (!before || before.asked !== now.asked || !sameQuestion(before, now)) return load();
      if (before.why !== now.why && parts.shown) showResults(list, parts.shown, questionKey());
      return null;
    },
    leave() {
      running?.abort();
      leaveWriting();
      progress(false);
    },
  };
}

function questionKey() {
  return JSON.stringify(searchParameters(state()));
}

/** While nothing is there yet, shapes; what is there stays until something newer comes. */
function wait({ list }) {
  if (list.children.length === 0) list.replaceChildren(el("li", {}, waiting(4, "Searching")));
}

async function loadResults(parts, signal) {
  const parameters = searchParameters(state());
  const body = known("search", parameters) ?? (await get("search", parameters, signal));
  parts.answer.replaceChildren();
  show(parts, body);
  say(body.results.length === 0 ? "Nothing found." : `${count(body.results.length, "passage")}.`);
}

async function loadAnswer(parts, signal) {
  const card = answerCard();
  const drawn = setTimeout(() => parts.answer.replaceChildren(card.card), PATIENCE_MS);
  const draw = () => {
    clearTimeout(drawn);
    if (!card.card.isConnected) parts.answer.replaceChildren(card.card);
  };
  const hear = {
    progress: ({ stage }) => card.progress(stage),
    results: (body) => {
      card.know(body.results);
      show(parts, body);
    },
    statement: (statement) => {
      draw();
      card.statement(statement);
    },
  };
  try {
    const body = await ask(searchParameters(state()), (event, data) => !signal.aborted && hear[event]?.(data), signal);
    if (signal.aborted) return;
    if (body.answer) {
      draw();
      card.finish(body);
    } else {
      parts.answer.replaceChildren(...(body.results.length > 0 ? [noAnswer(body.results)] : []));
    }
    show(parts, body);
    showWriting(parts.written, parts.writer, Boolean(body.answer));
    say(
      body.answer ? `Answer with ${count(body.answer.statements.length, "statement")}.` : "No guide here answers that.",
    );
  } finally {
    clearTimeout(drawn);
  }
}

function show(parts, body) {
  parts.shown = body.results;
  parts.told.replaceChildren(...told(body));
  showResults(parts.list, body.results, questionKey());
  parts.below.replaceChildren(...[nothing(body), moreLink(body.results.length), resources(body)].filter(Boolean));
}

/** What the search did that the question does not say. */
function told(body) {
  const said = (body.corrections ?? []).map(({ written, meant }) =>
    el(
      "p",
      { class: "note" },
      "Searched for ",
      el("strong", { text: meant.join(", ") }),
      " instead of ",
      el("em", { text: written }),
      ", which no guide holds.",
    ),
  );
  (body.warnings ?? []).forEach((text) => said.push(el("p", { class: "note", text })));
  if (body.mode === "bm25" && state().mode !== "bm25") {
    said.push(
      el("p", { class: "note", text: "Searched by words alone: no model is at hand, or the index has no vectors." }),
    );
  }
  if (body.results.length > 0 && !state().asked) {
    const ask = link({ asked: true }, { text: "Answer from the guides" });
    said.push(el("p", { class: "note" }, ask, ", or press Enter."));
  }
  if (body.results.length > 0) {
    const what = count(body.results.length, "passage");
    const heading = body.answer ? "Where it stands" : body.command === "ask" ? "Nearest passages" : what;
    const took = `${Math.max(1, Math.round(body.took_ms))} ms`;
    said.push(
      el(
        "h2",
        { class: "count" },
        heading,
        el("span", { class: "took", text: heading === what ? took : `${what}, ${took}` }),
      ),
    );
  }
  return said;
}

function nothing(body) {
  if (body.results.length > 0) return null;
  const filtered = chosenFilters(state()).length > 0;
  const hints = el(
    "ul",
    {},
    ...[
      filtered && "Take off a filter.",
      "Try other words, or fewer of them.",
      /["-]|\w:/.test(state().q) &&
        "Quotation marks, a minus sign before a word and words such as title: narrow a search.",
    ]
      .filter(Boolean)
      .map((text) => el("li", { text })),
  );
  const off = filtered
    ? el("button", { type: "button", text: "Search without filters", on: { click: withoutFilters } })
    : null;
  return emptiness("Nothing found", hints, off);
}

function resources(body) {
  if (!body.resources?.length) return null;
  const all = link({ view: "resources", asked: false, open: "" }, { text: "More in Resources" });
  return el(
    "section",
    { class: "fitting", "aria-labelledby": "fitting" },
    el("h2", { id: "fitting", text: "What the guides recommend" }),
    el("ul", { class: "resource-list", role: "list" }, ...body.resources.map(resourceItem)),
    el("p", {}, all),
  );
}
