// Findings about all runs together, and the suggested next commands.

import { commandLine } from "../core/copying.js";
import { html } from "../core/dom.js";

/** Commands that only open these pages. */
const HERE = /^rlsweep serve\b/;

/** @param {any} report @returns {HTMLElement | null} */
export function findingsPanel(report) {
  const steps = report.next_steps.filter((/** @type {any} */ step) => !HERE.test(step.command));
  if (report.findings.length + steps.length === 0) return null;
  return html(
    "section.panel",
    { "aria-label": "Findings" },
    html(
      "div.findings",
      {},
      report.findings.length > 0 &&
        html(
          "div",
          {},
          html("h2", {}, "What the results show"),
          html(
            "ul.finding-list",
            {},
            report.findings.map((/** @type {string} */ text) => html("li", {}, html("span", {}, text))),
          ),
        ),
      steps.length > 0 &&
        html(
          "div",
          {},
          html("h2", {}, "Next"),
          html(
            "ol.next-steps",
            {},
            steps.map((/** @type {any} */ step) =>
              html(
                "li",
                {},
                html("p", {}, step.text.replace(/^Or in /, "In ")),
                commandLine(step.command, `the command: ${step.text}`),
              ),
            ),
          ),
        ),
    ),
  );
}
