// Links to other states of the page.

import { address, elsewhere, go } from "./address.js";
import { el } from "./dom.js";

/** A link to the state after some changes, which `move` makes; in a new tab, its address does the same. */
export function link(changes, properties, move = go) {
  const shown = el("a", { ...properties, href: address(changes) });
  shown.addEventListener("click", (event) => {
    if (elsewhere(event)) return;
    event.preventDefault();
    move(changes);
  });
  return shown;
}
