// A chart of marks: the pointer reads the nearest one, and the arrow keys go from one to the next.

import { html, setText, svg } from "../core/dom.js";

const BESIDE_PX = 14;

/** @typedef {{x: number, y: number}} Mark where it stands, in pixels */

/** A subclass draws its marks, and fills the readout for one of them. */
export class MarkedChart {
  /**
   * @param {{label: string, kind: string, reach: number, flatness?: number}} options
   * label: of the chart; kind: what a mark stands for, in one word; reach: pixels within which the pointer reads a mark;
   * flatness: how much less a distance counts up and down than sideways
   */
  constructor({ label, kind, reach, flatness = 1 }) {
    this.label = label;
    this.reach = reach;
    this.flatness = flatness;
    this.width = 0;
    /** Place of the mark that is read; -1 for none. */
    this.at = -1;
    /** @type {Mark[]} in the order of the arrow keys */
    this.placed = [];
    this.picture = svg("svg.chart", { role: "img", "aria-label": label });
    this.readout = html("div.readout", { hidden: true, "aria-hidden": "true" });
    this.spoken = html("div.visually-hidden", { "aria-live": "polite" });
    this.element = html(
      "div.chart-area",
      { tabindex: 0, role: "group", "aria-label": `${label}: chart. Arrow keys go from ${kind} to ${kind}.` },
      this.picture,
      this.readout,
      this.spoken,
    );
    this.listen();
    new ResizeObserver(() => this.resize()).observe(this.element);
  }

  /** Draw all marks; called whenever the width changes. */
  draw() {
    throw new Error("a subclass draws");
  }

  /** Show one mark in the readout. @param {number} _at place of the mark */
  read(_at) {
    throw new Error("a subclass reads");
  }

  /** Show no mark. */
  stopReading() {
    this.at = -1;
    this.readout.hidden = true;
  }

  resize() {
    const width = Math.floor(this.element.clientWidth);
    if (width === this.width || width === 0) return;
    this.width = width;
    this.draw();
  }

  /** Read on after the marks were drawn anew. */
  readAgain() {
    if (this.at >= 0) this.read(Math.min(this.at, this.placed.length - 1));
  }

  /** Show the filled readout on the side of a mark that has room. @param {number} x of the mark @param {(height: number) => number} topOf */
  showReadout(x, topOf) {
    this.readout.hidden = false;
    const { offsetWidth: width, offsetHeight: height } = this.readout;
    const left = x + BESIDE_PX + width <= this.width ? x + BESIDE_PX : Math.max(0, x - width - BESIDE_PX);
    this.readout.style.transform = `translate(${left}px, ${topOf(height)}px)`;
  }

  listen() {
    this.element.addEventListener("pointermove", (event) => this.readNear(event));
    this.element.addEventListener("pointerdown", (event) => this.readNear(event));
    this.element.addEventListener("pointerleave", () => this.stopReading());
    this.element.addEventListener("blur", () => this.stopReading());
    this.element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step !== undefined && this.placed.length) {
        event.preventDefault();
        const from = this.at < 0 ? (step > 0 ? -1 : this.placed.length) : this.at;
        this.read(Math.min(this.placed.length - 1, Math.max(0, from + step)));
        setText(this.spoken, this.readout.textContent ?? "");
      } else if (event.key === "Escape") {
        this.stopReading();
      }
    });
  }

  /** @param {PointerEvent} event */
  readNear(event) {
    const frame = this.element.getBoundingClientRect();
    const x = event.clientX - frame.left;
    const y = event.clientY - frame.top;
    const distances = this.placed.map((each) => Math.hypot(each.x - x, (each.y - y) / this.flatness));
    const nearest = distances.indexOf(Math.min(...distances));
    if (nearest < 0 || distances[nearest] > this.reach) this.stopReading();
    else this.read(nearest);
  }
}
