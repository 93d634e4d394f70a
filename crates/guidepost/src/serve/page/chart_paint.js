// What a map looks like: dots for passages, shapes and names for guides, lights for what was found. Colors are those of the
// style sheet, so that the map follows the theme.

/** Draws a chart on its canvas. */
export function paint(chart) {
  const { canvas } = chart;
  const dense = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * dense) || canvas.height !== Math.round(height * dense)) {
    canvas.width = Math.round(width * dense);
    canvas.height = Math.round(height * dense);
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  pen.clearRect(0, 0, width, height);
  const colors = palette(canvas);
  spokes(pen, chart, colors);
  dots(pen, chart, colors);
  shapes(pen, chart, colors);
  lights(pen, chart, colors);
  names(pen, chart, colors);
}

function palette(canvas) {
  const style = getComputedStyle(canvas);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    ink: of("--ink"),
    muted: of("--muted"),
    paper: of("--surface"),
    lit: of("--lit"),
    unlit: of("--unlit"),
    litInk: of("--lit-ink"),
    font: style.fontFamily,
    // Sizes are in pixels of the usual letter size; the page's own may be larger.
    unit: Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16,
    kinds: { 1: of("--map-1"), 2: of("--map-2"), 3: of("--map-3"), 4: of("--map-4") },
  };
}

function guideOf(chart, target) {
  return target && chart.guides.find((guide) => guide.path === target.path);
}

/** Lines from a guide to its passages, for the one that is pointed at. */
function spokes(pen, chart, colors) {
  const guide = guideOf(chart, chart.over);
  if (!guide) return;
  pen.strokeStyle = colors.kinds[guide.look.color];
  pen.globalAlpha = 0.45;
  pen.lineWidth = 1;
  const [x, y] = chart.at(guide);
  pen.beginPath();
  for (const point of chart.points.filter((one) => one.path === guide.path)) {
    pen.moveTo(x, y);
    pen.lineTo(...chart.at(point));
  }
  pen.stroke();
  pen.globalAlpha = 1;
}

function dots(pen, chart, colors) {
  const size = Math.min(5, 2 + Math.sqrt(chart.view.zoom) * 0.6) * colors.unit;
  const dim = chart.hits.length > 0;
  for (const point of chart.points) {
    const own = chart.over?.path === point.path;
    pen.fillStyle = colors.kinds[chart.guides[point.guide].look.color];
    pen.globalAlpha = own ? 1 : dim ? 0.28 : 0.6;
    pen.beginPath();
    pen.arc(...chart.at(point), own ? size + 1 : size, 0, 2 * Math.PI);
    pen.fill();
  }
  pen.globalAlpha = 1;
}

/** What was found: a light with the rank in it; the first on top. */
function lights(pen, chart, colors) {
  for (const hit of [...chart.hits].reverse()) {
    const [x, y] = chart.at(hit.point);
    const radius = (9 + 5 * hit.confidence) * colors.unit;
    const glow = pen.createRadialGradient(x, y, radius * 0.5, x, y, radius * 2.4);
    glow.addColorStop(0, colors.lit);
    glow.addColorStop(1, colors.unlit);
    pen.globalAlpha = 0.55;
    pen.fillStyle = glow;
    circle(pen, x, y, radius * 2.4);
    pen.globalAlpha = 1;
    pen.fillStyle = colors.lit;
    circle(pen, x, y, radius);
    pen.strokeStyle = hit.point === chart.over ? colors.ink : colors.paper;
    pen.lineWidth = 2;
    pen.stroke();
    pen.fillStyle = colors.litInk;
    pen.font = `600 ${Math.round(radius)}px ${colors.font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(String(hit.rank), x, y + 0.5);
  }
}

function circle(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

function shapes(pen, chart, colors) {
  for (const guide of chart.guides) {
    const [x, y] = chart.at(guide);
    pen.globalAlpha =
      chart.hits.length === 0 || chart.over?.path === guide.path || chart.hits.some((hit) => hit.path === guide.path)
        ? 1
        : 0.55;
    shape(pen, guide.look, x, y, colors);
  }
  pen.globalAlpha = 1;
}

const NAME_PX = 12;
const MARGIN_PX = 8;

/** Names of guides, as many as have room: those that something was found in first, and the one that is pointed at. */
function names(pen, chart, colors) {
  const over = guideOf(chart, chart.over);
  const found = new Map(chart.hits.map((hit, at) => [hit.path, at]));
  const order = (guide) => (guide === over ? -1 : (found.get(guide.path) ?? 1000));
  const sorted = [...chart.guides].sort((a, b) => order(a) - order(b));
  const taken = [
    ...chart.hits.map((hit) => box(...chart.at(hit.point), 24 * colors.unit, 24 * colors.unit)),
    ...chart.covered(),
  ];
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (const guide of sorted) {
    const strong = guide === over || found.has(guide.path);
    pen.font = `${strong ? 600 : 500} ${NAME_PX * colors.unit}px ${colors.font}`;
    const size = { width: pen.measureText(guide.title).width + 6, height: (NAME_PX + 6) * colors.unit };
    const room = roomFor(chart, guide, size, taken, guide === over);
    if (!room) continue;
    taken.push(room);
    pen.lineJoin = "round";
    pen.lineWidth = 4;
    pen.strokeStyle = colors.paper;
    pen.strokeText(guide.title, room.left + 3, (room.top + room.bottom) / 2);
    pen.fillStyle = strong || found.size === 0 ? colors.ink : colors.muted;
    pen.fillText(guide.title, room.left + 3, (room.top + room.bottom) / 2);
  }
}

/** Where a name goes: right of its shape, or left of it; null where neither is free. One that must be shown is. */
function roomFor(chart, guide, { width, height }, taken, must) {
  const [x, y] = chart.at(guide);
  const sides = [x + height / 2 + width / 2, x - height / 2 - width / 2].map((middle) => box(middle, y, width, height));
  const within = ({ left, right, top, bottom }) =>
    left >= MARGIN_PX &&
    right <= chart.canvas.clientWidth - MARGIN_PX &&
    top >= 0 &&
    bottom <= chart.canvas.clientHeight;
  const seen = sides.filter(within);
  return seen.find((side) => taken.every((other) => !overlap(side, other))) ?? (must ? (seen[0] ?? null) : null);
}

function box(x, y, width, height) {
  return { left: x - width / 2, right: x + width / 2, top: y - height / 2, bottom: y + height / 2 };
}

function overlap(one, other) {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

function shape(pen, { shape: name, color }, x, y, colors) {
  const size = 5 * colors.unit;
  pen.fillStyle = colors.kinds[color];
  pen.strokeStyle = colors.paper;
  pen.lineWidth = 1.5;
  pen.beginPath();
  if (name === "square") pen.rect(x - size + 0.5, y - size + 0.5, 2 * size - 1, 2 * size - 1);
  else if (name === "triangle")
    path(pen, [
      [x, y - size - 1],
      [x + size + 1, y + size - 1],
      [x - size - 1, y + size - 1],
    ]);
  else if (name === "diamond")
    path(pen, [
      [x, y - size - 1],
      [x + size + 1, y],
      [x, y + size + 1],
      [x - size - 1, y],
    ]);
  else pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}

function path(pen, corners) {
  corners.forEach(([x, y], at) => (at === 0 ? pen.moveTo(x, y) : pen.lineTo(x, y)));
  pen.closePath();
}
