// The keyboard: `/` goes to the field, arrows through the results, Escape closes what is open or stops what is written.

import { closeReader } from "./reader.js";
import { state } from "./address.js";
import { stopWriting } from "./writing.js";

export function listenForKeys(field) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const act = KEYS[event.key];
    if (act?.(event, field)) event.preventDefault();
  });
}

const KEYS = {
  "/": (event, field) => {
    if (typing(event.target)) return false;
    closeIfCovering();
    field.focus();
    field.select();
    return true;
  },
  Escape: (event, field) => {
    if (state().open) {
      closeReader();
      return true;
    }
    if (stopWriting()) return true;
    if (event.target === field && field.value !== "") {
      field.value = "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      return true;
    }
    return false;
  },
  ArrowDown: (event, field) => step(event, field, 1),
  ArrowUp: (event, field) => step(event, field, -1),
};

function typing(target) {
  return target.matches("input:not([type=checkbox]), textarea, select");
}

/** A guide that covers the page keeps the field out of reach. */
function closeIfCovering() {
  if (document.getElementById("main").inert) closeReader();
}

/** From the field to the first result, from one to the next, and from the first back to the field. */
function step(event, field, by) {
  const links = [...document.querySelectorAll(".cite, .result-link, .map-hits a")];
  const at = links.indexOf(document.activeElement);
  if (at < 0 && (event.target !== field || by < 0)) return false;
  const next = links[at + by];
  if (next) {
    next.focus();
    next.closest("li, .statement, .sentence")?.scrollIntoView({ block: "nearest" });
  } else if (at + by < 0) {
    field.focus();
  }
  return Boolean(next) || at + by < 0;
}
