// Links to places in guides. A click opens the reader beside what is shown; in a new tab, the address does the same.

import { address, citation, elsewhere, go, state } from "./address.js";
import { el } from "./dom.js";

/** A link that opens lines of a guide. */
export function placeLink(place, properties, ...children) {
  const open = citation(place);
  const link = el(
    "a",
    { ...properties, href: address({ open }), dataset: { ...properties?.dataset, open } },
    ...children,
  );
  return link;
}

/** `guides/sql.md`, lines 12 to 20. */
export function shownPlace(place) {
  const { path, first_line: first, last_line: last, page } = place;
  const lines = first === last ? `line ${first}` : `lines ${first}–${last}`;
  return `${path}, ${page ? `p. ${page}, ` : ""}${lines}`;
}

/** Headings above a passage, without the title and without repeats. */
export function headings(place, title) {
  const path = place.heading_path ?? [];
  const own = path.filter((heading, at) => heading !== title && heading !== path[at - 1]);
  return own.length > 0 ? own : path.slice(0, 1);
}

/** Every link with `data-open` opens the reader, wherever it stands. */
export function listenForPlaces() {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a[data-open]") : null;
    if (!link || elsewhere(event)) return;
    event.preventDefault();
    opener = link;
    if (state().open === link.dataset.open) document.dispatchEvent(new CustomEvent("reopen"));
    else go({ open: link.dataset.open });
  });
}

let opener = null;

/** What opened the reader, so that closing it leads back there. */
export function takeOpener() {
  const taken = opener?.isConnected ? opener : document.querySelector(`#view a[data-open="${CSS.escape(lastOpen)}"]`);
  opener = null;
  return taken;
}

let lastOpen = "";

export function rememberOpen(open) {
  lastOpen = open;
}

/** Guides by path, for links from one to another. */
let known = new Map();

/** `documents` are those of `/api/documents`. */
export function knowGuides(documents) {
  known = new Map(documents.map((document) => [document.path, document]));
}

/** What is to be known of a guide that could not be read as it stands. */
export function warningsOf(path) {
  return known.get(path)?.warnings ?? [];
}

/** For links inside a guide: the guide that a relative target leads to. */
export function guideLinks(from) {
  return (target) => {
    const path = resolve(from, target);
    return path && known.has(path) ? { path, href: address({ open: path }) } : null;
  };
}

function resolve(from, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith("#") || target.startsWith("/")) return null;
  const parts = from.split("/").slice(0, -1);
  for (const part of decoded(target.split("#")[0]).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && part !== "") parts.push(part);
  }
  return parts.join("/");
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
