// A range on one vertical axis: chosen by dragging, or with the arrow keys; Escape clears it.

import { html } from "../core/dom.js";

const MIN_DRAG = 4;
const STEP = 0.05;
const FIRST = 0.5;
/** An end so near to that of the axis is meant to be there: the best config lies at the very end. */
const SNAP = 0.03;

/** @typedef {[number, number]} Range low and high end, as shares of the axis's height from its lower end */

export class AxisBrush {
  /**
   * @param {string} label of the axis
   * @param {(range: Range | null) => void} changed
   */
  constructor(label, changed) {
    this.label = label;
    this.changed = changed;
    /** @type {Range | null} */
    this.range = null;
    this.mark = html("span.axis-range", { hidden: true });
    this.element = html(
      "div.axis-brush",
      {
        role: "slider",
        tabindex: 0,
        "aria-label": `Range of ${label}`,
        "aria-orientation": "vertical",
        "aria-valuemin": 0,
        "aria-valuemax": 100,
        title: "Drag to select a range; Escape clears it",
      },
      this.mark,
    );
    this.listen();
    this.show("all");
  }

  /** @param {Range | null} range */
  set(range) {
    this.range = range;
    this.changed(range);
  }

  /** @param {string} text what is selected, in words */
  show(text) {
    const [low, high] = this.range ?? [0, 1];
    this.mark.hidden = this.range === null;
    this.mark.style.insetBlockEnd = `${low * 100}%`;
    this.mark.style.height = `${(high - low) * 100}%`;
    this.element.setAttribute("aria-valuenow", String(Math.round((low + high) * 50)));
    this.element.setAttribute("aria-valuetext", text);
  }

  listen() {
    let from = /** @type {number | null} */ (null);
    const place = (/** @type {PointerEvent} */ event) => {
      const box = this.element.getBoundingClientRect();
      return Math.min(box.height, Math.max(0, box.bottom - event.clientY));
    };
    const drag = (/** @type {PointerEvent} */ event) => {
      if (from === null) return;
      const to = place(event);
      const { height } = this.element.getBoundingClientRect();
      if (Math.abs(to - from) <= MIN_DRAG) return;
      this.set(snapped([Math.min(from, to) / height, Math.max(from, to) / height]));
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = place(event);
      this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", drag);
    this.element.addEventListener("pointerup", (event) => {
      if (from !== null && Math.abs(place(event) - from) <= MIN_DRAG) this.set(null);
      from = null;
    });
    this.element.addEventListener("pointercancel", () => {
      from = null;
    });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  /** Up and down move the range; with Shift they move its upper end. @param {KeyboardEvent} event */
  key(event) {
    const up = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "Escape") this.set(null);
    else if (up === undefined) return;
    else if (this.range === null) this.set(up > 0 ? [FIRST, 1] : [0, FIRST]);
    else {
      const [low, high] = this.range;
      if (event.shiftKey) this.set([low, Math.min(1, Math.max(low + STEP, high + up * STEP))]);
      else {
        const by = Math.max(-low, Math.min(1 - high, up * STEP));
        this.set([low + by, high + by]);
      }
    }
    event.preventDefault();
  }
}

/** @param {Range} range @returns {Range} */
function snapped([low, high]) {
  return [low < SNAP ? 0 : low, high > 1 - SNAP ? 1 : high];
}
