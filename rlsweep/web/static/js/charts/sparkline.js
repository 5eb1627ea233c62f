// A small curve for a table cell.

import { svg } from "../core/dom.js";

const WIDTH = 100;
const HEIGHT = 24;
const AIR = 3;

/** An empty sparkline of the final size, to be drawn later. */
export function sparkline() {
  return svg("svg.sparkline", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
}

/** @param {SVGElement} picture @param {(number | null)[]} values @param {number} [side] room at each end, of a width of 100 */
export function drawSparkline(picture, values, side = AIR) {
  const known = /** @type {number[]} */ (values.filter((value) => value !== null));
  const low = Math.min(...known);
  const range = Math.max(...known) - low || 1;
  let path = "";
  let last = "";
  values.forEach((value, index) => {
    if (value === null) return;
    const x = (side + (index / Math.max(1, values.length - 1)) * (WIDTH - 2 * side)).toFixed(1);
    const y = (HEIGHT - AIR - ((value - low) / range) * (HEIGHT - 2 * AIR)).toFixed(1);
    path += `${path ? "L" : "M"}${x} ${y}`;
    last = `M${x} ${y}h0`;
  });
  if (picture.dataset.path === path) return;
  picture.dataset.path = path;
  picture.replaceChildren(...(path ? [svg("path", { d: path }), svg("path.end", { d: last })] : []));
}
