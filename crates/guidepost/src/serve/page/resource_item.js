// A book, course, certification, project, tool or link, with what guides say of it and where.

import { el } from "./dom.js";
import { placeLink, shownPlace } from "./places.js";
import { outsideAddress } from "./text.js";

export const KINDS = ["book", "course", "certification", "project", "tool", "link"];

const PLACES_SHOWN = 3;

export function resourceItem(resource) {
  const { kind, title, by, price, level, url, mentions } = resource;
  const outside = url ? outsideAddress(url) : null;
  const name = outside
    ? el("a", { href: outside, rel: "noopener noreferrer nofollow", target: "_blank", text: title })
    : el("span", { text: title });
  const about = mentions.find((mention) => mention.about)?.about;
  const facts = [by && (kind === "book" ? `by ${by}` : by), level, price].filter(Boolean).join(" · ");
  return el(
    "li",
    { class: "resource" },
    el(
      "p",
      { class: "head" },
      el("span", { class: `kind kind-${kind}`, text: kind }),
      el("strong", {}, name),
      outside ? el("span", { class: "host", text: new URL(outside).host }) : null,
    ),
    facts ? el("p", { class: "facts", text: facts }) : null,
    about ? el("p", { class: "about", text: about }) : null,
    places(resource),
  );
}

function places({ mentions, guides }) {
  const shown = (from, to) =>
    mentions
      .slice(from, to)
      .map((mention) =>
        el(
          "li",
          {},
          placeLink(mention, {}, mention.serves || shownPlace(mention)),
          " ",
          el("span", { class: "place", text: shownPlace(mention) }),
        ),
      );
  const said = guides > 1 ? `Named by ${guides} guides:` : "Named in";
  const rest = mentions.length - PLACES_SHOWN;
  const more =
    rest > 0
      ? el("details", {}, el("summary", { text: `${rest} more` }), el("ul", { role: "list" }, ...shown(PLACES_SHOWN)))
      : null;
  return el(
    "div",
    { class: "mentions" },
    el("span", { class: "label", text: said }),
    el("ul", { role: "list" }, ...shown(0, PLACES_SHOWN)),
    more,
  );
}
