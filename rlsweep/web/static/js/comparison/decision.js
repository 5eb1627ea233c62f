// The decision card of a sweep: what to take, why, with which risk, what would make that surer, and what it gains.

import { ChartCard } from "../charts/card.js";
import { ApiError, get, isAbort } from "../core/api.js";
import { commandLine } from "../core/copying.js";
import { html } from "../core/dom.js";
import { refill } from "../core/keyed.js";
import { curveMetric, differenceSeries } from "./difference_series.js";

export class DecisionPanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    this.text = html("div.decision-text");
    this.chart = new ChartCard({ title: "Difference", file: `${file}-decision`, height: 230 });
    this.beside = html("div.decision-chart", {}, this.chart.element);
    this.element = html(
      "section.panel.decision",
      { id: "decision", "aria-labelledby": "decision-heading" },
      this.text,
      this.beside,
    );
    this.element.hidden = true;
  }

  /** @param {any} report it has a card if it is of a sweep */
  update(report) {
    const { card } = report;
    this.element.hidden = !card;
    if (!card) return;
    this.element.classList.toggle("is-claimed", card.is_claimed || card.is_winner);
    refill(this.text, heading(card), linesOf(card), card.to_be_sure.length > 0 && stepsOf(card));
    this.beside.hidden = !card.against;
  }

  /**
   * Draw the choice's difference over env steps.
   * @param {any} report
   * @param {string} sweep
   * @param {import("./leaderboard.js").Styles} styles
   */
  async load(report, sweep, styles) {
    if (!report.card?.against) return;
    try {
      await this.draw(report, sweep, styles);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError) || error.isPassing) throw error;
      this.chart.setNote(`Cannot show this difference: ${error.message}`);
    }
  }

  /** @param {any} report @param {string} sweep @param {import("./leaderboard.js").Styles} styles */
  async draw({ card, scored_by }, sweep, styles) {
    const metric = curveMetric(scored_by.objective);
    const answer = await get(`/sweeps/${encodeURIComponent(sweep)}/differences`, {
      metric: metric.name,
      to: card.against.name,
      config: card.take,
      points: 200,
    });
    if (answer === this.drawn) return;
    this.drawn = answer;
    const to = card.against.is_base ? `base config ${card.against.name}` : `runner-up ${card.against.name}`;
    this.chart.rename(`${metric.label}: ${card.take} less the ${to}`);
    const [curve] = answer.configs;
    const ahead = scored_by.direction === "down" ? "Below" : "Above";
    this.chart.setNote(
      curve
        ? `By equal seeds; ${curve.interval ? `band: ${curve.interval}` : "one seed has no band"}. ${ahead} 0: ${card.take} is ahead.`
        : "They share no seed with an episode.",
    );
    this.chart.update({
      axis: "env_steps",
      format: metric.format,
      tick: metric.tick,
      zero: true,
      series: differenceSeries(answer, styles),
    });
  }
}

/** @param {any} card */
function heading(card) {
  return html(
    "div.panel-head",
    {},
    html("h2", { id: "decision-heading" }, card.heading),
    card.is_winner
      ? html("span.tag", {}, "winner")
      : card.is_claimed
        ? html("span.tag", {}, "safe to take")
        : card.take !== null && html("span.tag.unsure", {}, "not settled"),
  );
}

/** @param {any} card */
function linesOf(card) {
  return html(
    "dl.facts.race-answer",
    {},
    card.lines.map((/** @type {any} */ line) => [html("dt", {}, line.heading), html("dd", {}, line.text)]),
  );
}

/** @param {any} card */
function stepsOf(card) {
  return html(
    "div.facts-group",
    {},
    html("h3", {}, "To be sure"),
    html(
      "ol.next-steps",
      {},
      card.to_be_sure.map((/** @type {any} */ step) =>
        html(
          "li",
          {},
          html("p", {}, step.text, step.effort && html("span.muted", {}, ` · ${step.effort}`)),
          commandLine(step.command, `the command: ${step.text}`),
        ),
      ),
    ),
  );
}
