// A conversation as text: what a follow-up can mean, who wrote an answer, and the file that somebody keeps. It has the shape of
// the file that `guidepost chat --save` writes.

/** What is said where the sources do not answer. */
export const NOT_SAID = "The guides do not say.";
/** What is said where nothing that was found may answer. */
export const NO_ANSWER = "No guide here answers that.";

/** The most that the server takes. */
const MOST_TURNS = 100;

/** What a language model is told of what was asked before: nothing that the guides do not support. */
export function turns(exchanges) {
  const latest = exchanges.slice(-MOST_TURNS);
  return latest.map(({ question, written }) => ({ question, answer: written ? supportedText(written) : "" }));
}

function supportedText({ sentences }) {
  return sentences
    .filter(({ supported }) => supported)
    .map(({ text }) => text)
    .join(" ");
}

/** Whether the guides do not say, as far as can be told: not where the answer did not come to its end. */
export function isSilent({ supported, finish }) {
  return !supported && finish !== "stopped" && finish !== "broken";
}

/** An answer without the sentences that no source supports. */
export function strictly(written) {
  const sentences = written.sentences.filter(({ supported }) => supported);
  const leftOut = written.left_out + written.sentences.length - sentences.length;
  return { ...written, sentences, left_out: leftOut };
}

/** Sources that the sentences cite. */
export function cited({ sentences, sources }) {
  return sources.filter(({ number }) => sentences.some(({ citations }) => citations.includes(number)));
}

const ENDS = { length: "; it was cut off", stopped: "; it was stopped", broken: "; it was broken off" };

/** Who wrote it, and what was found of it. */
export function summary({ model, sentences, left_out: leftOut, finish }) {
  const supported = sentences.filter((sentence) => sentence.supported).length;
  const all = sentences.length;
  const checked =
    leftOut === 0
      ? `${supported} of ${all} sentences are supported by what they cite`
      : `${all} sentences are shown; ${leftOut} that no source supports left out`;
  return `written by ${model} and held against the guides: ${checked}${ENDS[finish] ?? ""}`;
}

/** The conversation as Markdown. */
export function markdown(exchanges) {
  return `# Questions to the guides\n\n${exchanges.map(exchangeText).join("")}`;
}

function exchangeText({ asked, question, written }) {
  const searched = question === asked ? "" : `*Searched as: ${escaped(question)}*\n\n`;
  const answer = written ? answerText(written) : `${NO_ANSWER}\n\n`;
  return `## ${asked}\n\n${searched}${answer}`;
}

function answerText(written) {
  const text = written.sentences.length > 0 ? `${paragraphs(written.sentences)}\n\n` : "";
  const verdict = isSilent(written) ? `${NOT_SAID}\n\n` : "";
  const sources = cited(written).map((source) => {
    return `${source.number}. \`${placeText(source)}\` ${source.heading_path.join(" > ")}\n`;
  });
  return `${text}${verdict}${sources.join("")}\n*${summary(written)}*\n\n`;
}

function paragraphs(sentences) {
  return sentences
    .map((sentence, at) => (at === 0 ? "" : sentence.new_paragraph ? "\n\n" : " ") + sentenceText(sentence))
    .join("");
}

function sentenceText({ text, citations, marks }) {
  const numbers = citations.map((number) => `[${number}]`).join("");
  const doubts = marks.map(({ says }) => says).join("; ");
  return `${escaped(text)}${numbers && ` ${numbers}`}${doubts && ` (? ${doubts})`}`;
}

/** A model's text in Markdown: no link, no picture and no markup comes of it. */
function escaped(text) {
  return text.replace(/[\\[\]<]/g, "\\$&");
}

/** `guides/sql.md:12-20`, with the page as people cite it. */
function placeText({ path, first_line: first, last_line: last, page }) {
  const lines = first === last ? `${path}:${first}` : `${path}:${first}-${last}`;
  if (!page) return lines;
  return `${lines}, ${/\.pptx$/i.test(path) ? "slide" : "p."} ${page}`;
}
