// Confidence in plain words. The number is a probability that was measured: of hits at 0.8, about 80 % are right.

import { el } from "./dom.js";

const WORDS = [
  [0.8, "very likely", 5],
  [0.55, "likely", 4],
  [0.3, "perhaps", 3],
  [0.12, "unlikely", 2],
  [0, "a long shot", 1],
];

/** `likely`, and how many of five dots it has. */
export function inWords(confidence) {
  const [, words, dots] = WORDS.find(([from]) => confidence >= from) ?? WORDS.at(-1);
  return { words, dots };
}

function percent(share) {
  return share > 0 && share < 0.01 ? "under 1 %" : `${Math.round(share * 100)} %`;
}

/** Dots, words and the number. */
export function confidence(value) {
  const { words, dots } = inWords(value);
  const meter = el(
    "span",
    { class: "dots", "aria-hidden": "true" },
    ...Array.from({ length: 5 }, (_, at) => el("i", { class: at < dots ? "on" : "" })),
  );
  const title = `The chance that this passage answers: ${percent(value)}, as measured on questions with known answers`;
  return el(
    "span",
    { class: `confidence tone-${dots}`, title },
    meter,
    el("span", { class: "words", text: words }),
    " ",
    el("span", { class: "number", text: percent(value) }),
  );
}
