// Parallel coordinates: one axis per hyperparameter and a last one for the score; one line per config. A range on an axis
// makes the lines outside of it pale.

import { html, svg } from "../core/dom.js";
import { configValue } from "../core/format.js";
import { scrolling } from "../core/scrolling.js";
import { AxisBrush } from "./axis_brush.js";
import { namedLine, setSize } from "./drawing.js";
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
const LETTER = 6.3;

export class ParallelCoordinates {
  /** @param {{label: string, height: number, onSelect: (names: string[] | null) => void}} options onSelect: called with the lines within all ranges; null without a range */
  constructor({ label, height, onSelect }) {
    this.onSelect = onSelect;
    /** @type {Map<string, AxisBrush>} by the axis's key */
    this.brushes = new Map();
    /** @type {{axis: ParallelAxis, x: number, scale: Scale}[]} */
    this.places = [];
    this.handles = html("div.axis-brushes");
    this.label = label;
    this.height = height;
    this.width = 0;
    /** @type {ParallelAxis[]} */
    this.axes = [];
    /** @type {ParallelLine[]} */
    this.lines = [];
    this.picture = svg("svg.chart.parallel", { role: "img", "aria-label": label });
    this.element = scrolling(label, html("div.parallel-holder", {}, this.picture, this.handles));
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
    this.places = places;
    setSize(this.picture, width, this.height);
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
          scale.ticks.map(({ y, text }) => tickLabel(shortened(text), x, y, index === 0)),
        ),
      ),
    );
    this.placeBrushes();
    this.select();
  }

  /** One handle on each axis; those that were there keep their ranges. */
  placeBrushes() {
    const known = this.brushes;
    this.brushes = new Map(
      this.places.map(({ axis, x }) => {
        const brush = known.get(axis.key) ?? new AxisBrush(axis.label, () => this.select());
        brush.element.style.insetInlineStart = `${x}px`;
        brush.element.style.insetBlockStart = `${MARGIN.top}px`;
        brush.element.style.height = `${this.height - MARGIN.top - MARGIN.bottom}px`;
        return [axis.key, brush];
      }),
    );
    const wanted = [...this.brushes.values()].map((brush) => brush.element);
    if (wanted.length !== this.handles.children.length || wanted.some((each, at) => this.handles.children[at] !== each))
      this.handles.replaceChildren(...wanted);
  }

  /** Make the lines outside of a range pale. */
  select() {
    const bottom = this.height - MARGIN.bottom;
    const length = bottom - MARGIN.top;
    const ranges = this.places.flatMap(({ axis, scale }) => {
      const brush = this.brushes.get(axis.key);
      const [low, high] = brush?.range ?? [0, 1];
      brush?.show(
        brush.range ? `${scale.read(bottom - low * length)} to ${scale.read(bottom - high * length)}` : "all",
      );
      return brush?.range ? [{ axis, scale, least: bottom - high * length, most: bottom - low * length }] : [];
    });
    const chosen = this.lines.filter((line) =>
      ranges.every(({ axis, scale, least, most }) => {
        const y = scale.place(line.values[axis.key]);
        return y !== null && y >= least - 0.5 && y <= most + 0.5;
      }),
    );
    const names = new Set(chosen.map((line) => line.name));
    for (const part of this.picture.querySelectorAll("[data-series]"))
      part.classList.toggle("is-out", !names.has(part.getAttribute("data-series") ?? ""));
    this.onSelect(ranges.length ? [...names] : null);
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
    return namedLine(
      this.picture,
      line,
      path,
      points.map((point) => point.y !== null && svg("circle.dot", { cx: point.x, cy: point.y, r: 3 })),
    );
  }
}

/** A label of an axis on a ground of its own, so that lines pass behind it. @param {string} text @param {number} x @param {number} y @param {boolean} isFirst */
function tickLabel(text, x, y, isFirst) {
  const width = text.length * LETTER + 4;
  return [
    svg("rect.label-ground", { x: isFirst ? x - 7 - width : x + 7, y: y - 7, width, height: 14 }),
    svg("text.tick", { x: isFirst ? x - 9 : x + 9, y: y + 3.5, "text-anchor": isFirst ? "end" : "start" }, text),
  ];
}

/**
 * @typedef {object} Scale
 * @property {(value: unknown) => number | null} place
 * @property {(y: number) => string} read the value at a place, as text
 * @property {{y: number, text: string}[]} ticks
 */

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
    read: (y) => names.reduce((best, name, at) => (Math.abs(yOf(at) - y) < Math.abs(yOf(names.indexOf(best)) - y) ? name : best)),
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
  const back = isLogarithmic ? Math.exp : (/** @type {number} */ value) => value;
  const read = (/** @type {number} */ y) =>
    configValue(Number(back(turn(low) + ((bottom - y) / (bottom - top)) * range).toPrecision(3)));
  if (axis.isScore && range > 0) {
    const round = ticks(low, high, 5);
    const labels = tickLabels(round);
    return { place, read, ticks: round.map((value, index) => ({ y: place(value) ?? 0, text: labels[index] })) };
  }
  const shown = [];
  for (const value of [...new Set(values)].sort((one, other) => one - other)) {
    const y = place(value) ?? 0;
    const before = shown[shown.length - 1];
    if (!before || before.y - y >= LEAST_GAP) shown.push({ y, text: configValue(value) });
  }
  return { place, read, ticks: shown };
}

/** @param {string} text */
function shortened(text) {
  return text.length > 14 ? `${text.slice(0, 13)}…` : text;
}
