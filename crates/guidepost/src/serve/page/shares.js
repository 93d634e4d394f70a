// Tokens of a model as words of a text: a token is a piece of a word, and the server gives them without what stands between.

/** Tokens as pieces with a space before each; for texts that are not at hand. */
export function tokenShares(tokens) {
  return tokens.filter((token) => token.text !== "").map(({ text, share }) => ({ before: " ", text, share }));
}

/**
 * Tokens of a passage, which are those of its headings and then those of its text, as pieces with what stands between them.
 * They are looked for from the end, since the model may have been given other headings than are shown; those that are not
 * found are taken for headings.
 */
export function align(tokens, headings, text) {
  const whole = `${headings}\n${text}`;
  const shown = tokens.filter((token) => token.text !== "");
  const pieces = [];
  let end = whole.length;
  let at = shown.length - 1;
  for (; at >= 0; at -= 1) {
    const { text: token, share } = shown[at];
    const start = end < token.length ? -1 : whole.lastIndexOf(token, end - token.length);
    const between = whole.slice(start + token.length, end);
    if (start < 0 || LETTER.test(between)) break;
    if (pieces.length > 0) pieces[0].before = between;
    pieces.unshift({ before: "", text: token, share, start });
    end = start;
  }
  const inText = pieces.filter(({ start }) => start > headings.length);
  const inHeadings = pieces.filter(({ start }) => start <= headings.length);
  return { context: [...tokenShares(shown.slice(0, at + 1)), ...inHeadings], pieces: withoutSigns(inText) };
}

const LETTER = /[\p{L}\p{N}]/u;
const SIGN = /^[*_`#~]+$/;

/** Pieces without signs of emphasis, as running text: lines only end where a list item or a heading begins. */
function withoutSigns(pieces) {
  let before = "";
  return pieces.flatMap((piece, at) => {
    before += piece.before;
    if (SIGN.test(piece.text)) return [];
    const item = /\n\s*$/.test(before) && /^(?:[-+•]|\d+)$/.test(piece.text);
    const kept = { ...piece, before: at === 0 || before === "" ? "" : item ? "\n" : " " };
    before = "";
    return [kept];
  });
}

/** Pieces of a word together: those that follow each other without anything between, where both are letters or digits. */
export function joinWords(pieces) {
  const words = [];
  for (const piece of pieces) {
    const last = words.at(-1);
    if (last && piece.before === "" && /[\p{L}\p{N}]$/u.test(last.text) && /^[\p{L}\p{N}]/u.test(piece.text)) {
      last.text += piece.text;
      last.share += piece.share;
    } else {
      words.push({ ...piece });
    }
  }
  return words;
}

/** How strongly a word is marked: 0 to 4, or -1 where it speaks against. Punctuation is never marked. */
export function strength({ text, share }, top) {
  if (!/[\p{L}\p{N}]/u.test(text)) return 0;
  const part = share / top;
  if (part < -0.05) return -1;
  return [0.75, 0.5, 0.33, 0.2].reduce((level, from, at) => Math.max(level, part >= from ? 4 - at : 0), 0);
}
