// The message of a list without rows.

import { byId, fill, html } from "../core/dom.js";

/**
 * Show a message below the list's head. If the same kind is shown already, it stays, with its focus.
 * @param {string} kind name of the message
 * @param {() => (Node | string)[]} content
 */
export function showInstead(kind, content) {
  const place = byId("empty");
  place.hidden = false;
  if (place.dataset.kind === kind) return;
  place.dataset.kind = kind;
  fill(place, ...content());
}

/** Remove the message: the list has rows again. */
export function hideInstead() {
  byId("empty").hidden = true;
}

/** @param {unknown} error @param {Node[]} ways buttons and links with ways out */
export function showFailureInstead(error, ...ways) {
  const message = error instanceof Error ? error.message : String(error);
  showInstead(`failed: ${message}`, () => [
    html("h2", {}, "Cannot show the list"),
    html("p", {}, message),
    ...ways,
  ]);
}
