// Below the answer: the offer to have it written by a language model, or the conversation that came of it.

import { state } from "./address.js";
import { Conversation } from "./conversation.js";
import { el } from "./dom.js";

/** Conversations by model and by the question that began them, so that back finds them again; those of so many questions. */
const kept = new Map();
const KEPT = 20;

/** The one on the page; null where there is none. */
let shown = null;

/**
 * Shows in `place` what belongs to the question of the address. `writer` is the name of the language model, null where the
 * server has none; `answered` says whether there is an answer to be written.
 */
export function showWriting(place, writer, answered) {
  const { q, asked } = state();
  const own = writer && asked ? recall(q, writer) : null;
  if (shown !== own) shown?.stop();
  shown = own;
  if (!own) return place.replaceChildren();
  own.whenEmpty(() => {
    showWriting(place, writer, true);
    place.querySelector("button").focus();
  });
  const content = own.isEmpty ? offer(place, own, writer, answered) : own.element;
  if (place.firstElementChild !== content) place.replaceChildren(...[content].filter(Boolean));
  return null;
}

/** Ends what is being written. Gives whether anything was. */
export function stopWriting() {
  return shown?.stop() ?? false;
}

/** Nobody sees what is written once the view has gone; one that comes back at once has it still. */
export function leaveWriting() {
  queueMicrotask(() => !shown?.element.isConnected && shown?.stop());
}

function recall(q, writer) {
  const key = JSON.stringify([writer, q.trim()]);
  const known = kept.get(key) ?? new Conversation(writer);
  kept.delete(key);
  kept.set(key, known);
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return known;
}

/** Null where there is nothing to write. */
function offer(place, own, writer, answered) {
  if (!answered) return null;
  const begin = () => {
    place.replaceChildren(own.element);
    own.ask(state().q.trim());
  };
  const button = el("button", { type: "button", text: "Write it out", on: { click: begin } });
  return el(
    "div",
    { class: "offer" },
    button,
    el(
      "p",
      { class: "hint" },
      el("strong", { text: writer }),
      " reads the best passages and answers in its own words. Each sentence is held against the lines it cites.",
    ),
  );
}
