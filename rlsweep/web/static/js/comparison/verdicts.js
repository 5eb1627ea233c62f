// The verdict on each config, its reasons, and its signs with their values.

import { swatch } from "../charts/swatch.js";
import { html, icon } from "../core/dom.js";
import { verdictBadge } from "../parts/badges.js";

/** @param {any} report @param {import("./leaderboard.js").Styles} styles */
export function verdictsPanel(report, styles) {
  return html(
    "section",
    { "aria-label": "Verdicts and signs" },
    html(
      "div.section-head",
      {},
      html("h2", {}, "Verdicts and signs"),
      html("p.panel-note", {}, "Each sign shows its figure."),
    ),
    html(
      "div.verdicts",
      {},
      report.configs.map((/** @type {any} */ config) =>
        html(
          "article.panel",
          {},
          html(
            "div.verdict-head",
            {},
            html(
              "h3.config-name",
              {},
              swatch(styles.get(config.name) ?? { index: 0, colour: 0, dash: "" }),
              html("span", { title: config.name }, html("bdi", {}, config.name)),
            ),
            verdictBadge(config.verdict),
          ),
          html(
            "ul.verdict-reasons",
            {},
            config.verdict.reasons.map((/** @type {string} */ reason) => html("li", {}, sentence(reason))),
          ),
          config.signs.length > 0 && html("ul.signs", {}, config.signs.map(sign)),
        ),
      ),
    ),
  );
}

/** @param {any} sign */
function sign({ good, text }) {
  const open = text.indexOf(" (");
  const [what, figure] = open > 0 ? [text.slice(0, open), text.slice(open + 1)] : [text, ""];
  return html(
    `li.${good ? "good" : "warning"}`,
    {},
    icon(good ? "check" : "alert", "small"),
    html(
      "span",
      {},
      html("span.visually-hidden", {}, good ? "Good: " : "Warning: "),
      sentence(what),
      figure && html("span.sign-figure", {}, ` ${figure}`),
    ),
  );
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
