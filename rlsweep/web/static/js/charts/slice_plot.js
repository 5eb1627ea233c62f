// The score against one hyperparameter: every seed a dot, the config's mean a bar.

import { html, svg } from "../core/dom.js";
import { configValue, plural, reward } from "../core/format.js";
import { highlightSeries, setSize } from "./drawing.js";
import { MarkedChart } from "./marked_chart.js";
import { colourClass } from "./palette.js";
import { span } from "./ranges.js";
import { swatch } from "./swatch.js";
import { tickLabels, ticks } from "./ticks.js";

/**
 * @typedef {object} Point one config
 * @property {string} name
 * @property {import("./palette.js").LineStyle} style
 * @property {unknown} value of the hyperparameter
 * @property {number} mean of its seeds; without a score, the mean that is believed
 * @property {boolean} isScored
 * @property {{mean: number, low: number, high: number} | null} belief of its expected score
 * @property {number[]} seeds
 */

/** @typedef {{scale: "linear" | "log" | "categories", values: unknown[], points: Point[]}} Content values: in order */

const MARGIN = { top: 8, right: 12, bottom: 24, left: 46 };
/** Room on each side of the outermost values, as a share of the width. */
const AIR = 0.08;
/** Distance of configs that have the same value. */
const BESIDE = 9;
const LABEL_ROOM = 52;
const REACH = 28;
/** A config is a column of dots: sideways counts. */
const FLATNESS = 4;
const MAX_TOLD = 8;

export class SlicePlot extends MarkedChart {
  /** @param {{label: string, height: number}} options */
  constructor({ label, height }) {
    super({ label, kind: "config", reach: REACH, flatness: FLATNESS });
    this.height = height;
    /** @type {Content} */
    this.content = { scale: "linear", values: [], points: [] };
    /** @type {{point: Point, x: number, y: number}[]} from left to right */
    this.placed = [];
    this.element.style.height = `${height}px`;
  }

  /** @param {Content} content */
  update(content) {
    this.content = content;
    this.draw();
  }

  draw() {
    if (this.width === 0) return;
    const { points } = this.content;
    const inner = {
      width: Math.max(10, this.width - MARGIN.left - MARGIN.right),
      height: this.height - MARGIN.top - MARGIN.bottom,
    };
    const [low, high] = span(
      points.flatMap(({ mean, belief, seeds }) => [mean, ...seeds, ...(belief ? [belief.low, belief.high] : [])]),
      0.06,
    );
    const toY = (/** @type {number} */ value) =>
      MARGIN.top + inner.height - ((value - low) / (high - low || 1)) * inner.height;
    const toX = this.scaleOf(inner.width);
    this.placed = this.place(toX, toY);
    const bottom = MARGIN.top + inner.height;
    const up = ticks(low, high, 4);
    const upLabels = tickLabels(up);
    this.picture.replaceChildren(
      svg(
        "g.axes",
        { "aria-hidden": "true" },
        up.map((value, index) => [
          svg("line.grid", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: toY(value), y2: toY(value) }),
          svg("text.tick", { x: MARGIN.left - 7, y: toY(value) + 3.5, "text-anchor": "end" }, upLabels[index]),
        ]),
        svg("line.axis", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: bottom, y2: bottom }),
        this.labelled(toX).map(({ x, text }) => [
          svg("line.axis", { x1: x, x2: x, y1: bottom, y2: bottom + 4 }),
          svg("text.tick", { x, y: bottom + 17, "text-anchor": "middle" }, text),
        ]),
      ),
      svg(
        "g.marks",
        {},
        this.placed.map(({ point, x, y }) =>
          svg(
            `g.slice-config.${colourClass(point.style)}`,
            { "data-series": point.name },
            point.belief &&
              svg("line.belief-range", { x1: x, x2: x, y1: toY(point.belief.low), y2: toY(point.belief.high) }),
            point.seeds.map((score) => svg("circle.seed-dot", { cx: x, cy: toY(score), r: 3 })),
            point.isScored && svg("line.mean-bar", { x1: x - 8, x2: x + 8, y1: y, y2: y }),
          ),
        ),
      ),
    );
    setSize(this.picture, this.width, this.height);
    this.picture.setAttribute("aria-label", this.summary());
    this.readAgain();
  }

  /** From a value to pixels. @param {number} width @returns {(value: unknown) => number} */
  scaleOf(width) {
    const { scale, values } = this.content;
    if (scale === "categories") {
      const texts = values.map(configValue);
      return (value) => MARGIN.left + ((texts.indexOf(configValue(value)) + 0.5) / texts.length) * width;
    }
    const turned = scale === "log" ? Math.log10 : Number;
    const first = turned(Number(values[0]));
    const range = turned(Number(values[values.length - 1])) - first || 1;
    return (value) =>
      MARGIN.left + width * (AIR + (1 - 2 * AIR) * ((turned(Number(value)) - first) / range));
  }

  /**
   * Configs with the same value stand side by side.
   * @param {(value: unknown) => number} toX @param {(value: number) => number} toY
   */
  place(toX, toY) {
    /** @type {Map<string, Point[]>} */
    const byValue = new Map();
    for (const point of this.content.points) {
      const text = configValue(point.value);
      byValue.set(text, [...(byValue.get(text) ?? []), point]);
    }
    const most = Math.max(1, ...[...byValue.values()].map((points) => points.length));
    const inner = this.width - MARGIN.left - MARGIN.right;
    const room = this.content.scale === "categories" ? inner / (byValue.size * most + 1) : (2 * AIR * inner) / most;
    const beside = Math.min(BESIDE, room);
    return [...byValue.values()]
      .flatMap((points) =>
        points.map((point, index) => ({
          point,
          x: toX(point.value) + (index - (points.length - 1) / 2) * beside,
          y: toY(point.mean),
        })),
      )
      .sort((one, other) => one.x - other.x);
  }

  /** The values that have room for their label. @param {(value: unknown) => number} toX */
  labelled(toX) {
    const { scale, values } = this.content;
    /** @type {{x: number, text: string}[]} */
    const shown = [];
    const room = scale === "categories" ? 0.95 * ((this.width - MARGIN.left - MARGIN.right) / values.length) : LABEL_ROOM;
    for (const value of values) {
      const x = toX(value);
      const text = configValue(scale === "categories" || Number.isInteger(value) ? value : rounded(value));
      const most = Math.max(3, Math.floor(room / 6.2));
      if (shown.length && x - shown[shown.length - 1].x < room) continue;
      shown.push({ x, text: text.length > most ? `${text.slice(0, most - 1)}…` : text });
    }
    return shown;
  }

  summary() {
    const best = this.placed.filter(({ point }) => point.isScored).sort((one, other) => other.point.mean - one.point.mean);
    const told = best.slice(0, MAX_TOLD).map(({ point }) => `${point.name} at ${configValue(point.value)}: ${reward(point.mean)}`);
    const left = best.length - told.length;
    return best.length
      ? `${this.label}, mean of each config. ${told.join("; ")}${left > 0 ? `; and ${left} more` : ""}.`
      : `${this.label}: nothing to show yet.`;
  }

  /** @param {number} at place of the config, from the left */
  read(at) {
    const { point, x } = this.placed[at];
    this.at = at;
    highlightSeries(this.picture, point.name);
    this.readout.replaceChildren(
      html("div.readout-head", {}, configValue(point.value)),
      html(
        "div.readout-line",
        {},
        swatch(point.style),
        html("span.readout-name", {}, point.name),
        html("span.readout-value", {}, point.isScored ? ` ${reward(point.mean)} ` : " no score "),
        html("span.readout-range", {}, plural(point.seeds.length, "seed")),
      ),
      point.belief
        ? html("div.readout-line", {}, `believed ${reward(point.belief.low)} … ${reward(point.belief.high)}`)
        : "",
    );
    this.showReadout(x, () => MARGIN.top);
  }

  stopReading() {
    super.stopReading();
    highlightSeries(this.picture, "");
  }
}

/** @param {unknown} value */
function rounded(value) {
  return Number(Number(value).toPrecision(3));
}
