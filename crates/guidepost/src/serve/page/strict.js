// Whether sentences that the guides do not support are hidden: remembered for this tab.

import { el } from "./dom.js";

const STRICT = "guidepost-strict";
let strict = false;
try {
  strict = sessionStorage.getItem(STRICT) === "1";
} catch {
  // Without storage it lasts as long as the page.
}

export function isStrict() {
  return strict;
}

/** A box that switches it; `change` is called when somebody did. */
export function strictBox(change) {
  const box = el("input", { type: "checkbox", on: { change: () => switchTo(box.checked, change) } });
  box.checked = strict;
  return el("label", { class: "choice strict" }, box, "Only what the guides support");
}

function switchTo(wanted, change) {
  strict = wanted;
  try {
    sessionStorage.setItem(STRICT, wanted ? "1" : "0");
  } catch {
    // See above.
  }
  change();
}
