// Why a passage was found: what each word adds to its nearness in meaning, which words it shares with the question, and how
// both make its score. Strength shows as a tint and as an underline, and the strongest words are listed with their numbers.

import { get } from "./api.js";
import { citation, state } from "./address.js";
import { el } from "./dom.js";
import { searchParameters } from "./query.js";
import { align, joinWords, strength, tokenShares } from "./shares.js";

/** A panel for a passage of a question; it fills when the server has explained it. */
export function whyPanel(hit, question) {
  const panel = el(
    "section",
    { class: "why", "aria-label": "Why this result", dataset: { question } },
    el("p", { class: "stage", text: "Taking the score apart…" }),
  );
  explained(hit).then(
    (explain) => panel.replaceChildren(...content(hit, explain)),
    (error) => {
      panel.replaceChildren(el("p", { role: "alert", text: `It could not be explained: ${error.message}` }));
    },
  );
  return panel;
}

async function explained(hit) {
  const parameters = searchParameters(state());
  const body = await get("search", { ...parameters, min_confidence: 0, explain: true });
  const same = body.results.find((other) => citation(other) === citation(hit));
  if (!same?.explain) throw new Error("it is no longer among the passages that are found");
  return same.explain;
}

function content(hit, explain) {
  return [
    el("h4", { text: "Why this result" }),
    el("p", { text: inShort(explain) }),
    ...byMeaning(hit, explain),
    ...byWords(explain),
    ...wordForWord(explain),
    numbers(hit, explain),
  ].filter(Boolean);
}

const ORDINALS = { one: "st", two: "nd", few: "rd", other: "th" };

function ordinal(number) {
  return `${number}${ORDINALS[new Intl.PluralRules("en", { type: "ordinal" }).select(number)]}`;
}

function inShort(explain) {
  const ways = [
    explain.cosine_rank && `${ordinal(explain.cosine_rank)} of all passages by meaning`,
    explain.bm25_rank && `${ordinal(explain.bm25_rank)} by words`,
  ].filter(Boolean);
  const found = ways.length > 0 ? `It is ${ways.join(" and ")}.` : "It was found by what stands around it.";
  const holds = ` It holds ${Math.round(explain.coverage * 100)} % of the question’s words, by how much they tell.`;
  return found + holds + (explain.on_the_way ? " It belongs to the way to a role that you asked for." : "");
}

function byMeaning(hit, explain) {
  if (!explain.cosine_of_passage?.length) return [];
  const { context, pieces } = align(explain.cosine_of_passage, hit.heading_path.join(" > "), hit.text);
  const [headings, text] = [joinWords(context), joinWords(pieces)];
  const words = [...headings, ...text];
  const top = Math.max(...words.map((word) => word.share), Number.EPSILON);
  const asked = joinWords(tokenShares(explain.cosine_of_question ?? []));
  const askedTop = Math.max(...asked.map((word) => word.share), Number.EPSILON);
  return [
    el("h5", { text: "By meaning" }),
    el("p", {
      class: "hint",
      text: "The stronger a word is marked, the more it brings the passage toward the question.",
    }),
    legend(),
    asked.length > 0
      ? el(
          "p",
          { class: "tinted" },
          el("span", { class: "label", text: "Your question: " }),
          ...tinted(asked, askedTop),
        )
      : null,
    headings.length > 0
      ? el("p", { class: "tinted" }, el("span", { class: "label", text: "Its headings: " }), ...tinted(headings, top))
      : null,
    el("p", { class: "tinted" }, ...tinted(text, top)),
    strongest(words),
  ];
}

/** Words with their tint; what stands between them as it is. */
function tinted(words, top) {
  return words
    .map((word) => {
      const level = strength(word, top);
      if (level === 0) return word.before + word.text;
      const title = `${word.text}: ${word.share >= 0 ? "+" : "−"}${Math.abs(word.share).toFixed(3)} of the cosine`;
      return [
        word.before,
        el("span", { class: level < 0 ? "heat away" : `heat heat-${level}`, title, text: word.text }),
      ];
    })
    .flat();
}

function legend() {
  const steps = [
    ["heat-1", "a little"],
    ["heat-2", "some"],
    ["heat-3", "much"],
    ["heat-4", "most"],
    ["away", "against it"],
  ];
  return el(
    "p",
    { class: "legend" },
    ...steps.flatMap(([tint, text]) => [el("span", { class: `heat ${tint}`, text }), " "]),
  );
}

const STRONGEST = 6;

/** The strongest words, each where it is strongest: a sum over all its places would put `a` and `and` first. */
function strongest(words) {
  const best = new Map();
  for (const { text, share } of words.filter((word) => /[\p{L}\p{N}]/u.test(word.text))) {
    const key = text.toLowerCase();
    if (share > (best.get(key)?.share ?? 0)) best.set(key, { text, share });
  }
  const top = [...best.values()].sort((a, b) => b.share - a.share).slice(0, STRONGEST);
  const most = top[0]?.share || 1;
  return el(
    "ul",
    { class: "bars", "aria-label": "The words that count most, and their parts of the cosine" },
    ...top.map(({ text, share }) => bar(text, share / most, share.toFixed(3))),
  );
}

function bar(label, part, number) {
  const fill = el("i");
  fill.style.width = `${Math.max(2, Math.round(part * 100))}%`;
  return el(
    "li",
    {},
    el("span", { class: "label", text: label }),
    el("span", { class: "track", "aria-hidden": "true" }, fill),
    el("span", { class: "number", text: number }),
  );
}

const FIELDS = { title: "in the title", headings: "in a heading", body: "in the text", variants: "written otherwise" };

function byWords(explain) {
  if (explain.bm25_terms.length === 0) return [];
  const most = Math.max(...explain.bm25_terms.map((term) => term.score), Number.EPSILON);
  const rows = explain.bm25_terms.map(({ term, field, score }) =>
    bar(`${term}, ${FIELDS[field] ?? field}`, score / most, score.toFixed(1)),
  );
  return [
    el("h5", { text: "By words" }),
    el("p", { class: "hint", text: "Stems of words that the question and the passage share; rare ones count more." }),
    el("ul", { class: "bars" }, ...rows),
  ];
}

/** From this cosine on, two words have something to do with each other. */
const RELATED = 0.5;

function wordForWord(explain) {
  const pairs = explain.late_tokens.filter((pair) => pair.cosine >= RELATED && /[\p{L}\p{N}]/u.test(pair.question));
  if (pairs.length === 0) return [];
  const rows = pairs.map((pair) =>
    el(
      "tr",
      {},
      el("th", { scope: "row", text: pair.question }),
      el("td", { text: pair.passage || "a word of its headings" }),
      el("td", { class: "number", text: pair.cosine.toFixed(2) }),
    ),
  );
  return [
    el("h5", { text: "Word for word" }),
    el(
      "table",
      { class: "pairs" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("th", { scope: "col", text: "Your word" }),
          el("th", { scope: "col", text: "answers best to it" }),
          el("th", { scope: "col", text: "cosine" }),
        ),
      ),
      el("tbody", {}, ...rows),
    ),
  ];
}

function numbers(hit, explain) {
  const of = (value, digits = 3) => (value === null || value === undefined ? "none" : value.toFixed(digits));
  const rows = [
    ["Cosine, and on the scale of this search", `${of(explain.cosine)}, ${of(explain.cosine_normalized)}`],
    ["BM25, and on the scale of this search", `${of(explain.bm25, 1)}, ${of(explain.bm25_normalized)}`],
    ["Late interaction, and on the scale of this search", `${of(explain.late)}, ${of(explain.late_normalized)}`],
    ["Weight of meaning beside words", of(explain.dense_weight, 2)],
    ["Weight of late interaction", of(explain.late_weight, 2)],
    ["Fit to what is asked for", of(explain.fit, 2)],
    ["Score", of(hit.score)],
  ];
  return el(
    "details",
    { class: "numbers" },
    el("summary", { text: "All the numbers" }),
    el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })])),
  );
}
