// Badges of status and verdict: a shape, a word and a colour, so that colour is never the only difference.

import { html, icon } from "../core/dom.js";

/** In the order in which filters and counts list them. */
export const STATUSES = ["pending", "running", "completed", "stopped", "failed"];

/** @param {string} status @param {string} [title] */
export function statusBadge(status, title) {
  return html(`span.badge.${status}`, { title }, icon(status), status);
}

/** @param {{kind: string, provisional: boolean}} verdict */
export function verdictBadge(verdict) {
  const kind = verdict.kind.replaceAll(" ", "-");
  return html(
    `span.badge.${kind}`,
    { title: verdict.provisional ? "Provisional: based on one seed, or on runs that have not ended" : null },
    icon(kind),
    verdict.kind,
    verdict.provisional && " (so far)",
  );
}

/** @param {string} status */
export function isUnfinished(status) {
  return status === "pending" || status === "running";
}
