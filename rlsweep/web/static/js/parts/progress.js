// Progress in the lists: a bar, and on narrow screens, whose tables have no column for it, a bar below the status.

import { html, setText } from "../core/dom.js";
import { percent } from "../core/format.js";
import { isUnfinished } from "./badges.js";

/** An empty bar. */
export function progressBar() {
  return html("span.progress", {}, html("span.progress-bar"));
}

/**
 * @param {HTMLElement} bar
 * @param {{progress: number | null, status: string}} record of a run or sweep; a bar is shown while it has training ahead
 */
export function showProgress(bar, { progress, status }) {
  bar.hidden = progress === null || !(isUnfinished(status) || status === "paused");
  /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${(progress ?? 0) * 100}%`;
}

/** What stands below a status. */
export function statusProgress() {
  return html("span.status-progress", {}, progressBar(), html("span.cell-text"));
}

/** @param {HTMLElement} below @param {{progress: number | null, status: string}} record */
export function showStatusProgress(below, record) {
  const [bar, text] = /** @type {HTMLElement[]} */ ([...below.children]);
  showProgress(bar, record);
  below.hidden = bar.hidden;
  setText(text, percent(record.progress));
}
