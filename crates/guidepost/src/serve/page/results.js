// Passages that were found: where they stand, how sure it is, and the part of each that tells most.

import { amend, citation, go, state } from "./address.js";
import { blocks } from "./blocks.js";
import { confidence } from "./confidence.js";
import { el, icon } from "./dom.js";
import { link } from "./link.js";
import { guideLinks, headings, placeLink, shownPlace } from "./places.js";
import { render, wordPattern } from "./text.js";
import { whyPanel } from "./why.js";

/** Letters of a passage that are shown before it is opened up. */
const SNIPPET = 420;

/** Shows passages in `list`. A passage that stays keeps its element: what was opened stays open, and nothing flickers. */
export function showResults(list, results, question) {
  const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
  const items = results.map((hit) => {
    const key = JSON.stringify([citation(hit), hit.matched, Math.round(hit.confidence * 100)]);
    const kept = before.get(key);
    if (kept) return kept;
    const item = resultItem(hit);
    item.dataset.key = key;
    return item;
  });
  const same = items.length === list.children.length && items.every((item, at) => item === list.children[at]);
  if (!same) list.replaceChildren(...items);
  items.forEach((item, at) => showWhy(item, results[at], question));
}

function resultItem(hit) {
  const title = placeLink(
    hit,
    { class: "result-link" },
    el("span", { class: "guide", text: hit.title }),
    ...trail(headings(hit, hit.title).filter((heading) => heading !== hit.title)),
  );
  const article = el(
    "article",
    { class: "result" },
    el("h3", {}, title),
    el("p", { class: "facts" }, confidence(hit.confidence), el("span", { class: "place", text: shownPlace(hit) })),
    snippet(hit),
    elsewhereToo(hit),
  );
  return el("li", { dataset: { cited: citation(hit) } }, article);
}

function trail(path) {
  return path.flatMap((heading) => [
    el("span", { class: "sep", "aria-hidden": "true", text: " › " }),
    el("span", { class: "heading", text: heading }),
  ]);
}

/** The passage, cut to its most telling part, and a button for all of it. */
function snippet(hit) {
  const lines = hit.text.split("\n");
  const options = { first: hit.first_line, words: wordPattern(hit.matched), guide: guideLinks(hit.path) };
  const [from, to] = telling(lines, options.words);
  const whole = from === 0 && to === lines.length;
  const text = el("div", { class: "prose passage" });
  const show = (all) => {
    const shown = all ? lines : lines.slice(from, to);
    text.replaceChildren(render(shown, { ...options, first: hit.first_line + (all ? 0 : from) }));
    text.classList.toggle("cut-before", !all && from > 0);
    text.classList.toggle("cut-after", !all && to < lines.length);
  };
  show(whole);
  const tools = el("div", { class: "tools" });
  if (!whole) tools.append(opener(show));
  tools.append(
    el(
      "button",
      { type: "button", class: "quiet why-button", "aria-expanded": "false" },
      icon("M12 18v.01M9 9a3 3 0 1 1 4 2.8c-.8.4-1 .9-1 1.7v.5"),
      "Why this result",
    ),
  );
  return el("div", {}, text, tools);
}

function opener(show) {
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false", text: "Whole passage" });
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Less" : "Whole passage";
    show(open);
  });
  return button;
}

/** Lines from and to (exclusive) of the run of whole blocks that holds most different words of the question. */
function telling(lines, words) {
  const parts = blocks(lines)
    .filter((block) => !["blank", "rule"].includes(block.type))
    .map((block) => ({
      from: block.lines[0].number - 1,
      to: block.lines.at(-1).number,
      letters: block.lines.reduce((sum, line) => sum + line.body.length, 0),
      words: new Set(words ? block.lines.flatMap((line) => line.body.toLowerCase().match(words) ?? []) : []),
    }));
  let best = { from: 0, to: lines.length, score: -1 };
  parts.forEach((part, at) => {
    const found = new Set();
    let letters = 0;
    for (let end = at; end < parts.length && (end === at || letters + parts[end].letters <= SNIPPET); end += 1) {
      letters += parts[end].letters;
      parts[end].words.forEach((word) => found.add(word));
      const score = found.size + Math.min(letters, SNIPPET) / (2 * SNIPPET);
      if (score > best.score) best = { from: part.from, to: parts[end].to, score };
    }
  });
  return [best.from, best.to];
}

const PLACES_SHOWN = 3;

function elsewhereToo(hit) {
  const places = hit.also_in ?? [];
  if (places.length === 0) return null;
  const links = places
    .slice(0, PLACES_SHOWN)
    .flatMap((place, at) => [at > 0 ? ", " : "", placeLink(place, {}, shownPlace(place))]);
  const more = places.length > PLACES_SHOWN ? ` and ${places.length - PLACES_SHOWN} more` : "";
  return el("p", { class: "also" }, "Also in ", ...links, more);
}

/** Opens the panel of the passage that the address names, and closes the others. */
function showWhy(item, hit, question) {
  const button = item.querySelector(".why-button");
  const open = state().why === citation(hit);
  button.setAttribute("aria-expanded", String(open));
  button.onclick = () => (open ? amend({ why: "" }) : go({ why: citation(hit) }));
  const panel = item.querySelector(".why");
  if (open && panel?.dataset.question !== question) {
    panel?.remove();
    item.firstElementChild.append(whyPanel(hit, question));
  } else if (!open) {
    panel?.remove();
  }
}

/** A link to more of them; null where there are none. */
export function moreLink(shown) {
  const { limit } = state();
  if (shown < limit || limit >= 100) return null;
  const changes = { limit: Math.min(100, limit + 10) };
  return link(changes, { class: "button more", text: "More passages" }, amend);
}
