// The charts of one run: its episodes and the diagnostics of its updates.

import { ChartCard } from "../charts/card.js";
import { styleOf } from "../charts/palette.js";
import { get } from "../core/api.js";
import { fill, html, setText } from "../core/dom.js";
import { number, percent, reward } from "../core/format.js";
import { debounced, parameter, setParameters } from "./address.js";
import { oneOf } from "./choices.js";

/** @typedef {import("../charts/line_chart.js").Series} Series */

const X_AXES = /** @type {[string, string][]} */ ([
  ["env_steps", "Env steps"],
  ["episode", "Episodes"],
  ["seconds", "Wall time"],
]);
const SMOOTHINGS = [0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];
const DEFAULT_SMOOTHING = 0.05;
const BUCKETS = 400;
/** The colours of the evaluation's line: the first that is not the config's. */
const EVALUATION = [2, 1];

const MAIN_HEIGHT = 300;
const LESSER_HEIGHT = 200;

/** @type {{metric: string, title: string, format: (value: number | null) => string, tick?: (value: number) => string, within?: [number, number], hasEnvelope: boolean, evaluated?: string}[]} evaluated: field of an evaluation */
const EPISODE_CHARTS = [
  { metric: "reward", title: "Episode reward", format: reward, hasEnvelope: true, evaluated: "mean_reward" },
  {
    metric: "win",
    title: "Rolling win rate",
    format: percent,
    tick: percent,
    within: [0, 1],
    hasEnvelope: false,
    evaluated: "win_rate",
  },
  { metric: "length", title: "Episode length", format: number, hasEnvelope: true },
];

/** @type {{metric: string, title: string, note: string}[]} */
const UPDATE_CHARTS = [
  { metric: "policy_loss", title: "Policy loss", note: "surrogate loss of the policy" },
  { metric: "value_loss", title: "Value loss", note: "error of the value function" },
  { metric: "entropy", title: "Entropy", note: "nats; falls as the policy becomes certain" },
  { metric: "approx_kl", title: "Approximate KL", note: "nats; how far an update moved the policy" },
  { metric: "clip_fraction", title: "Clip fraction", note: "share of samples at the clip range" },
  { metric: "explained_variance", title: "Explained variance", note: "1 is perfect, 0 no better than a constant" },
  { metric: "gradient_steps", title: "Gradient steps", note: "optimizer steps; target_kl may end an update early" },
  { metric: "learning_rate", title: "Learning rate", note: "current learning rate" },
  { metric: "steps_per_second", title: "Steps per second", note: "env steps, collecting and learning" },
];

export class RunCharts {
  /** @param {string} runId @param {string} file @param {number} colour of its config */
  constructor(runId, file, colour) {
    this.runId = runId;
    this.line = styleOf(colour);
    this.evaluationLine = styleOf(EVALUATION.find((each) => each !== colour) ?? 0);
    this.x = X_AXES.some(([name]) => name === parameter("x")) ? parameter("x") : "env_steps";
    this.smoothing = parameter("smoothing") === "" ? DEFAULT_SMOOTHING : Number(parameter("smoothing")) || 0;
    /** @type {any[]} */
    this.evaluations = [];
    this.smoothingText = html("span.slider-text");
    this.episodeCards = new Map(
      EPISODE_CHARTS.map((chart) => [
        chart.metric,
        new ChartCard({
          title: chart.title,
          file: `${file}-${chart.metric}`,
          height: LESSER_HEIGHT,
          legend: Boolean(chart.evaluated),
        }),
      ]),
    );
    this.updateCards = new Map(
      UPDATE_CHARTS.map((chart) => {
        const card = new ChartCard({ title: chart.title, file: `${file}-${chart.metric}`, height: 150 });
        card.setNote(chart.note);
        return [chart.metric, card];
      }),
    );
    this.main = html("div");
    this.lesser = html("div.chart-grid.two");
    this.arrange("reward");
    this.element = html(
      "div",
      {},
      html("div.curve-controls", {}, this.makeControls()),
      html("div.stack", {}, this.main, this.lesser),
      html(
        "div.section-head",
        {},
        html("h2", {}, "Policy updates"),
        html("p.panel-note", {}, "Diagnostics of every update, over env steps."),
      ),
      html(
        "div.chart-grid",
        {},
        [...this.updateCards.values()].map((card) => card.element),
      ),
    );
  }

  makeControls() {
    const nearest = SMOOTHINGS.reduce(
      (best, each, index) =>
        Math.abs(each - this.smoothing) < Math.abs(SMOOTHINGS[best] - this.smoothing) ? index : best,
      0,
    );
    const slider = /** @type {HTMLInputElement} */ (
      html("input", {
        type: "range",
        id: "smoothing",
        min: 0,
        max: SMOOTHINGS.length - 1,
        step: 1,
        value: nearest,
        "aria-label": "Smoothing",
      })
    );
    const changed = debounced(() => this.changed(), 120);
    slider.addEventListener("input", () => {
      this.smoothing = SMOOTHINGS[Number(slider.value)];
      changed();
    });
    return [
      html(
        "span.control",
        {},
        html("span", { "aria-hidden": "true" }, "Over"),
        oneOf({
          label: "X axis",
          options: X_AXES,
          chosen: this.x,
          choose: (name) => {
            this.x = name;
            this.changed();
          },
        }),
      ),
      html(
        "span.control.slider-field",
        {},
        html("label", { for: "smoothing" }, "Smoothing"),
        slider,
        this.smoothingText,
      ),
    ];
  }

  /** Make one of the charts of episodes the large one. @param {string} metric */
  arrange(metric) {
    if (metric === this.leading) return;
    this.leading = metric;
    const lesser = EPISODE_CHARTS.filter((chart) => chart.metric !== metric);
    fill(this.main, this.episodeCards.get(metric)?.element);
    fill(
      this.lesser,
      lesser.map((chart) => this.episodeCards.get(chart.metric)?.element),
    );
    for (const [each, card] of this.episodeCards) card.setHeight(each === metric ? MAIN_HEIGHT : LESSER_HEIGHT);
  }

  changed() {
    setParameters({
      x: this.x === "env_steps" ? null : this.x,
      smoothing: this.smoothing === DEFAULT_SMOOTHING ? null : String(this.smoothing),
    });
    this.loadEpisodes().catch(() => {});
  }

  /** @param {any} run */
  async update(run) {
    this.evaluations = run.evaluations.filter((/** @type {any} */ each) => each.kind === "periodic");
    await Promise.all([this.loadEpisodes(), this.loadUpdates()]);
  }

  async loadEpisodes() {
    const { x, smoothing } = this;
    const [envelopes, ...bands] = await Promise.all([
      get("/curves", {
        run: this.runId,
        metric: EPISODE_CHARTS.filter((chart) => chart.hasEnvelope).map((chart) => chart.metric),
        x,
        buckets: BUCKETS,
      }),
      ...EPISODE_CHARTS.map((chart) =>
        get("/bands", { run: this.runId, metric: chart.metric, x, smoothing, points: BUCKETS }),
      ),
    ]);
    if (x !== this.x || smoothing !== this.smoothing) return;
    setText(this.smoothingText, bands[0].smoothing_text);
    const winsOrLoses = bands[0].wins_or_loses;
    const hasWins = bands[1].configs.some((/** @type {any} */ config) =>
      config.runs.some((/** @type {any} */ run) => run.mean.some((/** @type {any} */ value) => value !== null)),
    );
    this.arrange(winsOrLoses && hasWins ? "win" : "reward");
    EPISODE_CHARTS.forEach((chart, index) => {
      const card = /** @type {ChartCard} */ (this.episodeCards.get(chart.metric));
      const config = bands[index].configs[0];
      const envelope = envelopes.curves.find((/** @type {any} */ curve) => curve.metric === chart.metric);
      /** @type {Series[]} */
      const series = [];
      const isEnveloped = chart.hasEnvelope && !(chart.metric === "reward" && winsOrLoses);
      if (isEnveloped && envelope?.x.length) {
        series.push({
          id: "envelope",
          name: "Min to max",
          style: this.line,
          x: envelope.x,
          y: envelope.mean,
          low: envelope.min,
          high: envelope.max,
          bandOnly: true,
          faint: true,
        });
      }
      if (config)
        series.push({
          id: "mean",
          name: smoothing ? "Smoothed mean" : "Mean",
          style: this.line,
          x: config.x,
          y: config.runs[0]?.mean ?? config.mean,
        });
      const evaluated = this.evaluations.map((each) => (chart.evaluated ? each[chart.evaluated] : null));
      if (x === "env_steps" && evaluated.some((value) => value !== null)) {
        series.push({
          id: "evaluation",
          name: "Evaluation",
          style: this.evaluationLine,
          x: this.evaluations.map((each) => each.env_steps),
          y: evaluated,
        });
      }
      card.setNote(noteOf(chart, isEnveloped));
      card.update({
        series,
        axis: /** @type {import("../charts/ticks.js").AxisName} */ (x),
        format: chart.format,
        tick: chart.tick,
        within: chart.within,
      });
    });
  }

  async loadUpdates() {
    const answer = await get("/curves", {
      run: this.runId,
      metric: UPDATE_CHARTS.map((chart) => chart.metric),
      x: "env_steps",
      buckets: BUCKETS,
    });
    if (answer === this.drawnUpdates) return;
    this.drawnUpdates = answer;
    for (const curve of answer.curves) {
      const hasSpread = curve.count.some((/** @type {number} */ count) => count > 1);
      this.updateCards.get(curve.metric)?.update({
        series: [
          {
            id: curve.metric,
            name: UPDATE_CHARTS.find((chart) => chart.metric === curve.metric)?.title ?? "",
            style: this.line,
            x: curve.x,
            y: curve.mean,
            low: hasSpread ? curve.min : null,
            high: hasSpread ? curve.max : null,
          },
        ],
        axis: "env_steps",
        format: number,
      });
    }
  }
}

/** @param {{metric: string, hasEnvelope: boolean}} chart @param {boolean} isEnveloped */
function noteOf({ metric, hasEnvelope }, isEnveloped) {
  if (isEnveloped) return "line: smoothed mean; shading: min to max";
  if (metric === "win") return "share of episodes won, over the last episodes";
  return hasEnvelope ? "smoothed mean; the reward of each episode is −1, 0 or 1" : "";
}
