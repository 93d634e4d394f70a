// Filters by kind, role and tag, with the number of guides of each value; what is chosen is in the address.

import { go, state } from "./address.js";
import { count, el } from "./dom.js";

const NAMES = { kind: "Kind", role: "Role", tag: "Tag", path: "Guide", after: "Since" };
const SHOWN = { kind: 12, role: 6, tag: 8 };
const MODES = [
  ["", "meaning and words"],
  ["dense", "meaning alone"],
  ["bm25", "words alone"],
];

/** The panel. `facets` are those of `/api/documents`. */
export function facetPanel(facets) {
  const chosen = chosenFilters(state()).length;
  const panel = el(
    "details",
    { class: "facets" },
    el("summary", {}, "Filters", el("span", { class: "badge", text: chosen > 0 ? String(chosen) : "" })),
    el(
      "div",
      { class: "groups" },
      ...["kind", "role", "tag"]
        .filter((facet) => facets[facet]?.length > 0)
        .map((facet) => group(facet, facets[facet])),
      modes(),
    ),
  );
  // On wide pages the panel stands beside the results and is always open; the summary is then not shown.
  const wide = matchMedia("(min-width: 64rem)");
  panel.open = wide.matches;
  wide.addEventListener("change", () => {
    panel.open = wide.matches;
  });
  return panel;
}

function group(facet, values) {
  const list = el("div", { class: "values" });
  const shownAtFirst = values.filter(
    ({ value }, at) => at < SHOWN[facet] || state()[facet].some((chosen) => same(chosen, value)),
  );
  const hidden = values.length - shownAtFirst.length;
  list.append(...shownAtFirst.map((value) => choice(facet, value)));
  const fieldset = el("fieldset", {}, el("legend", { text: NAMES[facet] }), list);
  if (hidden > 0) fieldset.append(moreButton(facet, values, list));
  return fieldset;
}

function moreButton(facet, values, list) {
  const button = el("button", { type: "button", class: "quiet", text: `All ${values.length}` });
  button.addEventListener("click", () => {
    const search = el("input", {
      type: "search",
      class: "narrow-by",
      placeholder: `Find a ${NAMES[facet].toLowerCase()}`,
      "aria-label": `Find a ${NAMES[facet].toLowerCase()}`,
    });
    const choices = values.map((value) => choice(facet, value));
    search.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      choices.forEach((one) => {
        one.hidden = !one.dataset.value.toLowerCase().includes(wanted);
      });
    });
    list.replaceChildren(...choices);
    list.classList.add("all");
    button.replaceWith(search);
    search.focus();
  });
  return button;
}

function choice(facet, { value, guides }) {
  const box = el("input", {
    type: "checkbox",
    name: facet,
    value,
    on: { change: () => toggle(facet, value, box.checked) },
  });
  box.checked = state()[facet].some((chosen) => same(chosen, value));
  return el(
    "label",
    { class: "choice", dataset: { facet, value } },
    box,
    el("span", { class: "value", text: value }),
    el("span", { class: "guides", "aria-label": count(guides, "guide"), text: String(guides) }),
  );
}

function same(one, other) {
  return one.toLowerCase() === other.toLowerCase();
}

function toggle(facet, value, on) {
  const others = state()[facet].filter((chosen) => !same(chosen, value));
  go({ [facet]: on ? [...others, value] : others });
}

function modes() {
  const choose = el(
    "select",
    { id: "mode", on: { change: () => go({ mode: choose.value }) } },
    ...MODES.map(([value, text]) => el("option", { value, text })),
  );
  choose.value = state().mode;
  return el("div", { class: "mode" }, el("label", { for: "mode", text: "Search by" }), choose);
}

/** Brings boxes and badge in line with the address, without making them anew: the focus stays where it is. */
export function syncFacets(panel) {
  panel.querySelectorAll("input[type=checkbox]").forEach((box) => {
    box.checked = state()[box.name].some((chosen) => same(chosen, box.value));
  });
  panel.querySelector("#mode").value = state().mode;
  const chosen = chosenFilters(state()).length;
  panel.querySelector(".badge").textContent = chosen > 0 ? String(chosen) : "";
}

/** Facet and value of each filter. */
export function chosenFilters(of) {
  return Object.keys(NAMES).flatMap((facet) => of[facet].map((value) => [facet, value]));
}

/** Filters that are on, each with a button that takes it off. */
export function chosenChips() {
  const chosen = chosenFilters(state());
  const chips = chosen.map(([facet, value]) =>
    el(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-label": `Remove the filter ${NAMES[facet]}: ${value}`,
        on: { click: () => toggle(facet, value, false) },
      },
      el("span", { class: "facet", text: `${NAMES[facet]} ` }),
      value,
      el("span", { class: "x", "aria-hidden": "true", text: "×" }),
    ),
  );
  const none = Object.fromEntries(Object.keys(NAMES).map((facet) => [facet, []]));
  if (chosen.length > 1)
    chips.push(el("button", { type: "button", class: "quiet", text: "Remove all", on: { click: () => go(none) } }));
  return chips;
}

/** Takes off every filter that keeps a search from finding something. */
export function withoutFilters() {
  go(Object.fromEntries(Object.keys(NAMES).map((facet) => [facet, []])));
}
