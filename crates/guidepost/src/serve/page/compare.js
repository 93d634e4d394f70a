// The view that holds two roles side by side: what both ask for, and what only one does.

import { get } from "./api.js";
import { go, state } from "./address.js";
import { el, say } from "./dom.js";
import { link } from "./link.js";
import { clearNotice, emptiness, showFailure, waiting } from "./notice.js";
import { placeLink, shownPlace } from "./places.js";

const ROWS = {
  skills: "Skills",
  tools: "Tools",
  roadmap: "Roadmap",
  books: "Books",
  courses: "Courses",
  certifications: "Certifications",
  projects: "Projects",
};
/** In these, order tells something: they stand whole beside each other. */
const ORDERED = ["roadmap"];

export function compareView(root, { roles, progress }) {
  const described = roles.filter((role) => role.described.length > 0);
  const first = choice("first", "First role", roles);
  const second = choice("second", "Second role", roles);
  const swap = el("button", {
    type: "button",
    class: "swap",
    "aria-label": "Swap the two roles",
    text: "⇄",
    on: { click: () => go({ first: state().second, second: state().first }) },
  });
  const result = el("div", { class: "comparison" });
  root.replaceChildren(
    el(
      "section",
      { class: "compare-view", "aria-labelledby": "compare" },
      el("h2", { id: "compare", text: "Two roles, side by side" }),
      el("div", { class: "choices" }, first, swap, second),
      result,
    ),
  );
  let running = null;

  async function load() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const { first: one, second: other } = state();
    if (!one || !other) return result.replaceChildren(invitation(described));
    if (one === other) return result.replaceChildren(emptiness("Choose two different roles"));
    if (result.children.length === 0) result.replaceChildren(waiting(4, "Comparing"));
    progress(true);
    try {
      const body = await get("compare", { first: one, second: other }, signal);
      clearNotice();
      result.replaceChildren(...comparison(body.roles));
      say(`${body.roles[0].role} and ${body.roles[1].role}, side by side.`);
    } catch (error) {
      if (!signal.aborted) {
        result.replaceChildren();
        showFailure(error, load);
      }
    } finally {
      if (!signal.aborted) progress(false);
    }
    return null;
  }

  return {
    update(before) {
      const now = state();
      choose(first, now.first);
      choose(second, now.second);
      if (!before || before.first !== now.first || before.second !== now.second) load();
    },
    leave() {
      running?.abort();
      progress(false);
    },
  };
}

function choice(field, label, roles) {
  const option = ({ role }) => el("option", { value: role, text: role });
  const named = roles.filter((role) => role.described.length === 0);
  const select = el(
    "select",
    { id: field, on: { change: () => go({ [field]: select.value }) } },
    el("option", { value: "", text: "Choose a role" }),
    ...roles.filter((role) => role.described.length > 0).map(option),
    named.length > 0 ? el("optgroup", { label: "Only named" }, ...named.map(option)) : null,
  );
  return el("div", { class: "role-choice" }, el("label", { for: field, text: label }), select);
}

/** Chooses a role. An address may name one in part: what the server understands is then an option, too. */
function choose(place, role) {
  const select = place.querySelector("select");
  const known = [...select.options].find((option) => option.value.toLowerCase() === role.toLowerCase());
  if (!known) select.append(el("option", { value: role, text: role }));
  select.value = known ? known.value : role;
}

function invitation(described) {
  if (described.length < 2)
    return emptiness(
      "Fewer than two roles here",
      el("p", { text: "No two guides, or parts of guides, are about a role." }),
    );
  const best = [...described].sort((a, b) => b.resources - a.resources).slice(0, 6);
  const pairs = best.slice(1).map((role, at) => [best[at].role, role.role]);
  const item = ([first, second]) => el("li", {}, link({ first, second }, { text: `${first} and ${second}` }));
  return el(
    "div",
    { class: "empty" },
    el("p", { text: "Choose two above, or begin with one of these." }),
    el("ul", { class: "examples", role: "list" }, ...pairs.map(item)),
  );
}

function comparison(sides) {
  const rows = Object.keys(ROWS).filter((row) => sides.some((side) => side[row].length > 0));
  const parted = rows.map((row) => part(row, sides));
  return [summary(sides, parted), heads(sides), ...parted.map((row) => section(row, sides))];
}

/** What both have, and what each has alone, by the text in any letter case. */
function part(row, sides) {
  const keys = sides.map((side) => new Set(side[row].map(({ text }) => text.toLowerCase())));
  const both = ORDERED.includes(row) ? [] : sides[0][row].filter(({ text }) => keys[1].has(text.toLowerCase()));
  const shared = new Set(both.map(({ text }) => text.toLowerCase()));
  const alone = sides.map((side) => side[row].filter(({ text }) => !shared.has(text.toLowerCase())));
  return { row, both, alone };
}

function summary(sides, parted) {
  const shared = parted
    .filter(({ both }) => both.length > 0)
    .map(({ row, both }) => `${both.length} ${both.length === 1 ? row.replace(/s$/, "") : row}`);
  const text =
    shared.length > 0
      ? `Both have ${new Intl.ListFormat("en").format(shared)} in common.`
      : "The guides name nothing that both have in common.";
  return el("p", { class: "lead", text });
}

function heads(sides) {
  return el(
    "div",
    { class: "sides heads" },
    ...sides.map(({ role, described }) =>
      el(
        "div",
        {},
        el("h3", { text: role }),
        el(
          "p",
          { class: "place" },
          ...described.slice(0, 2).flatMap((place, at) => [at > 0 ? ", " : "", placeLink(place, {}, place.path)]),
        ),
      ),
    ),
  );
}

function section({ row, both, alone }, sides) {
  const id = `row-${row}`;
  const shared =
    both.length > 0
      ? el(
          "div",
          { class: "both" },
          el("h5", {}, el("span", { class: "sign-both", "aria-hidden": "true", text: "=" }), " Both"),
          items(both, row),
        )
      : null;
  return el(
    "section",
    { class: "row", "aria-labelledby": id },
    el("h4", { id, text: ROWS[row] }),
    shared,
    el(
      "div",
      { class: "sides" },
      ...sides.map((side, at) =>
        el(
          "div",
          {},
          el("h5", { text: ORDERED.includes(row) || both.length === 0 ? side.role : `Only ${side.role}` }),
          alone[at].length > 0
            ? items(alone[at], row)
            : el("p", { class: "nothing", text: "nothing that the guides name" }),
        ),
      ),
    ),
  );
}

const SHOWN = 12;

function items(all, row) {
  const item = (one) => el("li", {}, placeLink(one, { title: shownPlace(one) }, one.text));
  const list = el(ORDERED.includes(row) ? "ol" : "ul", { class: "items-compared" }, ...all.slice(0, SHOWN).map(item));
  if (all.length <= SHOWN) return list;
  const button = el("button", {
    type: "button",
    class: "quiet",
    text: `${all.length - SHOWN} more`,
    on: {
      click: () => {
        list.append(...all.slice(SHOWN).map(item));
        button.remove();
      },
    },
  });
  return el("div", {}, list, button);
}
