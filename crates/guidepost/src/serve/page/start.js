// The first screen: what can be asked, shown by examples that these guides answer.

import { el } from "./dom.js";
import { exampleGroups } from "./examples.js";
import { link } from "./link.js";
import { emptiness } from "./notice.js";

const MORE_PRECISELY = [
  ['"error budget"', "a phrase that must be there"],
  ["python -docker", "a word that must not"],
  ["title:sql", "in the guide’s title; heading: and body: likewise"],
];

/** The first screen. `documents` and `roles` are null where they are not to be had. */
export function startView(root, { documents, roles }) {
  const content =
    documents && documents.documents.length === 0
      ? [
          emptiness(
            "No guides yet",
            el(
              "p",
              {},
              "Give it a folder: ",
              el("code", { text: "guidepost index ~/guides" }),
              ", and load this page again.",
            ),
          ),
        ]
      : [
          el("div", { class: "examples-grid" }, ...exampleGroups(documents?.documents ?? [], roles ?? []).map(group)),
          precisely(),
        ];
  root.replaceChildren(el("div", { class: "start-view" }, ...content));
  return { update() {}, leave() {} };
}

function group({ title, examples }) {
  return el(
    "section",
    { class: "example-group" },
    el("h2", { text: title }),
    el("ul", { role: "list" }, ...examples.map(({ text, changes }) => el("li", {}, link(changes, { text })))),
  );
}

function precisely() {
  return el(
    "details",
    { class: "precisely" },
    el("summary", { text: "Asking more precisely" }),
    el(
      "dl",
      {},
      ...MORE_PRECISELY.flatMap(([sign, means]) => [
        el("dt", {}, el("code", { text: sign })),
        el("dd", { text: means }),
      ]),
    ),
    el(
      "p",
      {},
      "Plain questions need none of this. ",
      el("kbd", { text: "/" }),
      " goes to the field, ",
      el("kbd", { text: "Enter" }),
      " asks, ",
      el("kbd", { text: "↓" }),
      " and ",
      el("kbd", { text: "↑" }),
      " go through results, ",
      el("kbd", { text: "Esc" }),
      " closes a guide.",
    ),
  );
}
