// What is said when something is not as it should be: the server gone, busy or closed to us, a question it does not
// understand, guides that are not there. Always what happened, and what can be done.

import { Failure, hasKey, useKey } from "./api.js";
import { el } from "./dom.js";

/** What counts down to another try, by place. */
const countdowns = new WeakMap();

/** Where the page says what is about all of it. */
const ownPlace = () => document.getElementById("notice");

/** Takes the notice away. */
export function clearNotice(place = ownPlace()) {
  clearInterval(countdowns.get(place));
  place.replaceChildren();
}

/** Shows what went wrong; `again` is what to try again. An abort is nothing that went wrong. */
export function showFailure(error, again, place = ownPlace()) {
  if (error.name === "AbortError") return;
  clearNotice(place);
  if (!(error instanceof Failure)) throw error;
  const anew = () => {
    clearNotice(place);
    again();
  };
  if (error.status === 401) askForKey(place, anew);
  else if (error.status === 429 || error.status === 503) place.replaceChildren(busy(error, anew, place));
  else if (error.status === 0) place.replaceChildren(gone(error, anew));
  else place.replaceChildren(box("That did not work.", error.message, [retry(anew)]));
}

/** What a server says, which begins small and has no full stop, as a sentence. */
function sentence(text) {
  const begun = /^[a-z]/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

function box(title, text, actions, tone = "alarm") {
  return el(
    "div",
    { class: `notice ${tone}`, role: "alert" },
    el("p", {}, el("strong", { text: title }), " ", el("span", { text: sentence(text) })),
    el("div", { class: "actions" }, ...actions),
  );
}

function retry(again, text = "Try again") {
  return el("button", { type: "button", text, on: { click: again } });
}

function gone(error, again) {
  return box(
    "The server does not answer.",
    `Is guidepost serve still running? What is shown here may be out of date. ${error.message}`,
    [retry(again)],
  );
}

/** Waits as long as the server asks for, then tries again by itself. */
function busy(error, again, place) {
  let left = Math.min(60, Math.max(1, error.retry ?? 5));
  const said = () => `Trying again in ${left} second${left === 1 ? "" : "s"}.`;
  const waiting = el("span", { class: "waiting", "aria-hidden": "true", text: said() });
  const countdown = setInterval(() => {
    left -= 1;
    waiting.textContent = said();
    if (left <= 0) again();
  }, 1000);
  countdowns.set(place, countdown);
  const title = error.status === 429 ? "The server is busy." : "The server is not ready.";
  return box(title, error.message, [waiting, retry(again, "Try now")], "patient");
}

function askForKey(place, again) {
  place.replaceChildren(keyForm(again));
  document.getElementById("key").focus();
}

function keyForm(again) {
  const field = el("input", { type: "password", id: "key", required: true, autocomplete: "off", spellcheck: "false" });
  const refused = hasKey();
  const form = el(
    "form",
    { class: "notice patient key-form" },
    el(
      "p",
      { role: "alert" },
      el("strong", { text: refused ? "The server refused that key." : "This server asks for a key." }),
      " It was given to guidepost serve as --api-key, and is kept in this tab alone.",
    ),
    el(
      "div",
      { class: "actions" },
      el("label", { for: "key", text: "API key" }),
      field,
      el("button", { type: "submit", class: "primary", text: "Use this key" }),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useKey(field.value);
    again();
  });
  return form;
}

/** A calm box inside a view: nothing found, nothing there. */
export function emptiness(title, ...content) {
  return el("div", { class: "empty" }, el("h2", { text: title }), ...content);
}

/** Shapes in the place of what is still to come; only drawn where waiting is long enough to be noticed. */
export function waiting(rows, words) {
  return el(
    "div",
    { class: "skeleton", role: "group", "aria-busy": "true", "aria-label": words },
    ...Array.from({ length: rows }, () => el("div", { class: "bone" }, el("i"), el("i"), el("i"))),
  );
}
