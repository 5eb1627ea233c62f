// The genealogy of a population: a row for each member over env steps, and an arrow from each source to its copy.

import { html, svg } from "../core/dom.js";
import { setSize } from "./drawing.js";
import { MarkedChart } from "./marked_chart.js";
import { AXES, tickLabels, ticks } from "./ticks.js";

/**
 * @typedef {object} Row one member
 * @property {number} number
 * @property {number} end env steps at which it stands
 */

/**
 * @typedef {object} Copy one member became a copy of another
 * @property {number} member
 * @property {number | null} source null if its record was deleted
 * @property {number} at env steps
 * @property {boolean} isOfBest
 * @property {string} text in one sentence
 * @property {string[]} changes
 */

/** @typedef {{rows: Row[], copies: Copy[], best: number | null, lineage: {member: number, start: number, end: number}[], end: number, interval: number}} Content */

const MARGIN = { top: 10, right: 16, bottom: 38, left: 34 };
const ROW = 24;
const LOW_ROW = 13;
/** From so many members on, rows are low. */
const MANY = 30;
const REACH = 16;
/** Of an arrow, from its source to the copy. */
const MOST_WIDTH = 26;
const HEAD = 4;

export class Genealogy extends MarkedChart {
  /** @param {{label: string}} options */
  constructor({ label }) {
    super({ label, kind: "copy", reach: REACH });
    /** @type {Content} */
    this.content = { rows: [], copies: [], best: null, lineage: [], end: 0, interval: 1 };
    /** @type {{copy: Copy, x: number, y: number, part: SVGElement}[]} by env steps */
    this.placed = [];
    this.picture.classList.add("genealogy");
  }

  /** @param {Content} content */
  update(content) {
    this.content = content;
    this.draw();
  }

  draw() {
    if (this.width === 0) return;
    const { rows, copies, best, lineage, end, interval } = this.content;
    const row = rows.length > MANY ? LOW_ROW : ROW;
    const height = MARGIN.top + rows.length * row + MARGIN.bottom;
    const inner = Math.max(10, this.width - MARGIN.left - MARGIN.right);
    const longest = Math.max(end, interval);
    const toX = (/** @type {number} */ steps) => MARGIN.left + (steps / longest) * inner;
    const toY = (/** @type {number} */ member) => MARGIN.top + (member - 0.5) * row;
    const width = Math.min(MOST_WIDTH, 0.45 * (toX(interval) - toX(0)));
    setSize(this.picture, this.width, height);
    this.element.style.height = `${height}px`;
    this.placed = copies.map((copy) => ({
      copy,
      x: toX(copy.at),
      y: toY(copy.member),
      part: arrow(copy, toX(copy.at), toY(copy.source ?? copy.member), toY(copy.member), width),
    }));
    const bottom = MARGIN.top + rows.length * row;
    this.picture.replaceChildren(
      svg("g.axes", { "aria-hidden": "true" }, axis(toX, longest, inner, bottom)),
      svg(
        "g.rows",
        {},
        rows.map((each) => [
          svg(
            `text.tick${each.number === best ? ".of-best" : ""}`,
            { x: MARGIN.left - 8, y: toY(each.number) + 4, "text-anchor": "end" },
            String(each.number),
          ),
          each.end > 0 &&
            svg("line.member", { x1: toX(0), x2: toX(each.end), y1: toY(each.number), y2: toY(each.number) }),
        ]),
      ),
      svg(
        "g.lineage",
        {},
        lineage.map(({ member, start, end: until }, index) => {
          const leaves = index < lineage.length - 1; // its arrow begins before its end
          return svg("line.of-best", {
            x1: toX(start),
            x2: Math.max(toX(start), toX(until) - (leaves ? width : 0)),
            y1: toY(member),
            y2: toY(member),
          });
        }),
      ),
      svg(
        "g.copies",
        {},
        [...this.placed].sort((one, other) => Number(one.copy.isOfBest) - Number(other.copy.isOfBest)).map(({ part }) => part),
      ),
      ...(best === null ? [] : [endOfBest(toX(rows.find((each) => each.number === best)?.end ?? 0), toY(best))]),
    );
    this.picture.setAttribute("aria-label", this.summary());
    this.readAgain();
  }

  summary() {
    const { rows, copies, best, lineage } = this.content;
    const way = lineage.map(({ member }) => member).join(", then ");
    return `${this.label}: ${rows.length} members, ${copies.length} copies.${best === null ? "" : ` The best, member ${best}, was member ${way}.`}`;
  }

  /** @param {number} at place of the copy, by env steps */
  read(at) {
    this.at = at;
    const { copy, x, y } = this.placed[at];
    for (const { part } of this.placed) part.classList.toggle("is-read", part === this.placed[at].part);
    this.readout.replaceChildren(
      html("div.readout-head", {}, copy.text),
      ...copy.changes.map((change) => html("div.readout-line", {}, change)),
    );
    this.showReadout(x, (height) => Math.max(0, Math.min(y + 8, Number(this.picture.getAttribute("height")) - height)));
  }

  stopReading() {
    super.stopReading();
    for (const { part } of this.placed) part.classList.remove("is-read");
  }
}

/** @param {(steps: number) => number} toX @param {number} longest @param {number} inner @param {number} bottom */
function axis(toX, longest, inner, bottom) {
  const places = ticks(0, longest, Math.max(2, Math.floor(inner / 90)));
  const labels = tickLabels(places);
  return [
    places.map((place, index) => [
      svg("line.grid", { x1: toX(place), x2: toX(place), y1: MARGIN.top, y2: bottom }),
      svg("text.tick", { x: toX(place), y: bottom + 14, "text-anchor": "middle" }, labels[index]),
    ]),
    svg("line.axis", { x1: toX(0), x2: toX(longest), y1: bottom, y2: bottom }),
    svg("text.axis-name", { x: toX(longest), y: bottom + 30, "text-anchor": "end" }, `${AXES.env_steps.label} →`),
  ];
}

/** @param {Copy} copy @param {number} x @param {number} from of its source @param {number} to @param {number} width */
function arrow(copy, x, from, to, width) {
  const start = x - width;
  const path = `M${start} ${from}C${x} ${from} ${start} ${to} ${x - HEAD} ${to}`;
  return svg(
    `g.copy${copy.isOfBest ? ".of-best" : ""}`,
    {},
    svg("title", {}, [copy.text, ...copy.changes].join(" ")),
    svg("path.arrow", { d: path }),
    svg("path.head", { d: `M${x - 2 * HEAD} ${to - HEAD}L${x} ${to}L${x - 2 * HEAD} ${to + HEAD}Z` }),
  );
}

/** @param {number} x @param {number} y */
function endOfBest(x, y) {
  return svg("circle.end-of-best", { cx: x, cy: y, r: 5 }, svg("title", {}, "The best member"));
}
