// The page as a whole: which view the address asks for, the field, and what every view shares.

import { amend, elsewhere, follow, format, go, state } from "./address.js";
import { get } from "./api.js";
import { compareView } from "./compare.js";
import { count } from "./dom.js";
import { listenForKeys } from "./keys.js";
import { mapView } from "./map.js";
import { clearNotice, showFailure } from "./notice.js";
import { knowGuides, listenForPlaces } from "./places.js";
import { listenForReopening, updateReader } from "./reader.js";
import { resourcesView } from "./resources.js";
import { searchView } from "./search.js";
import { startView } from "./start.js";

/** A pause in typing that is long enough to ask. */
const TYPING_MS = 90;

const VIEWS = { start: startView, search: searchView, resources: resourcesView, compare: compareView, map: mapView };
const TITLES = { start: "Guidepost", search: "Ask", resources: "Resources", compare: "Compare", map: "Map" };

const field = document.getElementById("q");
const shared = { documents: null, roles: [], writer: null, progress };
let shown = { name: "", view: null };

/** The first screen is that of questions before there is one. */
function screen({ view, q }) {
  return view === "search" && q.trim() === "" ? "start" : view;
}

function update(now, before) {
  const name = screen(now);
  document.title = title(now, name);
  document.getElementById("title").textContent =
    name === "start" ? "Ask your guides" : document.title.replace(" · Guidepost", "");
  document.body.dataset.screen = name;
  document.querySelectorAll("nav [data-view]").forEach((link) => {
    if (link.dataset.view === now.view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.href = format({ ...bare(now), view: link.dataset.view });
  });
  // What is being typed is not touched by other changes, such as a filter.
  if (before && before.q !== now.q && field.value.trim() !== now.q.trim()) field.value = now.q;
  if (shown.name === name) {
    shown.view.update(before);
  } else {
    shown.view?.leave();
    clearNotice();
    shown = { name, view: VIEWS[name](document.getElementById("view"), shared) };
    shown.view.update(null);
    refresh();
  }
  updateReader(before);
}

function title(now, name) {
  const asked = now.q.trim();
  if (name === "compare" && now.first && now.second) return `${now.first} and ${now.second} · Guidepost`;
  if (name === "start") return "Guidepost: ask your guides";
  return `${asked ? `${asked} · ` : ""}${TITLES[name]} · Guidepost`;
}

/** A state with the question alone: what views share. */
function bare({ q }) {
  return { ...EMPTY, q };
}

const EMPTY = {
  view: "search",
  q: "",
  asked: false,
  mode: "",
  limit: 10,
  open: "",
  why: "",
  serves: "",
  first: "",
  second: "",
  at: "",
  kind: [],
  role: [],
  tag: [],
  path: [],
  after: [],
  want: [],
};

function progress(on) {
  document.getElementById("progress").hidden = !on;
}

let pause = 0;

/** While somebody types, one state stands for all they typed; the first letter after an answer leaves it behind. */
function typed() {
  clearTimeout(pause);
  pause = setTimeout(() => {
    const now = state();
    const view = now.view === "compare" ? "search" : now.view;
    const changes = { q: field.value.trim() === "" ? "" : field.value, asked: false, why: "", limit: 10, view };
    if (now.asked || now.view !== view || (now.q === "" && changes.q !== "")) go(changes);
    else amend(changes);
  }, TYPING_MS);
}

function submitted(event) {
  event.preventDefault();
  clearTimeout(pause);
  const q = field.value.trim();
  const { view } = state();
  if (q === "") return field.focus();
  if (view === "search" || view === "compare") go({ q, asked: true, view: "search", why: "", open: "" });
  else amend({ q });
  return null;
}

function listenForViews() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-view]") : null;
    if (!link || elsewhere(event)) return;
    event.preventDefault();
    go(link.dataset.view === "start" ? EMPTY : { ...bare(state()), view: link.dataset.view });
    if (link.dataset.view === "start") field.focus();
  });
}

/** What every view needs; without it the page still searches. */
async function learn() {
  // Without the status no answer is written, and all else works.
  const status = get("status").catch(() => null);
  const [documents, roles, about] = await Promise.all([get("documents"), get("roles"), status]);
  shared.documents = documents;
  shared.roles = roles.roles;
  shared.writer = about?.server?.language_model ?? null;
  knowGuides(documents.documents);
  const passages = documents.documents.reduce((sum, document) => sum + document.passages, 0);
  const held = `${count(documents.documents.length, "guide")}, ${count(passages, "passage")}.`;
  // Where the language model runs, nobody here knows.
  const kept = shared.writer
    ? `Every answer is a quotation, but those that ${shared.writer} writes where you ask for it.`
    : "Every answer is a quotation; nothing leaves this server.";
  document.getElementById("about").textContent = `${held} ${kept}`;
}

async function begin() {
  try {
    await learn();
    clearNotice();
  } catch (error) {
    showFailure(error, begin);
    if (error.status === 401) return;
  }
  if (shown.view) rebuild();
  else follow(update);
}

/** Shows the view anew, with what is known now. */
function rebuild() {
  shown.view.leave();
  shown = { name: "", view: null };
  update(state(), null);
}

/** Learns what changed since the guides were last looked at: with another view, and when somebody comes back to the page. */
async function refresh() {
  const before = known();
  try {
    await learn();
  } catch {
    // What is known goes on; a view that asks for more says what is wrong.
    return;
  }
  if (known() !== before) rebuild();
}

function known() {
  return JSON.stringify([shared.documents, shared.roles, shared.writer]);
}

field.value = state().q;
field.addEventListener("input", typed);
document.getElementById("form").addEventListener("submit", submitted);
listenForViews();
listenForPlaces();
listenForReopening();
listenForKeys(field);
document.addEventListener("visibilitychange", () => !document.hidden && shown.view && refresh());
await begin();
const asksForKey = document.getElementById("key") !== null;
if (!asksForKey && !state().open && state().view === "search" && matchMedia("(hover: hover)").matches)
  field.focus({ preventScroll: true });
