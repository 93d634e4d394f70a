// Making elements. Text from guides and from the server becomes text nodes and nothing else: there is no way from here
// to markup.

/**
 * An element with properties and children. `class`, `text`, `dataset` and `on` (listeners by event) are what they say; any
 * other property is an attribute, left out where its value is null or false.
 */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    set(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") element.className = value;
  else if (name === "text") element.textContent = value;
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "on") Object.entries(value).forEach(([event, listen]) => element.addEventListener(event, listen));
  else element.setAttribute(name, value === true ? "" : value);
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing of one path on a 24 by 24 grid, hidden from screen readers. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = { viewBox: "0 0 24 24", width: "18", height: "18", "aria-hidden": "true", focusable: "false" };
  Object.entries(attributes).forEach(([name, value]) => svg.setAttribute(name, value));
  const drawn = document.createElementNS(SVG, "path");
  const stroke = {
    d: path,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": "2",
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
  };
  Object.entries(stroke).forEach(([name, value]) => drawn.setAttribute(name, value));
  svg.append(drawn);
  return svg;
}

/** `1 guide`, `2 guides`, `1,312 passages`. */
export function count(number, noun) {
  return `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;
}

/** Text for screen readers alone. */
export function hidden(text) {
  return el("span", { class: "hidden", text });
}

let speaking = 0;

/** Says something through the live region, once nothing newer comes for a moment: typing is not talked over. */
export function say(text) {
  clearTimeout(speaking);
  speaking = setTimeout(() => {
    document.getElementById("spoken").textContent = text;
  }, 600);
}
