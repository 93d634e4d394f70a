// What stands inside a line: emphasis, code and links, as runs of text. Signs such as `**` are runs of their own, so that
// all runs together are the text, letter by letter.

// Each pattern is tried where the others are, the earliest wins; none can take more than linear time in its own match.
const CODE = /(`+)([^`\n][^`]*)\1(?!`)/;
const BOLD = /(\*\*|__)(?=\S)((?:(?!\1).){1,600}?)\1/s;
const SLANTED = /(?<![\p{L}\p{N}*_])([*_])(?=[^\s*_])([^*_]{1,600}?)\1(?![\p{L}\p{N}*_])/u;
const LINK = /(\[)([^[\]]{1,400})(\]\((?:[^()\s]|\([^()\s]{0,200}\)){1,2000}(?:\s+"[^"\n]{0,200}")?\))/;
const BARE = /(?:https?:\/\/)[^\s<>"'`|\\^{}[\]]{1,2000}/i;
const PATTERNS = { code: CODE, bold: BOLD, slanted: SLANTED, link: LINK, bare: BARE };

/** Texts longer than this are not taken apart. */
const LONGEST = 8_000;

/**
 * Runs of a text: `{text, sign, strong, em, code, target}`. `target` is what a link says it leads to, not looked at.
 */
export function runs(text) {
  return text.length > LONGEST ? [{ text }] : split(text, {});
}

function split(text, style) {
  const found = [];
  const matches = {};
  let from = 0;
  while (from < text.length) {
    const [kind, match] = next(text, from, matches);
    if (!kind) break;
    if (match.index > from) found.push({ ...style, text: text.slice(from, match.index) });
    found.push(...inside(kind, match, style));
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ ...style, text: text.slice(from) });
  return found;
}

/** The earliest match from a place on. Those that still lie ahead are kept: no pattern reads a text again and again. */
function next(text, from, matches) {
  for (const [kind, pattern] of Object.entries(PATTERNS)) {
    const before = matches[kind];
    if (before === null || before?.index >= from) continue;
    const sticky = new RegExp(pattern.source, `${pattern.flags}g`);
    sticky.lastIndex = from;
    matches[kind] = sticky.exec(text);
  }
  const ahead = Object.entries(matches).filter(([, match]) => match !== null);
  ahead.sort(([, a], [, b]) => a.index - b.index);
  return ahead[0] ?? [null, null];
}

function inside(kind, match, style) {
  const sign = (text) => ({ ...style, text, sign: true });
  if (kind === "code") return [sign(match[1]), { ...style, text: match[2], code: true }, sign(match[1])];
  if (kind === "bold") return [sign(match[1]), ...split(match[2], { ...style, strong: true }), sign(match[1])];
  if (kind === "slanted") return [sign(match[1]), ...split(match[2], { ...style, em: true }), sign(match[1])];
  if (kind === "bare") return bare(match[0], style);
  const target = /^\]\((\S+?)(?:\s+"[^"]*")?\)$/s.exec(match[3])?.[1] ?? "";
  return [
    { ...style, text: match[1], sign: true, target },
    ...split(match[2], style).map((run) => ({ ...run, target })),
    { ...style, text: match[3], sign: true, target },
  ];
}

/** An address in running text, without the punctuation that ends its sentence. */
function bare(address, style) {
  const own = address.replace(/[.,;:!?)]+$/, "");
  const rest = address.slice(own.length);
  return [{ ...style, text: own, target: own }, ...(rest ? [{ ...style, text: rest }] : [])];
}
