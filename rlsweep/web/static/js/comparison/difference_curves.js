// Every config's difference to the base config, or else to the runner-up, over env steps.

import { ChartCard } from "../charts/card.js";
import { ApiError, get, isAbort } from "../core/api.js";
import { html } from "../core/dom.js";
import { selectField } from "../parts/choices.js";
import { curveMetric, differenceSeries } from "./difference_series.js";
import { METRICS, metricNamed } from "./metrics.js";

export class DifferencePanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    this.card = new ChartCard({
      title: "Difference",
      file: `${file}-differences`,
      height: 300,
      big: 560,
      legend: true,
      level: "h2",
    });
    this.metric = "";
    this.field = selectField(
      "Difference in",
      METRICS.filter((metric) => metric.isBand).map((metric) => [metric.name, metric.label]),
      METRICS[0].name,
      (name) => {
        this.metric = name;
        this.draw().catch(() => {});
      },
    );
    this.card.element.querySelector(".chart-head")?.after(html("div.curve-controls", {}, this.field));
    this.element = html("section", { id: "differences", "aria-label": "Difference over env steps" }, this.card.element);
    this.element.hidden = true;
    this.request = new AbortController();
  }

  /**
   * @param {any} report
   * @param {string} sweep
   * @param {import("./leaderboard.js").Styles} styles
   */
  async load(report, sweep, styles) {
    this.element.hidden = !report.reference || report.configs.length < 2 || report.population; // members share no seed
    if (this.element.hidden) return;
    this.report = report;
    this.sweep = sweep;
    this.styles = styles;
    this.metric ||= curveMetric(report.scored_by.objective).name;
    const select = this.field.querySelector("select");
    if (select) select.value = this.metric;
    await this.draw();
  }

  async draw() {
    if (!this.report || !this.sweep || !this.styles) return;
    this.request.abort();
    this.request = new AbortController();
    const { reference } = this.report;
    const metric = metricNamed(this.metric);
    try {
      const answer = await get(
        `/sweeps/${encodeURIComponent(this.sweep)}/differences`,
        { metric: metric.name, to: reference.name },
        { signal: this.request.signal },
      );
      if (answer === this.drawn) return;
      this.drawn = answer;
      this.show(metric, answer);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError) || error.isPassing) throw error;
      this.card.setNote(`Cannot show these differences: ${error.message}`);
    }
  }

  /** @param {import("./metrics.js").Choice} metric @param {any} answer */
  show(metric, answer) {
    const words = answer.is_base ? "base config" : "runner-up";
    this.card.rename(`${metric.label}: difference to the ${words} ${answer.to}`);
    const intervals = [...new Set(answer.configs.map((/** @type {any} */ config) => config.interval).filter(Boolean))];
    this.card.setNote(
      `By equal seeds at equal env steps; ${answer.smoothing_text}. ${
        intervals.length ? `Band: ${intervals.join("; ")}.` : "One seed in common: no band."
      }`,
    );
    this.card.update({
      axis: "env_steps",
      format: metric.format,
      tick: metric.tick,
      zero: true,
      series: differenceSeries(answer, this.styles ?? new Map()),
    });
    this.card.applyHidden();
  }
}
