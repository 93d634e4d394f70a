// The view of resources: what guides name, by kind, by whom it serves, and by what it is about.

import { get } from "./api.js";
import { amend, go, state } from "./address.js";
import { count, el, say } from "./dom.js";
import { clearNotice, emptiness, showFailure, waiting } from "./notice.js";
import { KINDS, resourceItem } from "./resource_item.js";

const PLURAL = {
  book: "Books",
  course: "Courses",
  certification: "Certifications",
  project: "Projects",
  tool: "Tools",
  link: "Links",
};
const LIMIT = 20;
const MOST = 100;

export function resourcesView(root, { roles, progress }) {
  const kinds = kindChoices();
  const serves = roleChoice(roles);
  const list = el("ul", { class: "resource-list", role: "list", "aria-label": "Resources" });
  const head = el("p", { class: "count" });
  const below = el("div", { class: "below" });
  root.replaceChildren(
    el(
      "section",
      { class: "resources-view", "aria-labelledby": "resources" },
      el("h2", { id: "resources", text: "Resources" }),
      el("p", {
        class: "lead",
        text: "Books, courses, certifications, projects, tools and links that the guides name, with the lines of each.",
      }),
      el("div", { class: "choices" }, kinds, serves),
      head,
      list,
      below,
    ),
  );
  let running = null;
  let limit = LIMIT;

  async function load() {
    running?.abort();
    running = new AbortController();
    const { signal } = running;
    const patience = setTimeout(() => {
      if (list.children.length === 0) list.replaceChildren(el("li", {}, waiting(4, "Loading")));
    }, 250);
    progress(true);
    try {
      const { q, want, serves: role } = state();
      const body = await get("resources", { q: q.trim(), kind: want, for: role, limit }, signal);
      clearNotice();
      list.replaceChildren(...body.resources.map(resourceItem));
      const first = body.total > body.resources.length ? `, the first ${body.resources.length}` : "";
      head.textContent = body.total > 0 ? count(body.total, "resource") + first : "";
      below.replaceChildren(...[nothing(body), more(body)].filter(Boolean));
      say(count(body.total, "resource"));
    } catch (error) {
      if (!signal.aborted) {
        list.replaceChildren();
        showFailure(error, load);
      }
    } finally {
      clearTimeout(patience);
      if (!signal.aborted) progress(false);
    }
  }

  function more({ total, resources }) {
    if (total <= resources.length || limit >= MOST) return null;
    return el("button", {
      type: "button",
      class: "more",
      text: "More resources",
      on: {
        click: () => {
          limit = Math.min(MOST, limit + 20);
          load();
        },
      },
    });
  }

  return {
    update(before) {
      const now = state();
      const key = ({ q, want, serves: role }) => JSON.stringify([q.trim(), want, role]);
      kinds.querySelectorAll("input").forEach((box) => {
        box.checked = now.want.includes(box.value);
      });
      serves.querySelector("select").value = now.serves;
      if (before && key(before) === key(now)) return;
      limit = LIMIT;
      load();
    },
    leave() {
      running?.abort();
      progress(false);
    },
  };
}

function kindChoices() {
  const choice = (kind) => {
    const box = el("input", {
      type: "checkbox",
      value: kind,
      on: {
        change: () => {
          const others = state().want.filter((one) => one !== kind);
          go({ want: box.checked ? [...others, kind] : others });
        },
      },
    });
    return el("label", { class: "pill" }, box, el("span", { text: PLURAL[kind] }));
  };
  return el("fieldset", { class: "pills" }, el("legend", { class: "hidden", text: "Kinds" }), ...KINDS.map(choice));
}

function roleChoice(roles) {
  const select = el(
    "select",
    { id: "serves", on: { change: () => go({ serves: select.value }) } },
    el("option", { value: "", text: "anybody" }),
    ...roles.filter((role) => role.resources > 0).map(({ role }) => el("option", { value: role, text: role })),
  );
  // An address may name a role, or a skill, that is not in the list.
  const { serves } = state();
  if (serves && !roles.some(({ role }) => role === serves))
    select.append(el("option", { value: serves, text: serves }));
  return el("div", { class: "serves" }, el("label", { for: "serves", text: "For" }), select);
}

function nothing(body) {
  if (body.total > 0) return null;
  const all = el("button", {
    type: "button",
    text: "Show all resources",
    on: {
      click: () => {
        document.getElementById("q").value = "";
        amend({ q: "", want: [], serves: "" });
      },
    },
  });
  return emptiness(
    "The guides name nothing like that",
    el("p", { text: "Other words, another kind or another role may find something." }),
    all,
  );
}
