// The light structure of a guide's lines: headings, paragraphs, lists, quotes, code and tables. Text in, values out; nothing
// is lost, every line is in exactly one block.

const FENCE = /^\s*(```+|~~~+)/;
const HEADING = /^(#{1,6}\s+)(.*)$/;
const UNDERLINE = /^\s*(?:=+|-{3,})\s*$/;
const RULE = /^\s*(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const ITEM = /^(\s*)([-*+•]|\d{1,4}[.)])(\s+)(.*)$/;
const QUOTE = /^(\s*>\s?)(.*)$/;
const ROW = /^\s*\|.*\|\s*$/;
const INDENTED = /^(?: {4,}|\t)\S/;
const FRONT_MATTER_LINES = 100;

/**
 * Blocks of lines, of which the first has the number `first`. A block has a `type` and `lines` of `{number, prefix, body}`:
 * the prefix is what the structure stands on (`## `, `> `, `- `), and the body is the rest.
 */
export function blocks(lines, first = 1) {
  const found = [];
  let at = first === 1 ? frontMatter(lines, found) : 0;
  while (at < lines.length) at = take(lines, at, found);
  found.forEach((block) => {
    block.lines.forEach((line) => {
      line.number += first;
    });
  });
  return found;
}

function frontMatter(lines, found) {
  if (lines[0]?.trim() !== "---") return 0;
  const end = lines.slice(1, FRONT_MATTER_LINES).findIndex((line) => line.trim() === "---");
  if (end < 0) return 0;
  found.push({ type: "front", lines: plain(lines, 0, end + 2) });
  return end + 2;
}

function plain(lines, from, to) {
  return lines.slice(from, to).map((body, at) => ({ number: from + at, prefix: "", body }));
}

/** Takes the block that begins at `at`, and says where the next one does. */
function take(lines, at, found) {
  const line = lines[at];
  if (line.trim() === "") return takeBlank(lines, at, found);
  if (FENCE.test(line)) return takeCode(lines, at, found);
  if (HEADING.test(line)) return takeHeading(lines, at, found);
  if (RULE.test(line)) return push(found, "rule", plain(lines, at, at + 1));
  if (ITEM.test(line)) return takeItem(lines, at, found);
  if (QUOTE.test(line)) return takeWhile(lines, at, found, "quote", QUOTE);
  if (ROW.test(line)) return takeTable(lines, at, found);
  if (INDENTED.test(line) && !insideList(found)) return takeIndented(lines, at, found);
  return takeParagraph(lines, at, found);
}

function push(found, type, lines, more = {}) {
  found.push({ type, lines, ...more });
  return lines.at(-1).number + 1;
}

function takeBlank(lines, at, found) {
  let end = at;
  while (end < lines.length && lines[end].trim() === "") end += 1;
  return push(found, "blank", plain(lines, at, end));
}

function takeCode(lines, at, found) {
  const fence = FENCE.exec(lines[at])[1];
  const close = lines.findIndex((line, number) => number > at && line.trim().startsWith(fence));
  return push(found, "code", plain(lines, at, close < 0 ? lines.length : close + 1), { fenced: true });
}

function takeHeading(lines, at, found) {
  const [, prefix, body] = HEADING.exec(lines[at]);
  return push(found, "heading", [{ number: at, prefix, body }], { level: prefix.trim().length });
}

function takeItem(lines, at, found) {
  const [, indent, marker, space, body] = ITEM.exec(lines[at]);
  const item = [{ number: at, prefix: indent + marker + space, body }];
  let end = at + 1;
  while (end < lines.length && continues(lines[end])) {
    const [, prefix, rest] = /^(\s*)(.*)$/s.exec(lines[end]);
    item.push({ number: end, prefix, body: rest });
    end += 1;
  }
  const level = Math.min(5, Math.floor(indent.replaceAll("\t", "    ").length / 2));
  return push(found, "item", item, { level, marker });
}

/** Whether a line goes on with the text before it. */
function continues(line) {
  const starts = [FENCE, HEADING, RULE, ITEM, QUOTE, ROW];
  return line.trim() !== "" && !starts.some((start) => start.test(line));
}

function takeWhile(lines, at, found, type, pattern) {
  const taken = [];
  for (let number = at; number < lines.length && pattern.test(lines[number]); number += 1) {
    const [, prefix, body] = pattern.exec(lines[number]);
    taken.push({ number, prefix, body });
  }
  return push(found, type, taken);
}

function takeTable(lines, at, found) {
  let end = at;
  while (end < lines.length && ROW.test(lines[end])) end += 1;
  return push(found, "table", plain(lines, at, end));
}

function insideList(found) {
  const before = found.filter((block) => block.type !== "blank").at(-1);
  return before?.type === "item";
}

function takeIndented(lines, at, found) {
  let end = at;
  while (end < lines.length && INDENTED.test(lines[end])) end += 1;
  return push(found, "code", plain(lines, at, end), { fenced: false });
}

function takeParagraph(lines, at, found) {
  let end = at + 1;
  while (end < lines.length && continues(lines[end]) && !UNDERLINE.test(lines[end])) end += 1;
  const underlined = end - at === 1 && end < lines.length && UNDERLINE.test(lines[end]);
  if (!underlined) return push(found, "paragraph", plain(lines, at, end));
  const [title] = plain(lines, at, end);
  const level = lines[end].includes("=") ? 1 : 2;
  return push(found, "heading", [title, { number: end, prefix: lines[end], body: "" }], { level });
}
