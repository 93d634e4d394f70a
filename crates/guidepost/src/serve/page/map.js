// The map: guides and their passages placed by meaning, what a search found lit up. Beside it a list says the same in words,
// so that nothing needs the eye or the mouse.

import { get } from "./api.js";
import { Chart } from "./chart.js";
import { address, amend, go, state } from "./address.js";
import { inWords } from "./confidence.js";
import { count, el, say } from "./dom.js";
import { clearNotice, emptiness, showFailure, waiting } from "./notice.js";
import { headings, placeLink, shownPlace } from "./places.js";
import { searchParameters } from "./query.js";

const HITS = 20;

const LEAD =
  "Every dot is a passage, placed by what it is about: neighbors mean similar things. " +
  "Ask something, and what is found lights up.";
const NO_VECTORS =
  "This index was made without a model, so nothing is known of what its guides mean. " +
  "The other views work all the same.";
const HELP =
  "Arrow keys move the map, plus and minus zoom, 0 shows all of it. " +
  "The list beside it has the same guides and passages as links.";

export function mapView(root, { documents, progress }) {
  const stage = el("div", { class: "map-stage" }, waiting(2, "Drawing the map"));
  const beside = el("div", { class: "map-list" });
  root.replaceChildren(
    el(
      "section",
      { class: "map-view", "aria-labelledby": "map-heading" },
      el(
        "div",
        { class: "map-head" },
        el("h2", { id: "map-heading", text: "Map of the guides" }),
        el("p", {
          class: "lead",
          text: LEAD,
        }),
      ),
      stage,
      beside,
    ),
  );
  const parts = { stage, beside, progress, chart: null, map: null };
  let running = null;

  async function start() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    progress(true);
    try {
      parts.map = await get("map", {}, signal);
      if (signal.aborted) return;
      if (parts.map.guides.length === 0) {
        stage.replaceChildren(
          emptiness(
            "There is no map without vectors",
            el("p", {
              text: NO_VECTORS,
            }),
          ),
        );
        return;
      }
      draw(parts, documents);
      await light(parts, signal);
      clearNotice();
    } catch (error) {
      if (!signal.aborted) {
        if (!parts.chart) stage.replaceChildren();
        showFailure(error, start);
      }
    } finally {
      if (!signal.aborted) progress(false);
    }
  }

  return {
    update(before) {
      if (!before) return start();
      if (!parts.chart) return null;
      const asks = (one) => JSON.stringify({ ...searchParameters(one), limit: 0 });
      if (asks(before) !== asks(state())) {
        running?.abort();
        running = new AbortController();
        const { signal } = running;
        progress(true);
        light(parts, signal)
          .then(clearNotice, (error) => signal.aborted || showFailure(error, start))
          .finally(() => signal.aborted || progress(false));
      } else if (before.at !== state().at) {
        parts.chart.moveTo(state().at);
      }
      return null;
    },
    leave() {
      running?.abort();
      parts.chart?.leave();
      progress(false);
    },
  };
}

function draw(parts, documents) {
  const kinds = new Map((documents?.documents ?? []).map((document) => [document.path, document.kind ?? ""]));
  const canvas = el("canvas", {
    tabindex: "0",
    role: "application",
    "aria-label": "Map of the guides",
    "aria-describedby": "map-help",
  });
  const tip = el("div", { class: "tip", hidden: true });
  const chart = new Chart(canvas, parts.map, kinds, {
    hover: (target, x, y) => showTip(tip, target, x, y),
    pick: (target) => go({ open: `${target.path}:${target.first_line}-${target.last_line}` }),
    moved: (at) => amend({ at }),
  });
  parts.chart = chart;
  const button = (label, text, act) =>
    el("button", { type: "button", "aria-label": label, title: label, text, on: { click: act } });
  parts.stage.replaceChildren(
    canvas,
    tip,
    el(
      "div",
      { class: "map-tools" },
      button("Zoom in", "+", () => chart.zoom(1.5)),
      button("Zoom out", "−", () => chart.zoom(1 / 1.5)),
      button("Show all of the map", "⤢", () => chart.reset()),
    ),
    legend(chart.kinds),
    el("p", {
      id: "map-help",
      class: "hidden",
      text: HELP,
    }),
  );
  chart.begin();
  chart.moveTo(state().at);
}

function legend(kinds) {
  const entries = kinds.map(({ name, shape, color }) =>
    el(
      "li",
      {},
      el("span", { class: `shape ${shape}`, dataset: { color }, "aria-hidden": "true" }),
      name || (kinds.length === 1 ? "guide" : "other guides"),
    ),
  );
  return el(
    "ul",
    { class: "map-legend", role: "list", "aria-label": "Legend" },
    ...entries,
    el("li", {}, el("span", { class: "shape hit", "aria-hidden": "true", text: "1" }), "found"),
  );
}

function showTip(tip, target, x, y) {
  tip.hidden = !target;
  if (!target) return;
  tip.replaceChildren(
    el("strong", { text: target.title }),
    ...(target.heading ? [el("span", { text: target.heading })] : []),
  );
  const width = tip.parentElement.clientWidth;
  tip.style.left = `${Math.min(Math.max(8, x + 12), Math.max(8, width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(8, y - tip.offsetHeight - 12)}px`;
}

/** Lights up what a search finds; without a question, the list has the guides. */
async function light(parts, signal) {
  const { q } = state();
  if (q.trim() === "") {
    parts.chart.light([]);
    parts.beside.replaceChildren(...guideList(parts));
    return;
  }
  const body = await get("search", { ...searchParameters(state()), limit: HITS }, signal);
  if (signal.aborted) return;
  const lit = parts.chart.light(body.results);
  parts.beside.replaceChildren(...hitList(parts, body.results));
  say(`${count(lit, "passage")} lit up on the map.`);
}

function hitList({ chart }, results) {
  if (results.length === 0)
    return [
      el("h3", { text: "Nothing found" }),
      el("p", { class: "hint", text: "Other words may light something up." }),
    ];
  const item = (hit) => {
    const link = placeLink(
      hit,
      {},
      el("span", { class: "rank", text: String(hit.rank) }),
      el(
        "span",
        {},
        el("strong", { text: hit.title }),
        ...headings(hit, hit.title)
          .slice(-1)
          .map((heading) => ` › ${heading}`),
        el("span", { class: "place", text: `${inWords(hit.confidence).words}, ${shownPlace(hit)}` }),
      ),
    );
    point(link, () => chart.point(hit));
    return el("li", {}, link);
  };
  return [
    el("h3", { text: count(results.length, "passage") }),
    el("ol", { class: "map-hits", role: "list" }, ...results.map(item)),
  ];
}

/** Guides that are listed at first; a list of thousands would be slow and of no use. */
const GUIDES_SHOWN = 150;

function guideList({ chart, map }) {
  const passages = new Map();
  map.points.forEach((one) => passages.set(one.guide, (passages.get(one.guide) ?? 0) + 1));
  const item = ({ guide, at }) => {
    const link = el(
      "a",
      { href: address({ open: guide.path }), dataset: { open: guide.path } },
      el("strong", { text: guide.title }),
      el("span", { class: "place", text: count(passages.get(at) ?? 0, "passage") }),
    );
    point(link, () => chart.point({ path: guide.path }));
    return el("li", {}, link);
  };
  const all = map.guides
    .map((guide, at) => ({ guide, at }))
    .sort((a, b) => a.guide.title.localeCompare(b.guide.title, "en"));
  const list = el("ul", { class: "map-hits", role: "list" }, ...all.slice(0, GUIDES_SHOWN).map(item));
  const rest = all.slice(GUIDES_SHOWN);
  const more = el("button", {
    type: "button",
    text: `${count(rest.length, "guide")} more`,
    on: {
      click: () => {
        list.append(...rest.map(item));
        more.remove();
      },
    },
  });
  return [el("h3", { text: count(map.guides.length, "guide") }), list, ...(rest.length > 0 ? [more] : [])];
}

/** What the mouse or the focus is on in the list shows on the map. */
function point(link, show) {
  link.addEventListener("mouseenter", show);
  link.addEventListener("focus", show);
}
