// A button that opens a panel below it.

import { html } from "../core/dom.js";

/**
 * @param {string} label
 * @param {HTMLElement} panel
 * @param {() => void} opened called each time it opens
 * @returns {HTMLDetailsElement}
 */
export function menu(label, panel, opened) {
  const details = /** @type {HTMLDetailsElement} */ (
    html("details.menu", {}, html("summary.button", {}, label), panel)
  );
  panel.classList.add("menu-panel");
  details.addEventListener("toggle", () => details.open && opened());
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => {
    // what was clicked may have been replaced by now, so its own path tells where it was
    if (details.open && !event.composedPath().includes(details)) details.open = false;
  });
  return details;
}
