// Lines of guides as elements. Everything a guide says becomes a text node; an address becomes a link only where it is
// http or https, or another guide of the index.

import { blocks } from "./blocks.js";
import { el } from "./dom.js";
import { runs } from "./inline.js";

/**
 * Lines as elements. `options`: `first` is the number of the first line; `marked` the lines to mark, `{first, last}`;
 * `words` what to highlight; `guide` gives the address and the path of a guide that a link leads to; `numbers` shows line
 * numbers that are links.
 */
export function render(lines, options = {}) {
  return group(blocks(lines, options.first ?? 1), options);
}

function group(all, options) {
  const fragment = document.createDocumentFragment();
  let list = null;
  for (const block of all) {
    if (block.type === "item") {
      if (!list) fragment.append((list = el("ul", { class: "items", role: "list" })));
      list.append(RENDER.item(block, options));
    } else if (block.type !== "blank") {
      list = null;
      fragment.append(RENDER[block.type](block, options));
    }
  }
  return fragment;
}

const RENDER = {
  heading: (block, options) =>
    el(
      `h${Math.min(6, block.level + 2)}`,
      { class: `block heading level-${block.level}` },
      number(block, options),
      ...flow(block, options),
    ),
  paragraph: (block, options) => el("p", { class: "block" }, number(block, options), ...flow(block, options)),
  quote: (block, options) =>
    el("blockquote", { class: "block quote" }, number(block, options), ...flow(block, options)),
  item: (block, options) =>
    el(
      "li",
      { class: `block item level-${block.level}`, dataset: { marker: marker(block) } },
      number(block, options),
      ...flow(block, options),
    ),
  code: (block, options) =>
    el(
      "pre",
      { class: "block code" },
      number(block, options),
      el("code", { tabindex: "0", role: "group", "aria-label": "Code" }, ...codeLines(block, options)),
    ),
  front: (block, options) =>
    el(
      "details",
      { class: "block front", open: touches(block, options.marked) },
      el("summary", { text: "What the guide says of itself" }),
      el("pre", {}, ...codeLines(block, options)),
    ),
  rule: (block, options) => el("div", { class: "block rule" }, ...flow({ lines: block.lines.map(asSign) }, options)),
  table: (block, options) => table(block, options),
};

function asSign(line) {
  return { ...line, prefix: line.body, body: "" };
}

/** Bullets are drawn; numbers are the guide's own. */
function marker(block) {
  return /\d/.test(block.marker) ? block.marker : "•";
}

function number(block, { numbers }) {
  const first = block.lines[0].number;
  return numbers
    ? el("a", { class: "number", href: numbers(first), "aria-label": `Line ${first}`, text: String(first) })
    : null;
}

function touches(block, marked) {
  return Boolean(marked) && block.lines.some((line) => marked.first <= line.number && line.number <= marked.last);
}

/** Lines of running text, which flow: runs are found in all of them together, and cut where lines end. */
function flow(block, options) {
  const cut = byLine(runs(block.lines.map((line) => line.body).join("\n")));
  return block.lines.flatMap((line, at) => {
    const prefix = line.prefix === "" ? [] : [{ text: line.prefix, sign: true }];
    const shown = wrap(line.number, [...prefix, ...(cut[at] ?? [])], options);
    return at === 0 ? [shown] : [" ", shown];
  });
}

function byLine(all) {
  const lines = [[]];
  for (const run of all) {
    run.text.split("\n").forEach((text, at) => {
      if (at > 0) lines.push([]);
      if (text !== "") lines.at(-1).push({ ...run, text });
    });
  }
  return lines;
}

function codeLines(block, options) {
  return block.lines.flatMap((line) => [wrap(line.number, [{ text: line.body }], options), "\n"]);
}

/** A line. Its text content is the line of the guide, letter by letter. */
function wrap(number, its, options) {
  const marked = options.marked && options.marked.first <= number && number <= options.marked.last;
  const properties = { class: marked ? "line marked" : "line", dataset: { line: number } };
  if (options.numbers) properties.id = `L${number}`;
  return el(marked ? "mark" : "span", properties, ...its.map((run) => element(run, options)));
}

function element(run, options) {
  const leads = run.target === undefined ? null : link(run.target, options);
  const kept = run.target !== undefined && !leads;
  if (run.sign && !kept) return el("span", { class: "sign", text: run.text });
  let inner = run.sign ? [run.text] : highlight(run.text, options.words);
  if (run.code) inner = [el("code", {}, ...inner)];
  if (run.strong) inner = [el("strong", {}, ...inner)];
  if (run.em) inner = [el("em", {}, ...inner)];
  return leads ? el("a", leads, ...inner) : inner.length === 1 ? inner[0] : el("span", {}, ...inner);
}

/** Attributes of a link, where it may be one. */
function link(target, { guide }) {
  const inside = guide?.(target);
  if (inside) return { href: inside.href, dataset: { open: inside.path } };
  const outside = outsideAddress(target);
  return outside && { href: outside, rel: "noopener noreferrer nofollow", target: "_blank" };
}

/** An http or https address as the browser writes it, else null. */
export function outsideAddress(written) {
  if (!/^https?:\/\//i.test(written)) return null;
  try {
    return new URL(written).href;
  } catch {
    return null;
  }
}

/** Text with words marked. */
function highlight(text, words) {
  if (!words) return [text];
  return text
    .split(words)
    .map((part, at) => (at % 2 === 1 ? el("mark", { class: "word", text: part }) : part))
    .filter((part) => part !== "");
}

/** What `highlight` looks for: whole words, in any letter case. Null where there are none. */
export function wordPattern(words) {
  const escaped = words.filter((word) => word !== "").map((word) => word.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  if (escaped.length === 0) return null;
  escaped.sort((a, b) => b.length - a.length);
  return new RegExp(`(?<![\\p{L}\\p{N}])(${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
}

const SEPARATOR = /^\s*\|[\s:|-]+\|\s*$/;

function table(block, options) {
  const rows = block.lines.map((line, at) => {
    const head = at === 0 && SEPARATOR.test(block.lines[1]?.body ?? "");
    return SEPARATOR.test(line.body) ? separator(line, options) : row(line, head, options);
  });
  return el(
    "div",
    { class: "block table" },
    number(block, options),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": "Table" },
      el("table", {}, el("tbody", {}, ...rows)),
    ),
  );
}

function separator(line, options) {
  return el("tr", { class: "separator" }, el("td", {}, wrap(line.number, [{ text: line.body, sign: true }], options)));
}

/** A row: cells, of which each keeps the bar and the spaces before it as a sign. */
function row(line, head, options) {
  const [, before, inner, after] = /^(\s*)\|(.*)\|(\s*)$/s.exec(line.body);
  const marked = options.marked && options.marked.first <= line.number && line.number <= options.marked.last;
  const parts = inner.split(/(?<!\\)\|/);
  const cells = parts.map((part, at) => {
    const [, space, text, rest] = /^(\s*)(.*?)(\s*)$/s.exec(part);
    const end = at === parts.length - 1 ? `${rest}|${after}` : rest;
    const signs = [`${at === 0 ? before : ""}|${space}`, end].map((sign) => el("span", { class: "sign", text: sign }));
    return el(
      head ? "th" : "td",
      head ? { scope: "col" } : {},
      signs[0],
      ...runs(text).map((run) => element(run, options)),
      signs[1],
    );
  });
  const properties = { class: marked ? "line marked" : "line", dataset: { line: line.number } };
  if (options.numbers) properties.id = `L${line.number}`;
  return el("tr", properties, ...cells);
}
