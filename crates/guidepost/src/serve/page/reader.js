// The reader: a guide as text beside the results, at the lines that were cited, which are marked.

import { get } from "./api.js";
import { address, go, place as parsePlace, state } from "./address.js";
import { el, hidden, icon } from "./dom.js";
import { guideLinks, rememberOpen, takeOpener, warningsOf } from "./places.js";
import { showFailure } from "./notice.js";
import { render } from "./text.js";

let running = null;

/** Shows what the address says is open. */
export function updateReader(before) {
  const { open } = state();
  if (before && before.open === open) return;
  if (open) load(open);
  else close(before);
}

/** The same place again: back to the lines. */
export function listenForReopening() {
  document.addEventListener("reopen", () => toTheLines(document.getElementById("reader")));
  // On narrow pages the reader covers the rest, which then is out of reach; on wide ones it stands beside it.
  matchMedia("(min-width: 72rem)").addEventListener("change", cover);
}

export function closeReader() {
  if (state().open) go({ open: "" });
}

async function load(open) {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  const reader = document.getElementById("reader");
  try {
    const wanted = parsePlace(open);
    // All of it, whatever lines are cited: what stands around them is what the reader is for.
    const guide = await get("get", { citation: wanted.path }, signal);
    if (signal.aborted) return;
    rememberOpen(open);
    show(reader, guide, wanted);
  } catch (error) {
    if (signal.aborted) return;
    go({ open: "" });
    showFailure(error, () => go({ open }));
  }
}

function show(reader, guide, wanted) {
  const lines = guide.text.replace(/\n$/, "").split("\n");
  // Guides change: lines that are no longer there should not keep the others from being shown.
  const marked =
    wanted.first !== null && wanted.first <= lines.length
      ? { first: wanted.first, last: Math.min(wanted.last, lines.length) }
      : null;
  const missing =
    wanted.first !== null && !marked
      ? `It has ${lines.length} lines; ${wanted.first} to ${wanted.last} are not among them.`
      : null;
  const body = el(
    "div",
    { class: "reader-body prose", tabindex: "0", role: "region", "aria-label": `Text of ${guide.title}` },
    render(lines, {
      marked,
      guide: guideLinks(guide.path),
      numbers: (line) => address({ open: `${guide.path}:${line}` }),
    }),
  );
  body.querySelectorAll("a.number").forEach((link) => {
    link.dataset.open = `${guide.path}:${link.textContent}`;
  });
  announce(body);
  reader.replaceChildren(bar(guide, marked, body, missing), body);
  reader.setAttribute("aria-label", `Guide: ${guide.title}`);
  reader.hidden = false;
  document.body.dataset.reader = "open";
  cover();
  toTheLines(reader);
  body.focus({ preventScroll: true });
}

/** Says to a screen reader where the cited lines begin. */
function announce(body) {
  const first = body.querySelector("mark.line");
  first?.before(hidden("The cited lines begin here: "));
}

function bar(guide, marked, body, missing) {
  const lines = marked
    ? `${guide.path}:${marked.first}${marked.last === marked.first ? "" : `-${marked.last}`}`
    : guide.path;
  const copy = el("button", {
    type: "button",
    class: "quiet",
    text: "Copy citation",
    on: { click: () => copyText(copy, lines) },
  });
  const back =
    marked &&
    el("button", {
      type: "button",
      class: "quiet",
      text: "Cited lines",
      title: "Back to the cited lines",
      on: { click: () => toTheLines(document.getElementById("reader")) },
    });
  return el(
    "header",
    { class: "reader-bar" },
    el(
      "div",
      { class: "row" },
      el("div", { class: "name" }, el("h2", { text: guide.title }), el("code", { class: "place", text: lines })),
      el(
        "button",
        { type: "button", class: "quiet close", "aria-label": "Close the guide (Escape)", on: { click: closeReader } },
        icon("M6 6l12 12M18 6L6 18"),
        el("span", { text: "Close" }),
      ),
    ),
    ...[...warningsOf(guide.path), missing].filter(Boolean).map((text) => el("p", { class: "note", text })),
    el("div", { class: "row tools" }, contents(body), copy, back),
  );
}

async function copyText(button, text) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Copying is not allowed here";
  }
  setTimeout(() => {
    button.textContent = "Copy citation";
  }, 2000);
}

/** The guide's headings, to jump to. */
function contents(body) {
  const found = [...body.querySelectorAll(".heading")];
  if (found.length < 3) return null;
  const links = found.map((heading) => {
    const target = heading.querySelector(".line");
    const text = [...target.childNodes]
      .filter((node) => !node.classList?.contains("sign"))
      .map((node) => node.textContent)
      .join("");
    const jump = el("button", {
      type: "button",
      class: "quiet",
      text,
      on: {
        click: () => {
          details.open = false;
          scrollTo(body, target, "start");
          body.focus({ preventScroll: true });
        },
      },
    });
    return el("li", { class: [...heading.classList].find((name) => name.startsWith("level-")) }, jump);
  });
  const details = el(
    "details",
    { class: "contents" },
    el("summary", { text: "Contents" }),
    el("ul", { role: "list" }, ...links),
  );
  return details;
}

/** Scrolls to the marked lines: a third down, so that what stands above them shows. */
function toTheLines(reader) {
  const body = reader.querySelector(".reader-body");
  const line = reader.querySelector(".line.marked");
  if (!body) return;
  if (line) scrollTo(body, line, "third");
  else body.scrollTop = 0;
}

function scrollTo(body, line, where) {
  const offset = line.getBoundingClientRect().top - body.getBoundingClientRect().top + body.scrollTop;
  body.scrollTop = Math.max(0, offset - (where === "third" ? body.clientHeight / 4 : 16));
}

function close(before) {
  running?.abort();
  const reader = document.getElementById("reader");
  const hadFocus = reader.contains(document.activeElement) || document.activeElement === document.body;
  reader.hidden = true;
  reader.replaceChildren();
  delete document.body.dataset.reader;
  cover();
  if (before?.open && hadFocus) takeOpener()?.focus();
}

function cover() {
  const covers = document.body.dataset.reader === "open" && !matchMedia("(min-width: 72rem)").matches;
  for (const part of [
    document.querySelector(".top"),
    document.getElementById("main"),
    document.querySelector(".bottom"),
  ])
    part.inert = covers;
}
