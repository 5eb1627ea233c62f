// How belief and risk moved in a race, and where its budget went; the decision card has its answer.

import { ChartCard } from "../charts/card.js";
import { colourClass } from "../charts/palette.js";
import { swatch } from "../charts/swatch.js";
import { html } from "../core/dom.js";
import { compact, percent, plural, reward } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { scrolling } from "../core/scrolling.js";

/** @typedef {Map<string, import("../charts/palette.js").LineStyle>} Styles */

const PLAIN = { index: 0, colour: 0, dash: "" };

export class RacePanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    this.budget = html("div");
    this.belief = new ChartCard({ title: "Belief of each config's score", file: `${file}-belief`, legend: true });
    this.risk = new ChartCard({ title: "Risk of a wrong choice", file: `${file}-risk` });
    this.charts = html("div.two-up", {}, this.belief.element, this.risk.element);
    this.element = html("div.stack", {}, this.charts, this.budget);
    this.element.hidden = true;
  }

  /** @param {any} report its race is null for a sweep that is no race @param {Styles} styles */
  update(report, styles) {
    const race = report.race;
    this.element.hidden = !race;
    if (!race) return;
    refill(this.budget, budgetPanel(race, styles));
    const known = race.decisions.filter((/** @type {any} */ each) => each.risk !== null);
    this.charts.hidden = known.length === 0;
    const numbers = known.map((/** @type {any} */ each) => each.number);
    this.belief.setNote("Expected score after each decision, from whole runs and from scores at the rung.");
    this.belief.update({
      axis: "decision",
      format: reward,
      series: race.configs.map((/** @type {any} */ config, /** @type {number} */ place) => ({
        id: config.name,
        name: config.name,
        style: styles.get(config.name) ?? PLAIN,
        x: numbers,
        y: known.map((/** @type {any} */ each) => each.beliefs[place] ?? null),
      })),
    });
    this.risk.setNote(`The race stops at ${percent(1 - race.confidence)}, or at its cap.`);
    this.risk.update({
      axis: "decision",
      format: (value) => (value === null ? "–" : percent(value)),
      within: [0, 1],
      series: [
        {
          id: "risk",
          name: "Risk",
          style: PLAIN,
          x: numbers,
          y: known.map((/** @type {any} */ each) => each.risk),
        },
      ],
    });
  }
}

/** @param {any} race @param {Styles} styles */
function budgetPanel(race, styles) {
  const most = Math.max(1, ...race.configs.map((/** @type {any} */ config) => config.env_steps));
  const rows = race.configs.map((/** @type {any} */ config) => {
    const style = styles.get(config.name) ?? PLAIN;
    const bar = html("span.meter-bar");
    bar.style.width = `${(100 * config.env_steps) / most}%`;
    return html(
      `tr.${colourClass(style)}`,
      {},
      html("th", { scope: "row" }, html("span.config-name", {}, swatch(style), html("span", { title: config.name }, config.name))),
      html("td.numeric", {}, config.belief === null ? "–" : reward(config.belief)),
      html("td.numeric", {}, plural(config.runs, "whole run")),
      html("td.numeric", {}, config.paused ? `${config.paused} paused` : ""),
      html("td.numeric", {}, compact(config.env_steps)),
      html("td.interval-cell", {}, html("span.meter.wide", {}, bar)),
    );
  });
  const table = html(
    "table.leaderboard",
    {},
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th", { scope: "col" }, "Config"),
        html("th.numeric", { scope: "col" }, "Belief"),
        html("th.numeric", { scope: "col" }, "Runs"),
        html("th.numeric", { scope: "col" }, "At the rung"),
        html("th.numeric", { scope: "col" }, "Env steps"),
        html("th", { scope: "col" }, html("span.visually-hidden", {}, "Share of the most")),
      ),
    ),
    html("tbody", {}, rows),
  );
  return html(
    "section.panel.flush",
    { "aria-label": "Where the budget went" },
    html("div.panel-pad", {}, html("h2", {}, "Where the budget went")),
    scrolling("Where the budget went, scrolls sideways", table),
  );
}
