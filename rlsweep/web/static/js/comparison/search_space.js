// The search space that the configs of a sweep were drawn from.

import { html } from "../core/dom.js";
import { scrolling } from "../core/scrolling.js";

/** @param {any} report @returns {HTMLElement | null} */
export function searchSpacePanel(report) {
  const space = report.search_space;
  if (!space) return null;
  const hasConditions = space.keys.some((/** @type {any} */ each) => each.when !== null);
  const table = html(
    "table.plain-table",
    {},
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th", { scope: "col" }, "Hyperparameter"),
        html("th", { scope: "col" }, "Drawn"),
        hasConditions && html("th", { scope: "col" }, "Where"),
      ),
    ),
    html(
      "tbody",
      {},
      space.keys.map((/** @type {any} */ each) =>
        html(
          "tr",
          {},
          html("th", { scope: "row" }, html("code", {}, each.key)),
          html("td", {}, each.drawn),
          hasConditions && html("td", {}, each.when === null ? "always" : html("code", {}, each.when)),
        ),
      ),
    ),
  );
  return html(
    "section.panel",
    { id: "search-space", "aria-label": "Search space" },
    html("h2", {}, "Search space"),
    html("p.panel-note", {}, space.text),
    scrolling("Search space, scrolls sideways", table),
    space.constraints.length > 0 &&
      html(
        "p.panel-note",
        {},
        "Every config fulfils ",
        space.constraints.map((/** @type {string} */ text, /** @type {number} */ place) => [
          place > 0 && " and ",
          html("code", {}, text),
        ]),
        ".",
      ),
  );
}
