// Means and their intervals as dots and whiskers, on one axis for all rows of a table.

import { svg } from "../core/dom.js";
import { colourClass } from "./palette.js";
import { isFlat } from "./ranges.js";
import { tickLabels, ticks } from "./ticks.js";

/**
 * @typedef {object} Range range of the axis
 * @property {number} low
 * @property {number} high
 */

/** @param {(number | null | undefined)[]} values @returns {Range | null} */
export function rangeOf(values) {
  const known = /** @type {number[]} */ (values.filter((value) => typeof value === "number"));
  if (known.length === 0) return null;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const air = (isFlat(low, high) ? Math.abs(high) || 1 : high - low) * 0.06;
  return { low: low - air, high: high + air };
}

/** @param {Range} range */
export function intervalAxis(range) {
  const values = ticks(range.low, range.high, 4);
  const labels = tickLabels(values);
  return svg(
    "svg.interval-axis",
    { width: "100%", height: 16, "aria-hidden": "true" },
    values.map((value, index) =>
      svg("text.tick", { x: at(range, value), y: 11, "text-anchor": "middle" }, labels[index]),
    ),
  );
}

/**
 * @param {Range} range
 * @param {{mean: number | null, low: number | null, high: number | null, seeds: number[], style: import("./palette.js").LineStyle, label: string}} row
 */
export function intervalRow(range, { mean, low, high, seeds, style, label }) {
  return svg(
    `svg.interval.${colourClass(style)}`,
    { width: "100%", height: 30, role: "img", "aria-label": label },
    ticks(range.low, range.high, 4).map((value) =>
      svg("line.grid", { x1: at(range, value), x2: at(range, value), y1: 0, y2: 30 }),
    ),
    low !== null && high !== null && svg("line.whisker", { x1: at(range, low), x2: at(range, high), y1: 15, y2: 15 }),
    seeds.map((value) => svg("line.seed", { x1: at(range, value), x2: at(range, value), y1: 9.5, y2: 20.5 })),
    mean !== null && svg("circle.mean", { cx: at(range, mean), cy: 15, r: 4.5 }),
  );
}

/** @param {Range} range @param {number} value */
function at(range, value) {
  return `${Math.max(0, Math.min(100, ((value - range.low) / (range.high - range.low)) * 100)).toFixed(2)}%`;
}
