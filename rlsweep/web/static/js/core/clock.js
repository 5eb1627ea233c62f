// The page's clock: it updates relative times and the durations of running runs between two answers of the server.

import { absolute, ago, duration } from "./format.js";
import { html, setText } from "./dom.js";

/**
 * A relative time with the absolute one in its title.
 * @param {string | null | undefined} iso
 * @returns {HTMLElement | string}
 */
export function time(iso) {
  if (!iso) return "–";
  const element = html("time", { datetime: iso, title: absolute(iso) });
  setText(element, ago(iso, Date.now()));
  return element;
}

/**
 * Show a duration in an element; if it is running, it counts up.
 * @param {HTMLElement} element
 * @param {number | null | undefined} seconds so far
 * @param {boolean} isRunning
 */
export function showDuration(element, seconds, isRunning) {
  if (isRunning && seconds !== null && seconds !== undefined) {
    element.dataset.origin = String(Date.now() - seconds * 1000);
  } else {
    delete element.dataset.origin;
  }
  setText(element, duration(seconds));
}

function tick() {
  if (document.hidden) return;
  const now = Date.now();
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-origin]"))) {
    setText(element, duration((now - Number(element.dataset.origin)) / 1000));
  }
  for (const element of document.querySelectorAll("time[datetime]")) {
    setText(element, ago(element.getAttribute("datetime") ?? "", now));
  }
}

window.setInterval(tick, 1000);
