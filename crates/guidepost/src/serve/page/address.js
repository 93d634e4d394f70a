// The state of the page, which is its address: every view, question, filter and opened guide can be shared, and back and
// forward go through them.

/** Names in the address by field; those in `LISTS` may be repeated. */
const WORDS = {
  view: "view",
  q: "q",
  mode: "mode",
  open: "open",
  why: "why",
  serves: "for",
  first: "first",
  second: "second",
  at: "at",
};
const LISTS = { kind: "kind", role: "role", tag: "tag", path: "path", after: "after", want: "want" };

const VIEWS = ["search", "resources", "compare", "map"];
const MODES = ["dense", "bm25"];
const LIMIT = 10;
const MOST = 100;

/** Filters of a search, in the order in which they are shown. */
export const FACETS = ["kind", "role", "tag", "path", "after"];

/** The state that an address stands for. What it does not say, or says wrongly, is the default. */
function parse(search) {
  const values = new URLSearchParams(search);
  const state = { asked: values.get("ask") === "1", limit: limit(values.get("n")) };
  for (const [field, name] of Object.entries(WORDS)) state[field] = values.get(name) ?? "";
  for (const [field, name] of Object.entries(LISTS)) state[field] = [...new Set(values.getAll(name))];
  if (!VIEWS.includes(state.view)) state.view = "search";
  if (!MODES.includes(state.mode)) state.mode = "";
  state.asked = state.asked && state.view === "search" && state.q.trim() !== "";
  return state;
}

function limit(written) {
  const number = Number.parseInt(written ?? "", 10);
  return number >= 1 && number <= MOST ? number : LIMIT;
}

/** The address of a state, as short as it can be. */
export function format(state) {
  const values = new URLSearchParams();
  for (const [field, name] of Object.entries(WORDS)) {
    if (state[field] && !(field === "view" && state.view === "search")) values.append(name, state[field]);
  }
  if (state.asked) values.append("ask", "1");
  if (state.limit !== LIMIT) values.append("n", state.limit);
  for (const [field, name] of Object.entries(LISTS)) state[field].forEach((value) => values.append(name, value));
  const search = values.toString();
  return search ? `/?${search}` : "/";
}

let current = parse(location.search);
const listeners = [];

export function state() {
  return current;
}

/** Calls `listen(state, before)` after every change, and once at the start. */
export function follow(listen) {
  listeners.push(listen);
  listen(current, null);
}

/** The address after some changes; links use it, so that they can be opened in a new tab. */
export function address(changes) {
  return format({ ...current, ...changes });
}

/** A new state that back leaves again. */
export function go(changes) {
  change(changes, "pushState");
}

/** A new state in place of the one there is: while typing, or moving the map. */
export function amend(changes) {
  change(changes, "replaceState");
}

function change(changes, how) {
  const next = { ...current, ...changes };
  if (format(next) === format(current)) return;
  history[how](null, "", format(next));
  arrive(next);
}

function arrive(next) {
  const before = current;
  current = next;
  listeners.forEach((listen) => listen(current, before));
}

window.addEventListener("popstate", () => arrive(parse(location.search)));

/** `path:12-20`, as citations are written. */
export function citation(place) {
  const { path, first_line: first, last_line: last } = place;
  return first === last ? `${path}:${first}` : `${path}:${first}-${last}`;
}

/** The path and lines of a citation; the lines are null where it has none. */
export function place(written) {
  const found = /^(.*):(\d{1,9})(?:-(\d{1,9}))?$/s.exec(written);
  if (!found) return { path: written, first: null, last: null };
  const first = Number(found[2]);
  return { path: found[1], first, last: Number(found[3] ?? first) };
}

/** Whether a click should be left to the browser: a new tab, a new window, a download. */
export function elsewhere(event) {
  return event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
}
