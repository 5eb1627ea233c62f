// The small panel next to the cursor with the values of the lines there.

import { html } from "../core/dom.js";
import { swatch } from "./swatch.js";
import { AXES } from "./ticks.js";

const MAX_LINES = 14;
const BESIDE_PX = 14;

/** @typedef {{series: import("./line_chart.js").Series, index: number, value: number}} Reading */

export class Readout {
  /** @param {number} top in pixels */
  constructor(top) {
    this.top = top;
    this.element = html("div.readout", { hidden: true, "aria-hidden": "true" });
  }

  /**
   * @param {number} x the value
   * @param {Reading[]} readings
   * @param {import("./line_chart.js").Content} content
   * @param {number} at x position of the cursor in pixels
   * @param {number} room width of the chart in pixels
   */
  show(x, readings, { axis, format }, at, room) {
    const sorted = [...readings].sort((one, other) => other.value - one.value);
    const left = sorted.length - MAX_LINES;
    this.element.replaceChildren(
      html(
        "div.readout-head",
        {},
        axis === "seconds" ? AXES[axis].value(x) : `${AXES[axis].value(x)} ${AXES[axis].label}`,
      ),
      ...sorted.slice(0, MAX_LINES).map((reading) => readoutLine(reading, format)),
      ...(left > 0 ? [html("div.readout-head", {}, `and ${left} more`)] : []),
    );
    this.element.hidden = false;
    const width = this.element.offsetWidth;
    const isRoom = at + BESIDE_PX + width <= room;
    this.element.style.transform = `translate(${isRoom ? at + BESIDE_PX : Math.max(0, at - width - BESIDE_PX)}px, ${this.top}px)`;
  }
}

/** @param {Reading} reading @param {(value: number | null) => string} format */
function readoutLine({ series, index, value }, format) {
  const low = series.low?.[index];
  const high = series.high?.[index];
  const range = typeof low === "number" && typeof high === "number" ? `${format(low)} … ${format(high)}` : "";
  return html(
    "div.readout-line",
    {},
    swatch(series.style),
    html("span.readout-name", {}, series.name),
    html("span.readout-value", {}, format(value)),
    html("span.readout-range", {}, range),
  );
}
