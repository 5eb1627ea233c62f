// The rungs of a sweep with ASHA: which configs came to each, how they scored there, and which of them went on.

import { swatch } from "../charts/swatch.js";
import { html } from "../core/dom.js";
import { full, reward } from "../core/format.js";
import { scrolling } from "../core/scrolling.js";

const PLAIN = { index: 0, colour: 0, dash: "" };
const MOST_NAMED = 5;

/**
 * Where the rungs are on the axis of the curves that the budget counts.
 * @param {any} report @returns {{axis: string, at: number[]}}
 */
export function rungsOf(report) {
  const { asha, budget } = report;
  if (!asha) return { axis: "", at: [] };
  const [axis, whole] = budget.episodes ? ["episode", budget.episodes] : ["env_steps", budget.total_timesteps];
  return { axis, at: asha.rungs.map((/** @type {any} */ rung) => rung.share * whole) };
}

/** @param {any} asha @param {Map<string, import("../charts/palette.js").LineStyle>} styles */
export function rungsPanel(asha, styles) {
  const objective = asha.objective.replaceAll("_", " ");
  const rows = asha.rungs.map((/** @type {any} */ rung) => {
    const ahead = rung.configs.filter((/** @type {any} */ config) => config.goes_on).length;
    const isTop = rung.number === asha.rungs.length;
    return html(
      "tr",
      {},
      html("th", { scope: "row" }, `Rung ${rung.number} (${rung.at})`),
      html("td.numeric", {}, full(rung.configs.length)),
      html("td.numeric", {}, isTop ? "–" : full(ahead)),
      html("td.numeric", {}, isTop ? "–" : full(rung.configs.length - ahead)),
      html(
        "td",
        {},
        rung.configs.slice(0, MOST_NAMED).map((/** @type {any} */ config) =>
          html(
            "div.config-name",
            {},
            html("span.numeric", {}, config.score === null ? "no score" : reward(config.score)),
            swatch(styles.get(config.name) ?? PLAIN),
            html("span", { title: config.name }, config.name),
          ),
        ),
      ),
    );
  });
  const heads = ["Came", "Went on", "Wait"].map((text) => html("th.numeric", { scope: "col" }, text));
  return html(
    "section.panel",
    { "aria-label": "Rungs" },
    html("h2", {}, "Rungs"),
    html(
      "p.panel-note",
      {},
      `The best 1/${asha.reduction} of the configs at a rung train on, by ${objective} there, mean over seeds. The first ${MOST_NAMED} are named.`,
    ),
    scrolling(
      "Rungs, scrolls sideways",
      html(
        "table.plain-table",
        {},
        html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "Rung"), heads, html("th", { scope: "col" }, "Best there, with the score"))),
        html("tbody", {}, rows),
      ),
    ),
  );
}
