// What charts draw alike: their size, and lines with a name that are highlighted together.

import { svg } from "../core/dom.js";
import { colourClass } from "./palette.js";

/** @param {SVGElement} picture @param {number} width in pixels @param {number} height */
export function setSize(picture, width, height) {
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` }))
    picture.setAttribute(name, String(value));
}

/** Highlight one series, and make the others pale; "" for none. @param {SVGElement} picture @param {string} id */
export function highlightSeries(picture, id) {
  picture.classList.toggle("has-highlight", id !== "");
  for (const part of picture.querySelectorAll("[data-series]"))
    part.classList.toggle("is-highlighted", part.getAttribute("data-series") === id);
}

/**
 * A line with its name as a hint, and with more parts, that is highlighted while the pointer is on it.
 * @param {SVGElement} picture
 * @param {{name: string, style: import("./palette.js").LineStyle}} line
 * @param {string} path
 * @param {...import("../core/dom.js").Child} parts
 */
export function namedLine(picture, { name, style }, path, ...parts) {
  const group = svg(
    `g.parallel-line.${colourClass(style)}`,
    { "data-series": name },
    svg("title", {}, name),
    svg("path.wide", { d: path }),
    svg("path.line", { d: path, "stroke-dasharray": style.dash || null }),
    ...parts,
  );
  group.addEventListener("pointerenter", () => highlightSeries(picture, name));
  group.addEventListener("pointerleave", () => highlightSeries(picture, ""));
  return group;
}

/** A dot at each point of a series. @param {import("./line_chart.js").Series} series @param {import("./paths.js").Place} toX @param {import("./paths.js").Place} toY */
export function dots({ id, group, style, x, y }, toX, toY) {
  const dot = `circle.dot.${colourClass(style)}`;
  return x.map((at, index) => {
    const value = y[index];
    return value !== null && svg(dot, { cx: toX(at), cy: toY(value), r: 2, "data-series": group ?? id });
  });
}
