// A bump chart: the places of configs along the budget; configs that share a rank stand in one frame.

import { html, svg } from "../core/dom.js";
import { namedLine, setSize } from "./drawing.js";
import { AXES } from "./ticks.js";

/**
 * @typedef {object} BumpLine
 * @property {string} name
 * @property {import("./palette.js").LineStyle} style
 * @property {number[]} places from 1, one a step
 * @property {number[]} ranks those that share one stand together
 */

const MARGIN = { top: 12, bottom: 38, left: 34 };
const ROW = 22;
/** Of a frame around a tie, and of a single dot. */
const HALF = 8;
const NAME_SHARE = 0.34;
const MOST_NAME = 190;
const LETTER = 6.6;

export class BumpChart {
  /** @param {{label: string}} options */
  constructor({ label }) {
    this.label = label;
    this.width = 0;
    /** @type {number[]} */
    this.steps = [];
    /** @type {BumpLine[]} */
    this.lines = [];
    this.picture = svg("svg.chart.bump", { role: "img", "aria-label": label });
    this.element = html("div.bump-area", {}, this.picture);
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** @param {number[]} steps env steps of each place @param {BumpLine[]} lines best first at the last step */
  update(steps, lines) {
    this.steps = steps;
    this.lines = lines;
    this.draw();
  }

  resize() {
    if (this.element.clientWidth !== this.width) this.draw();
  }

  draw() {
    this.width = this.element.clientWidth;
    if (this.width === 0 || this.lines.length === 0) return;
    const names = Math.min(MOST_NAME, this.width * NAME_SHARE);
    const height = MARGIN.top + this.lines.length * ROW + MARGIN.bottom;
    const inner = this.width - MARGIN.left - names;
    const last = this.steps.length - 1;
    const toX = (/** @type {number} */ step) => MARGIN.left + HALF + (step / Math.max(1, last)) * (inner - 2 * HALF);
    const toY = (/** @type {number} */ place) => MARGIN.top + (place - 0.5) * ROW;
    setSize(this.picture, this.width, height);
    const bottom = MARGIN.top + this.lines.length * ROW;
    this.picture.replaceChildren(
      svg("g.axes", { "aria-hidden": "true" }, this.ticks(toX, bottom, inner)),
      svg("g.ties", {}, this.steps.map((_, step) => this.ties(step, toX, toY))),
      svg("g.marks", {}, this.lines.map((line) => this.line(line, toX, toY, names))),
    );
    const first = this.lines.filter((line) => line.ranks[last] === 1).map((line) => line.name);
    this.picture.setAttribute("aria-label", `${this.label}. Rank 1 at the end: ${first.join(", ")}.`);
  }

  /** @param {(step: number) => number} toX @param {number} bottom @param {number} inner */
  ticks(toX, bottom, inner) {
    const every = Math.max(1, Math.ceil((this.steps.length * 46) / inner));
    const last = this.steps.length - 1;
    return [
      svg("text.tick", { x: MARGIN.left - 10, y: MARGIN.top + ROW / 2 + 4, "text-anchor": "end" }, "1"),
      svg(
        "text.tick",
        { x: MARGIN.left - 10, y: bottom - ROW / 2 + 4, "text-anchor": "end" },
        String(this.lines.length),
      ),
      this.steps.map(
        (env, step) =>
          (last - step) % every === 0 &&
          svg("text.tick", { x: toX(step), y: bottom + 14, "text-anchor": "middle" }, AXES.env_steps.value(env)),
      ),
      svg("text.axis-name", { x: toX(last), y: bottom + 30, "text-anchor": "end" }, `${AXES.env_steps.label} →`),
    ];
  }

  /** A frame around the configs that share a rank. @param {number} step @param {(step: number) => number} toX @param {(place: number) => number} toY */
  ties(step, toX, toY) {
    const ranks = new Set(this.lines.map((line) => line.ranks[step]));
    return [...ranks].map((rank) => {
      const places = this.lines.filter((line) => line.ranks[step] === rank).map((line) => line.places[step]);
      if (places.length < 2) return null;
      const top = toY(Math.min(...places)) - HALF;
      const rect = { x: toX(step) - HALF, y: top, width: 2 * HALF, height: toY(Math.max(...places)) + HALF - top };
      return svg("rect.tie", { ...rect, rx: HALF }, svg("title", {}, `${places.length} configs share rank ${rank}`));
    });
  }

  /** @param {BumpLine} line @param {(step: number) => number} toX @param {(place: number) => number} toY @param {number} names */
  line(line, toX, toY, names) {
    const points = line.places.map((place, step) => ({ x: toX(step), y: toY(place) }));
    const path = points.map((point, step) => `${step ? "L" : "M"}${point.x} ${point.y}`).join("");
    const end = points[points.length - 1];
    const letters = Math.floor((names - 2 * HALF) / LETTER);
    return namedLine(
      this.picture,
      line,
      path,
      points.map(({ x, y }) => svg("circle.dot", { cx: x, cy: y, r: 3.5 })),
      svg("text.bump-name", { x: end.x + HALF + 6, y: end.y + 4 }, shortened(line.name, letters)),
    );
  }
}

/** The end of a name tells variants apart. @param {string} text @param {number} letters */
function shortened(text, letters) {
  return text.length > letters ? `…${text.slice(text.length - letters + 1)}` : text;
}
