// Badges of status and verdict: a shape, a word and a colour, so that colour is never the only difference.

import { html, icon } from "../core/dom.js";
import { full, percent, plural } from "../core/format.js";

/** In the order in which filters and counts list them. */
export const STATUSES = ["pending", "running", "paused", "completed", "stopped", "failed"];

/** @param {string} status @param {string} [title] @param {string} [text] what the badge says; by default the status */
export function statusBadge(status, title, text = status) {
  return html(`span.badge.${status}`, { title }, icon(status), text);
}

/**
 * What the status of a run says: of one that waits at a rung of ASHA, at which.
 * @param {{status: string, rung: number | null}} run
 */
export function statusText({ status, rung }) {
  return status === "paused" && rung ? `waits at rung ${rung}` : status;
}

const MEANINGS = /** @type {Record<string, string>} */ ({
  "not started": "It was stopped before its first run began.",
  failed: "Most of its runs ended with an error.",
  unstable: "It fell back, its seeds ended far apart, its updates were far too large, or a loss became NaN.",
  "not improving": "The gain from the first to the last fifth is too small to matter.",
  "clearly worse":
    "The best config is significantly better, and this one falls short by over a quarter of the way to it.",
  promising: "It learned, it beats its rival in most pairs of seeds, and no config is significantly better.",
  undecided: "None of the other verdicts; the reason says what would decide.",
});

/** @param {{kind: string, provisional: boolean}} verdict */
export function verdictBadge(verdict) {
  const kind = verdict.kind.replaceAll(" ", "-");
  const doubt = verdict.provisional ? " Provisional: based on one seed, or on runs that have not ended." : "";
  return html(
    `span.badge.${kind}`,
    { title: `${MEANINGS[verdict.kind] ?? ""}${doubt}` },
    icon(kind),
    verdict.kind,
    verdict.provisional && " (so far)",
  );
}

/** The badge of a run, whose title tells why it is in its status, where that is known. @param {any} run */
export function runBadge(run) {
  const stops = run.stop_requested && isUnfinished(run.status);
  const done = run.budget.episodes ? plural(run.episodes, "episode") : `${full(run.env_steps)} env steps`;
  const pause = run.status === "paused" ? `At ${percent(run.pause_at)} of its budget: ${done}` : undefined;
  return statusBadge(run.status, run.error ?? (stops ? "Asked to stop" : pause), statusText(run));
}

/** @param {string} status */
export function isUnfinished(status) {
  return status === "pending" || status === "running";
}
