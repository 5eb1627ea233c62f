// What a list shows where it has no rows to show.

import { byId, fill, html } from "../core/dom.js";

/**
 * Show this below the list's head; what stands there already is left as it is, with the focus in it.
 * @param {string} kind names the content
 * @param {() => (Node | string)[]} content
 */
export function showInstead(kind, content) {
  const place = byId("empty");
  place.hidden = false;
  if (place.dataset.kind === kind) return;
  place.dataset.kind = kind;
  fill(place, ...content());
}

/** The list has rows again. */
export function hideInstead() {
  byId("empty").hidden = true;
}

/** @param {unknown} error @param {Node[]} ways what may be tried */
export function showFailureInstead(error, ...ways) {
  const message = error instanceof Error ? error.message : String(error);
  showInstead(`failed: ${message}`, () => [
    html("h2", {}, "Cannot show the list"),
    html("p", {}, message),
    ...ways,
  ]);
}
