// Drawing the map on a canvas, moving about in it, and finding what is below the pointer.

import { paint } from "./chart_paint.js";

const MOST_ZOOM = 24;
const PICK_PX = 14;
const KEY_STEP_PX = 60;
const SHAPES = ["circle", "square", "triangle", "diamond"];

export class Chart {
  /** `on` hears `hover(target, x, y)`, `pick(target)` and `moved(address)`. `kinds` has the kind of a guide by its path. */
  constructor(canvas, map, kinds, on) {
    this.canvas = canvas;
    this.map = map;
    this.on = on;
    this.kinds = distinct(map.guides.map((guide) => kinds.get(guide.path) ?? ""));
    const look = new Map(this.kinds.map((kind) => [kind.name, kind]));
    this.guides = map.guides.map((guide) => ({
      ...guide,
      look: look.get(kinds.get(guide.path) ?? "") ?? this.kinds.at(-1),
    }));
    this.points = map.points.map((point) => ({
      ...point,
      path: map.guides[point.guide].path,
      title: map.guides[point.guide].title,
      heading: point.heading_path.at(-1) ?? "",
    }));
    this.hits = [];
    this.over = null;
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.gone = new AbortController();
  }

  begin() {
    const { signal } = this.gone;
    const listen = (event, act, options = {}) => this.canvas.addEventListener(event, act, { signal, ...options });
    listen("pointerdown", (event) => this.press(event));
    listen("pointermove", (event) => this.drag(event));
    listen("pointerup", (event) => this.release(event));
    listen("pointercancel", (event) => this.pointers.delete(event.pointerId));
    listen("pointerleave", () => this.hover(null));
    listen("wheel", (event) => this.wheel(event), { passive: false });
    listen("keydown", (event) => this.key(event));
    this.pointers = new Map();
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.canvas);
    document.addEventListener("themechange", () => this.draw(), { signal });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw(), { signal });
  }

  leave() {
    this.gone.abort();
    this.sizes?.disconnect();
    clearTimeout(this.saying);
    cancelAnimationFrame(this.frame);
  }

  /** Lights up passages, and says how many have a place on the map. */
  light(results) {
    this.hits = results.map((hit) => ({ ...hit, point: this.nearest(hit) })).filter((hit) => hit.point);
    this.over = null;
    this.draw();
    return this.hits.length;
  }

  /** The dot of a passage: the one with which it has most lines in common. */
  nearest({ path, first_line: first, last_line: last }) {
    let best = null;
    let most = 0;
    for (const point of this.points) {
      if (point.path !== path) continue;
      const lines = Math.min(last, point.last_line) - Math.max(first, point.first_line) + 1;
      const share = lines / (point.last_line - point.first_line + 1 + last - first + 1);
      if (lines > 0 && share > most) [best, most] = [point, share];
    }
    return best;
  }

  /** Shows where a passage or a guide is, and moves there where it is out of sight. */
  point(place) {
    const target = place.first_line ? this.nearest(place) : this.guides.find((guide) => guide.path === place.path);
    if (!target) return;
    this.over = target;
    const [x, y] = this.at(target);
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (x < 0 || y < 0 || x > width || y > height) Object.assign(this.view, { x: target.x, y: target.y });
    this.draw();
  }

  /** `x,y,zoom`, as the address has it. */
  moveTo(written) {
    const [x, y, zoom] = written.split(",").map(Number);
    const valid = written !== "" && [x, y, zoom].every(Number.isFinite);
    this.view = valid ? bounded({ x, y, zoom }) : { x: 0.5, y: 0.5, zoom: 1 };
    this.draw();
  }

  zoom(by, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2) {
    const before = this.place(x, y);
    this.view = bounded({ ...this.view, zoom: this.view.zoom * by });
    const after = this.place(x, y);
    this.view = bounded({ ...this.view, x: this.view.x + before.x - after.x, y: this.view.y + before.y - after.y });
    this.tell();
  }

  pan(x, y) {
    const scale = this.scale();
    this.view = bounded({ ...this.view, x: this.view.x - x / scale.x, y: this.view.y - y / scale.y });
    this.tell();
  }

  reset() {
    this.view = { x: 0.5, y: 0.5, zoom: 1 };
    this.tell();
  }

  /** Draws, and puts the place into the address when the movement is over. */
  tell() {
    this.draw();
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const { x, y, zoom } = this.view;
      const home = zoom === 1 && x === 0.5 && y === 0.5;
      this.on.moved(home ? "" : `${x.toFixed(4)},${y.toFixed(4)},${zoom.toFixed(2)}`);
    }, 300);
  }

  /** Pixels for all of the map, each way. */
  scale() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { x: Math.max(1, width - 60) * this.view.zoom, y: Math.max(1, height - 60) * this.view.zoom };
  }

  /** Where something is, in pixels. */
  at({ x, y }) {
    const scale = this.scale();
    return [
      (x - this.view.x) * scale.x + this.canvas.clientWidth / 2,
      (y - this.view.y) * scale.y + this.canvas.clientHeight / 2,
    ];
  }

  /** What is at a pixel, on the map. */
  place(x, y) {
    const scale = this.scale();
    return {
      x: (x - this.canvas.clientWidth / 2) / scale.x + this.view.x,
      y: (y - this.canvas.clientHeight / 2) / scale.y + this.view.y,
    };
  }

  /** Boxes that tools and legend cover, in pixels. */
  covered() {
    const own = this.canvas.getBoundingClientRect();
    return [...this.canvas.parentElement.querySelectorAll(".map-tools, .map-legend")].map((part) => {
      const { left, right, top, bottom } = part.getBoundingClientRect();
      return { left: left - own.left, right: right - own.left, top: top - own.top, bottom: bottom - own.top };
    });
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => paint(this));
  }

  under(x, y) {
    let best = null;
    let nearest = PICK_PX ** 2;
    const near = (target, ease) => {
      const [left, top] = this.at(target);
      const distance = ((left - x) ** 2 + (top - y) ** 2) * ease;
      if (distance < nearest) [best, nearest] = [target, distance];
    };
    this.points.forEach((point) => near(point, 1));
    // What is lit up is meant rather than what lies beside it.
    this.hits.forEach((hit) => near(hit.point, 0.3));
    return best;
  }

  hover(target, x = 0, y = 0) {
    if (this.over !== target) {
      this.over = target;
      this.draw();
    }
    this.canvas.classList.toggle("on-point", Boolean(target));
    this.on.hover(target, x, y);
  }

  press(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    this.moved = 0;
  }

  drag(event) {
    const before = this.pointers.get(event.pointerId);
    const now = { x: event.offsetX, y: event.offsetY };
    if (!before) return this.hover(this.under(now.x, now.y), now.x, now.y);
    const others = [...this.pointers.entries()].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (others.length > 0) {
      const apart = (place) => Math.hypot(place.x - others[0].x, place.y - others[0].y);
      this.zoom(apart(now) / Math.max(1, apart(before)), (now.x + others[0].x) / 2, (now.y + others[0].y) / 2);
    } else {
      this.pan(now.x - before.x, now.y - before.y);
    }
    this.moved += Math.hypot(now.x - before.x, now.y - before.y);
    this.pointers.set(event.pointerId, now);
    return null;
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    const target = this.under(event.offsetX, event.offsetY);
    if (this.moved < 4 && target) this.on.pick(target);
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 300), event.offsetX, event.offsetY);
  }

  key(event) {
    const keys = {
      ArrowLeft: () => this.pan(KEY_STEP_PX, 0),
      ArrowRight: () => this.pan(-KEY_STEP_PX, 0),
      ArrowUp: () => this.pan(0, KEY_STEP_PX),
      ArrowDown: () => this.pan(0, -KEY_STEP_PX),
      "+": () => this.zoom(1.4),
      "=": () => this.zoom(1.4),
      "-": () => this.zoom(1 / 1.4),
      0: () => this.reset(),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }
}

function bounded({ x, y, zoom }) {
  const within = (value, least, most) => Math.min(most, Math.max(least, value));
  return { x: within(x, 0, 1), y: within(y, 0, 1), zoom: within(zoom, 1, MOST_ZOOM) };
}

/** Kinds by how many guides have them, each with a look; those beyond the looks share the last. */
function distinct(names) {
  const counts = new Map();
  names.forEach((name) => counts.set(name, (counts.get(name) ?? 0) + 1));
  const sorted = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return sorted.slice(0, SHAPES.length).map((name, at) => ({
    name: at === SHAPES.length - 1 && sorted.length > SHAPES.length ? "" : name,
    shape: SHAPES[at],
    color: String(at + 1),
  }));
}
