// A line chart as SVG for any data: bands, lines, a readout at the cursor, zoom by dragging.

import { html, setText, svg } from "../core/dom.js";
import { dots, highlightSeries, setSize } from "./drawing.js";
import { colourClass } from "./palette.js";
import { bandPath, linePath } from "./paths.js";
import { central, held, lastOf, nearest, span } from "./ranges.js";
import { Readout } from "./readout.js";
import { AXES, tickLabels, ticks } from "./ticks.js";

/**
 * @typedef {object} Series
 * @property {string} id
 * @property {string} name shown in the legend and the readout
 * @property {import("./palette.js").LineStyle} style
 * @property {number[]} x in ascending order
 * @property {(number | null)[]} y
 * @property {(number | null)[] | null} [low] lower edge of the band
 * @property {(number | null)[] | null} [high] upper edge of the band
 * @property {string} [group] id of the series that it belongs to; both are hidden together
 * @property {boolean} [faint] drawn thin and pale, and not shown in the readout
 * @property {boolean} [bandOnly] no line, only the band
 */

/**
 * @typedef {object} Content
 * @property {Series[]} series
 * @property {import("./ticks.js").AxisName} axis
 * @property {(value: number | null) => string} format of the y values
 * @property {(value: number) => string} [tick] format of the y axis's labels; default by their range
 * @property {[number, number]} [within] limits of the y axis
 * @property {boolean} [zero] the y axis has 0 on it, with a line
 * @property {number[]} [rungs] places on the x axis at which runs wait, each with a thin line
 */

const MARGIN = { top: 8, right: 14, bottom: 38, left: 52 };
const LETTER = 6.6;
const FEW_POINTS = 40;
const MIN_DRAG = 6;
/** With more bands than this, all are drawn paler; with more than a crowd, only that of the highlighted series. */
const MANY_BANDS = 5;
export const CROWD = 8;
/** A band may extend the y axis on each side by this fraction of the lines' range: bands of two seeds are very wide. */
const BAND_ROOM = 0.45;

export class LineChart {
  /** @param {{label: string, height: number, onZoom?: (isZoomed: boolean) => void}} options */
  constructor({ label, height, onZoom = () => {} }) {
    this.label = label;
    this.height = height;
    this.onZoom = onZoom;
    /** @type {Content} */
    this.content = { series: [], axis: "env_steps", format: String };
    /** @type {Set<string>} */
    this.hidden = new Set();
    /** @type {[number, number] | null} */
    this.zoomed = null;
    this.highlighted = "";
    /** @type {import("./paths.js").Place} */
    this.toX = Number;
    /** @type {import("./paths.js").Place} */
    this.toY = Number;
    /** @type {import("./paths.js").Place} the inverse, from pixels to a value */
    this.fromX = Number;
    this.width = 0;
    this.readoutAt = /** @type {number | null} */ (null);
    this.picture = svg("svg.chart", { role: "img", "aria-label": label });
    this.readout = new Readout(MARGIN.top);
    this.spoken = html("div.visually-hidden", { "aria-live": "polite" });
    this.element = html(
      "div.chart-area",
      { tabindex: 0, role: "group", "aria-label": `${label}: chart. Arrow keys read it, Escape resets the zoom.` },
      this.picture,
      this.readout.element,
      this.spoken,
    );
    this.element.style.height = `${height}px`;
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** @param {Content} content */
  update(content) {
    if (content.axis !== this.content.axis) this.zoom(null);
    this.content = content;
    this.draw();
  }

  /** @param {number} height */
  setHeight(height) {
    this.height = height;
    this.element.style.height = `${height}px`;
    this.draw();
  }

  /** @param {Set<string>} hidden ids of series that are left out */
  hide(hidden) {
    this.hidden = hidden;
    this.draw();
  }

  /** Highlight one series; "" for none. @param {string} id */
  highlight(id) {
    this.highlighted = id;
    highlightSeries(this.picture, id);
  }

  /** @param {[number, number] | null} range of x */
  zoom(range) {
    if (range === null && this.zoomed === null) return;
    this.zoomed = range;
    this.onZoom(range !== null);
    this.draw();
  }

  resize() {
    const width = Math.floor(this.element.clientWidth);
    if (width === this.width || width === 0) return;
    this.width = width;
    this.draw();
  }

  get shown() {
    return this.content.series.filter((series) => !this.hidden.has(series.id));
  }

  draw() {
    if (this.width === 0) return;
    const { width, height } = this;
    const inner = {
      width: Math.max(10, width - MARGIN.left - MARGIN.right),
      height: height - MARGIN.top - MARGIN.bottom,
    };
    const [x0, x1] =
      this.zoomed ??
      span(
        this.shown.flatMap((series) => [series.x[0], series.x[series.x.length - 1]]),
        0,
      );
    const [y0, y1] = this.yRange(x0, x1);
    this.toX = (/** @type {number} */ value) => MARGIN.left + ((value - x0) / (x1 - x0 || 1)) * inner.width;
    this.fromX = (/** @type {number} */ place) => x0 + ((place - MARGIN.left) / inner.width) * (x1 - x0);
    this.toY = (/** @type {number} */ value) =>
      MARGIN.top + inner.height - ((value - y0) / (y1 - y0 || 1)) * inner.height;
    const clip = `clip-${LineChart.#count++}`;
    this.picture.replaceChildren(
      svg(
        "defs",
        {},
        svg(
          "clipPath",
          { id: clip },
          svg("rect", { x: MARGIN.left, y: MARGIN.top - 2, width: inner.width + 1, height: inner.height + 4 }),
        ),
      ),
      this.axes([x0, x1], [y0, y1], inner),
      svg("g.marks", { "clip-path": `url(#${clip})` }, this.marks()),
      svg("line.cursor", { y1: MARGIN.top, y2: MARGIN.top + inner.height, visibility: "hidden" }),
      svg("g.cursor-dots"),
      svg("rect.brush", { y: MARGIN.top, height: inner.height, visibility: "hidden" }),
    );
    setSize(this.picture, width, height);
    this.picture.setAttribute("aria-label", this.summary());
    const bands = this.shown.filter((series) => series.low).length;
    this.picture.classList.toggle("has-many", bands > MANY_BANDS);
    this.picture.classList.toggle("has-crowd", bands > CROWD);
    if (this.highlighted) this.highlight(this.highlighted);
    if (this.readoutAt !== null) this.read(this.readoutAt);
  }

  static #count = 0;

  /** @param {number} x0 @param {number} x1 @returns {[number, number]} */
  yRange(x0, x1) {
    const values = [];
    const edges = [];
    for (const series of this.shown) {
      for (let index = 0; index < series.x.length; index += 1) {
        if (series.x[index] < x0 || series.x[index] > x1) continue;
        if (!series.bandOnly) values.push(series.y[index]);
        if (series.low && series.high) edges.push(series.low[index], series.high[index]);
      }
    }
    const hasLines = values.some((value) => typeof value === "number");
    const isEnvelope = this.content.series.some((series) => series.bandOnly);
    const bands = isEnvelope || !hasLines ? edges : held(central(edges), span(values, BAND_ROOM));
    const [low, high] = span([...values, ...bands, ...(this.content.zero ? [0] : [])], 0.04);
    const [least, most] = this.content.within ?? [-Infinity, Infinity];
    return [Math.max(low, least), Math.min(high, most)];
  }

  /** @param {[number, number]} xs @param {[number, number]} ys @param {{width: number, height: number}} inner */
  axes(xs, ys, inner) {
    const axis = AXES[this.content.axis];
    const across = axis.ticks(xs[0], xs[1], Math.max(3, Math.floor(inner.width / 90)));
    const up = ticks(ys[0], ys[1], Math.max(3, Math.floor(inner.height / 46)));
    const bottom = MARGIN.top + inner.height;
    const acrossLabels = axis.labels(across);
    const upLabels = this.content.tick ? up.map(this.content.tick) : tickLabels(up);
    return svg(
      "g.axes",
      { "aria-hidden": "true" },
      (this.content.rungs ?? [])
        .filter((value) => value > xs[0] && value < xs[1])
        .map((value) =>
          svg("line.rung", { x1: this.toX(value), x2: this.toX(value), y1: MARGIN.top, y2: bottom }),
        ),
      up.map((value, index) => [
        svg("line.grid", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: this.toY(value), y2: this.toY(value) }),
        svg("text.tick", { x: MARGIN.left - 8, y: this.toY(value) + 3.5, "text-anchor": "end" }, upLabels[index]),
      ]),
      svg("line.axis", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: bottom, y2: bottom }),
      this.content.zero &&
        svg("line.zero", { x1: MARGIN.left, x2: MARGIN.left + inner.width, y1: this.toY(0), y2: this.toY(0) }),
      across.map((value, index) => [
        svg("line.axis", { x1: this.toX(value), x2: this.toX(value), y1: bottom, y2: bottom + 4 }),
        svg("text.tick", { x: this.within(value, acrossLabels[index]), y: bottom + 17, "text-anchor": "middle" }, acrossLabels[index]),
      ]),
      svg("text.axis-name", { x: MARGIN.left + inner.width, y: bottom + 31, "text-anchor": "end" }, `${axis.label} →`),
    );
  }

  /** Where the middle of a label stands, so that it does not end outside. @param {number} value @param {string} label */
  within(value, label) {
    return Math.min(this.toX(value), this.width - (label.length * LETTER) / 2);
  }

  marks() {
    const ordered = [...this.shown].sort((one, other) => Number(other.faint ?? false) - Number(one.faint ?? false));
    return [
      ordered
        .filter((series) => series.low && series.high)
        .map((series) =>
          svg(`path.band.${colourClass(series.style)}${series.faint ? ".faint" : ""}`, {
            d: bandPath(series, this.toX, this.toY),
            "data-series": series.group ?? series.id,
          }),
        ),
      ordered
        .filter((series) => !series.bandOnly)
        .map((series) => [
          svg(`path.line.${colourClass(series.style)}${series.faint ? ".faint" : ""}`, {
            d: linePath(series, this.toX, this.toY),
            "data-series": series.group ?? series.id,
            "stroke-dasharray": series.style.dash || null,
          }),
          series.x.length <= FEW_POINTS && !series.faint && dots(series, this.toX, this.toY),
        ]),
    ];
  }

  summary() {
    const lines = this.shown.filter((series) => !series.faint && series.x.length);
    const ends = lines.slice(0, 8).map((series) => `${series.name} ends at ${this.content.format(lastOf(series.y))}`);
    return lines.length
      ? `${this.label} over ${AXES[this.content.axis].label}. ${ends.join("; ")}.`
      : `${this.label}: nothing to show yet.`;
  }

  listen() {
    let from = /** @type {number | null} */ (null);
    const place = (/** @type {PointerEvent} */ event) => event.clientX - this.element.getBoundingClientRect().left;
    this.element.addEventListener("pointermove", (event) => {
      if (from !== null) this.brush(from, place(event));
      this.read(place(event));
    });
    this.element.addEventListener("pointerleave", () => {
      if (from === null) this.stopReading();
    });
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      from = place(event);
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointerup", (event) => {
      const to = place(event);
      if (from !== null && Math.abs(to - from) > MIN_DRAG) {
        this.zoom(/** @type {[number, number]} */ ([from, to].map(this.fromX).sort((one, other) => one - other)));
      }
      from = null;
      this.brush(0, 0);
    });
    this.element.addEventListener("dblclick", () => this.zoom(null));
    this.element.addEventListener("blur", () => this.stopReading());
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -12, ArrowRight: 12 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const at = this.readoutAt ?? (step > 0 ? MARGIN.left : this.width - MARGIN.right);
      this.read(Math.min(this.width - MARGIN.right, Math.max(MARGIN.left, at + step)));
      setText(this.spoken, this.readout.element.textContent ?? "");
    } else if (event.key === "Escape") {
      this.zoom(null);
      this.stopReading();
    }
  }

  /** @param {number} from @param {number} to */
  brush(from, to) {
    const brush = this.picture.querySelector(".brush");
    if (!brush) return;
    brush.setAttribute("x", String(Math.min(from, to)));
    brush.setAttribute("width", String(Math.abs(to - from)));
    brush.setAttribute("visibility", Math.abs(to - from) > MIN_DRAG ? "visible" : "hidden");
  }

  /** Show the values at an x position. @param {number} at in pixels */
  read(at) {
    if (this.width === 0) return undefined;
    if (at < MARGIN.left - 4 || at > this.width - MARGIN.right + 4) return this.stopReading();
    const wanted = this.fromX(at);
    const found = [];
    for (const series of this.shown) {
      if (series.faint || series.x.length === 0) continue;
      const index = nearest(series.x, wanted);
      const x = this.toX(series.x[index]);
      const value = series.y[index];
      if (value !== null && value !== undefined && Math.abs(x - at) < 40) found.push({ series, index, x, value });
    }
    if (found.length === 0) return this.stopReading();
    this.readoutAt = at;
    const closest = found.reduce((best, each) => (Math.abs(each.x - at) < Math.abs(best.x - at) ? each : best));
    const cursor = this.picture.querySelector(".cursor");
    for (const name of ["x1", "x2"]) cursor?.setAttribute(name, String(closest.x));
    cursor?.setAttribute("visibility", "visible");
    this.picture.querySelector(".cursor-dots")?.replaceChildren(
      ...found.map(({ series, x, value }) =>
        svg(`circle.dot.${colourClass(series.style)}`, {
          cx: x,
          cy: this.toY(value),
          r: 3.2,
        }),
      ),
    );
    this.readout.show(closest.series.x[closest.index], found, this.content, at, this.width);
    return undefined;
  }

  stopReading() {
    this.readoutAt = null;
    this.readout.element.hidden = true;
    this.picture.querySelector(".cursor")?.setAttribute("visibility", "hidden");
    this.picture.querySelector(".cursor-dots")?.replaceChildren();
  }
}
