// Parallel coordinates: one axis per hyperparameter and a last one for the score; one line per config.

import { html, svg } from "../core/dom.js";
import { configValue } from "../core/format.js";
import { colourClass } from "./palette.js";
import { tickLabels, ticks } from "./ticks.js";

/**
 * @typedef {object} ParallelAxis
 * @property {string} key
 * @property {string} label
 * @property {boolean} [isScore] its ticks are round numbers, not the values that occur
 */

/**
 * @typedef {object} ParallelLine
 * @property {string} name
 * @property {import("./palette.js").LineStyle} style
 * @property {Record<string, unknown>} values by the axis's key
 */

const MARGIN = { top: 34, bottom: 16, side: 70 };
const LEAST_GAP = 13;
const LOGARITHMIC_FROM = 9;
const LEAST_WIDTH = 120;

export class ParallelCoordinates {
  /** @param {{label: string, height: number}} options */
  constructor({ label, height }) {
    this.label = label;
    this.height = height;
    this.width = 0;
    /** @type {ParallelAxis[]} */
    this.axes = [];
    /** @type {ParallelLine[]} */
    this.lines = [];
    this.picture = svg("svg.chart.parallel", { role: "img", "aria-label": label });
    this.element = html(
      "div.scroll-x.parallel-area",
      { tabindex: 0, role: "region", "aria-label": label },
      this.picture,
    );
    this.element.style.minHeight = `${height}px`;
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** @param {ParallelAxis[]} axes @param {ParallelLine[]} lines */
  update(axes, lines) {
    this.axes = axes;
    this.lines = lines;
    this.draw();
  }

  resize() {
    if (this.element.clientWidth !== this.width) this.draw();
  }

  draw() {
    this.width = this.element.clientWidth;
    if (this.width === 0 || this.axes.length === 0) return;
    const width = Math.max(this.width, this.axes.length * LEAST_WIDTH);
    const gap = (width - 2 * MARGIN.side) / Math.max(1, this.axes.length - 1);
    const places = this.axes.map((axis, index) => ({
      axis,
      x: MARGIN.side + index * gap,
      scale: scaleOf(axis, this.lines, MARGIN.top, this.height - MARGIN.bottom),
    }));
    this.picture.setAttribute("width", String(width));
    this.picture.setAttribute("height", String(this.height));
    this.picture.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    this.picture.replaceChildren(
      svg(
        "g.axes",
        {},
        places.map(({ axis, x, scale }) => [
          svg("line.axis", { x1: x, x2: x, y1: MARGIN.top, y2: this.height - MARGIN.bottom }),
          svg("text.axis-title", { x, y: 14, "text-anchor": "middle" }, axis.label),
          scale.ticks.map(({ y }) => svg("line.axis", { x1: x - 3, x2: x + 3, y1: y, y2: y })),
        ]),
      ),
      svg(
        "g.marks",
        {},
        this.lines.map((line) => this.line(line, places)),
      ),
      svg(
        "g.labels",
        {},
        places.map(({ x, scale }, index) =>
          scale.ticks.map(({ y, text }) =>
            svg(
              "text.tick",
              { x: index === 0 ? x - 9 : x + 9, y: y + 3.5, "text-anchor": index === 0 ? "end" : "start" },
              shortened(text),
            ),
          ),
        ),
      ),
    );
  }

  /** @param {ParallelLine} line @param {{axis: ParallelAxis, x: number, scale: Scale}[]} places */
  line(line, places) {
    const points = places.map(({ axis, x, scale }) => ({ x, y: scale.place(line.values[axis.key]) }));
    let path = "";
    points.forEach((point, index) => {
      if (point.y === null) return;
      const before = points[index - 1];
      if (!path || !before || before.y === null) path += `M${point.x} ${point.y}`;
      else {
        const middle = (before.x + point.x) / 2;
        path += `C${middle} ${before.y} ${middle} ${point.y} ${point.x} ${point.y}`;
      }
    });
    const group = svg(
      `g.parallel-line.${colourClass(line.style)}`,
      { "data-series": line.name },
      svg("title", {}, line.name),
      svg("path.wide", { d: path }),
      svg("path.line", { d: path, "stroke-dasharray": line.style.dash || null }),
      points.map((point) => point.y !== null && svg("circle.dot", { cx: point.x, cy: point.y, r: 3 })),
    );
    group.addEventListener("pointerenter", () => this.highlight(line.name));
    group.addEventListener("pointerleave", () => this.highlight(""));
    return group;
  }

  /** @param {string} name */
  highlight(name) {
    this.picture.classList.toggle("has-highlight", name !== "");
    for (const part of this.picture.querySelectorAll("[data-series]")) {
      part.classList.toggle("is-highlighted", part.getAttribute("data-series") === name);
    }
  }
}

/** @typedef {{place: (value: unknown) => number | null, ticks: {y: number, text: string}[]}} Scale */

/** @param {ParallelAxis} axis @param {ParallelLine[]} lines @param {number} top @param {number} bottom @returns {Scale} */
function scaleOf(axis, lines, top, bottom) {
  const values = lines.map((line) => line.values[axis.key]).filter((value) => value !== null && value !== undefined);
  const numbers = /** @type {number[]} */ (values.filter((value) => typeof value === "number"));
  if (numbers.length === values.length && numbers.length > 0) return numeric(axis, numbers, top, bottom);
  return categorical([...new Set(lines.map((line) => configValue(line.values[axis.key])))].sort(), top, bottom);
}

/** @param {string[]} names @param {number} top @param {number} bottom @returns {Scale} */
function categorical(names, top, bottom) {
  const yOf = (/** @type {number} */ index) =>
    names.length === 1 ? (top + bottom) / 2 : bottom - (index / (names.length - 1)) * (bottom - top);
  return {
    place: (value) => yOf(names.indexOf(configValue(value))),
    ticks: names.map((text, index) => ({ y: yOf(index), text })),
  };
}

/** @param {ParallelAxis} axis @param {number[]} values @param {number} top @param {number} bottom @returns {Scale} */
function numeric(axis, values, top, bottom) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const isLogarithmic = !axis.isScore && low > 0 && high / low >= LOGARITHMIC_FROM;
  const turn = isLogarithmic ? Math.log : (/** @type {number} */ value) => value;
  const range = turn(high) - turn(low);
  const place = (/** @type {unknown} */ value) => {
    if (typeof value !== "number") return null;
    return range === 0 ? (top + bottom) / 2 : bottom - ((turn(value) - turn(low)) / range) * (bottom - top);
  };
  if (axis.isScore && range > 0) {
    const round = ticks(low, high, 5);
    const labels = tickLabels(round);
    return { place, ticks: round.map((value, index) => ({ y: place(value) ?? 0, text: labels[index] })) };
  }
  const shown = [];
  for (const value of [...new Set(values)].sort((one, other) => one - other)) {
    const y = place(value) ?? 0;
    const before = shown[shown.length - 1];
    if (!before || before.y - y >= LEAST_GAP) shown.push({ y, text: configValue(value) });
  }
  return { place, ticks: shown };
}

/** @param {string} text */
function shortened(text) {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
