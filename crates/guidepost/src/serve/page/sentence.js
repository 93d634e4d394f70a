// Sentences that a language model wrote: each with links to its sources, and with what speaks against it, in words. What the
// model writes is text and nothing else.

import { el, hidden } from "./dom.js";
import { placeLink } from "./places.js";
import { wordPattern } from "./text.js";

/** Hides or shows what no source supports, and a paragraph that has nothing else. */
export function hideUnsupported(paragraph, hide) {
  const sentences = [...paragraph.querySelectorAll(".sentence")];
  sentences.forEach((sentence) => {
    sentence.hidden = hide && sentence.classList.contains("unsupported");
  });
  paragraph.hidden = sentences.length > 0 && sentences.every((sentence) => sentence.hidden);
}

/** A sentence, its sources, and behind them in words what speaks against it. */
export function sentenceElement({ text, citations, supported, marks }, sources) {
  const own = el("span", { class: `sentence${supported ? "" : " unsupported"}` }, ...doubted(text, marks));
  const numbers = citations.map((number) => citation(number, sources));
  if (numbers.length > 0) own.append(" ", el("sup", {}, ...numbers));
  if (!supported) own.append(" ", doubt(marks));
  return own;
}

function citation(number, sources) {
  const place = sources.find((one) => one.number === number);
  return place
    ? placeLink(place, { class: "cite" }, hidden("Source "), String(number))
    : el("span", { class: "no-source" }, hidden("Source "), String(number));
}

/** The words that marks are about, underlined; the whole sentence, where one is about all of it. */
function doubted(text, marks) {
  if (marks.length === 0) return [text];
  const words = marks.map((mark) => mark.text);
  const found = words.every(Boolean) ? text.split(wordPattern(words)) : [];
  const told = words.every((word) => found.includes(word));
  const underlined = (part) => el("span", { class: "doubted", text: part });
  return told ? found.map((part, at) => (at % 2 === 1 ? underlined(part) : part)) : [underlined(text)];
}

function doubt(marks) {
  const says = marks.map(({ says: text }) => text).join("; ");
  // What stands in backticks is quoted.
  const parts = says.split("`").map((part, at) => (at % 2 === 1 ? el("q", { text: part }) : part));
  return el("span", { class: "doubt" }, el("strong", { text: "Not supported: " }), ...parts);
}
