// The table of hyperparameters in which the configs differ.

import { csvButton, panelHead } from "../charts/picture_tools.js";
import { swatch } from "../charts/swatch.js";
import { html } from "../core/dom.js";
import { configValue } from "../core/format.js";
import { scrolling } from "../core/scrolling.js";

/** @param {any} report @param {import("./leaderboard.js").Styles} styles @param {string} file */
export function differencesPanel(report, styles, file) {
  const keys = Object.keys(report.configs[0]?.differences ?? {});
  const base = report.configs.find((/** @type {any} */ config) => config.is_base);
  const head = panelHead(
    "What differs",
    keys.length > 0 &&
      csvButton("what differs", `${file}-hyperparameters`, () => ({
        header: ["config", ...keys],
        rows: report.configs.map((/** @type {any} */ config) => [
          config.name,
          ...keys.map((key) => config.differences[key]),
        ]),
      })),
  );
  if (keys.length === 0) {
    const why =
      report.configs.length > 1
        ? "These configs have the same hyperparameters."
        : "There is only one config; nothing to compare.";
    return html("section.panel", { "aria-label": "What differs" }, head, html("p.panel-note", {}, why));
  }
  return html(
    "section.panel",
    { "aria-label": "What differs" },
    head,
    scrolling(
      "Hyperparameters that differ",
      html(
        "table.plain-table",
        {},
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            html("th", { scope: "col" }, "Config"),
            keys.map((key) => html("th.numeric", { scope: "col" }, html("code", {}, key))),
          ),
        ),
        html(
          "tbody",
          {},
          report.configs.map((/** @type {any} */ config) =>
            html(
              "tr",
              {},
              html(
                "th",
                { scope: "row" },
                html(
                  "div.config-name",
                  {},
                  swatch(styles.get(config.name) ?? { index: 0, colour: 0, dash: "" }),
                  html("span", { title: config.name }, html("bdi", {}, config.name)),
                  config.is_base && html("span.tag", {}, "base"),
                ),
              ),
              keys.map((key) => {
                const value = configValue(config.differences[key]);
                const isUsual = base && base !== config && value === configValue(base.differences[key]);
                return html(`td.numeric${isUsual ? ".is-usual" : ".heat"}`, { title: value }, value);
              }),
            ),
          ),
        ),
      ),
    ),
  );
}
