// The learning curves of several configs: mean and band over seeds, or every seed.

import { ChartCard } from "../charts/card.js";
import { CROWD } from "../charts/line_chart.js";
import { ApiError, get, isAbort } from "../core/api.js";
import { html, setText } from "../core/dom.js";
import { debounced, parameter, setParameters } from "../parts/address.js";
import { oneOf, selectField } from "../parts/choices.js";
import { METRICS, metricNamed } from "./metrics.js";

const X_AXES = /** @type {[string, string][]} */ ([
  ["env_steps", "Env steps"],
  ["episode", "Episodes"],
  ["seconds", "Wall time"],
]);
const SMOOTHINGS = [0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5];
const DEFAULT_SMOOTHING = 0.1;
const BUCKETS = 200;

/** @typedef {{run: string[]} | {sweep: string}} Chosen the runs, as parameters of the API */

/** Seeds whose 95% interval is 13 times its standard error: as wide as the chart. */
const PAIR = 2;

export class CurvesPanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    this.metric = metricNamed(parameter("metric")).name;
    this.x = X_AXES.some(([name]) => name === parameter("x")) ? parameter("x") : "env_steps";
    this.smoothing = parameter("smoothing") === "" ? DEFAULT_SMOOTHING : Number(parameter("smoothing")) || 0;
    this.showsSeeds = parameter("seeds") === "1";
    this.showsBand = parameter("band") !== "0";
    /** @type {Chosen | null} */
    this.chosen = null;
    /** @type {Map<string, import("../charts/palette.js").LineStyle>} */
    this.styles = new Map();
    /** @type {Map<string, {config: string, label: string, isFailed: boolean}>} */
    this.places = new Map();
    /** @type {{axis: string, at: number[]}} the rungs of ASHA, on the axis that the budget counts */
    this.rungs = { axis: "", at: [] };
    this.card = new ChartCard({
      title: "Learning curves",
      file: `${file}-curves`,
      height: 380,
      big: 620,
      legend: true,
      level: "h2",
    });
    this.smoothingText = html("span.slider-text");
    this.controls = html("div.curve-controls", {}, this.makeControls());
    this.card.element.querySelector(".chart-head")?.after(this.controls);
    this.element = this.card.element;
    this.request = new AbortController();
  }

  makeControls() {
    const slider = /** @type {HTMLInputElement} */ (
      html("input", {
        type: "range",
        min: 0,
        max: SMOOTHINGS.length - 1,
        step: 1,
        "aria-label": "Smoothing",
        value: SMOOTHINGS.reduce(
          (best, each, index) =>
            Math.abs(each - this.smoothing) < Math.abs(SMOOTHINGS[best] - this.smoothing) ? index : best,
          0,
        ),
      })
    );
    const load = debounced(() => this.changed(), 120);
    slider.addEventListener("input", () => {
      this.smoothing = SMOOTHINGS[Number(slider.value)];
      load();
    });
    this.slider = slider;
    const seeds = tick(this.showsSeeds, (isOn) => {
      this.showsSeeds = isOn;
      this.changed();
    });
    const band = tick(this.showsBand, (isOn) => {
      this.showsBand = isOn;
      this.changed();
    });
    return [
      selectField(
        "Metric",
        METRICS.map((metric) => [metric.name, metric.label]),
        this.metric,
        (name) => {
          this.metric = name;
          this.changed();
        },
      ),
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
      html("span.control", {}, html("label", {}, band, "Interval"), html("label", {}, seeds, "Every seed")),
      html(
        "span.control.slider-field",
        {},
        html("span", { "aria-hidden": "true" }, "Smoothing"),
        slider,
        this.smoothingText,
      ),
    ];
  }

  changed() {
    setParameters({
      metric: this.metric === METRICS[0].name ? null : this.metric,
      x: this.x === "env_steps" ? null : this.x,
      smoothing: this.smoothing === DEFAULT_SMOOTHING ? null : String(this.smoothing),
      seeds: this.showsSeeds ? "1" : null,
      band: this.showsBand ? null : "0",
    });
    this.load().catch(() => {});
  }

  /**
   * @param {Chosen} chosen
   * @param {Map<string, import("../charts/palette.js").LineStyle>} styles by config
   * @param {Map<string, {config: string, label: string, isFailed: boolean}>} places the config of each run
   * @param {{axis: string, at: number[]}} rungs
   */
  async update(chosen, styles, places, rungs) {
    this.rungs = rungs;
    this.chosen = chosen;
    this.styles = styles;
    this.places = places;
    await this.load();
  }

  async load() {
    if (this.places.size === 0) return;
    this.request.abort();
    this.request = new AbortController();
    const metric = metricNamed(this.metric);
    if (this.slider) this.slider.disabled = !metric.isBand;
    try {
      if (metric.isBand) await this.loadBands(metric);
      else await this.loadCurves(metric);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof ApiError) || error.isPassing) throw error;
      this.showFailure(metric, error);
    }
  }

  /** Show the error in place of the curves; the rest of the page stays. @param {import("./metrics.js").Choice} metric @param {ApiError} error */
  showFailure(metric, error) {
    this.drawn = null;
    setText(this.smoothingText, "");
    this.show(metric, [], `Cannot show these curves: ${error.message}`);
    this.card.nothing.hidden = true;
  }

  /** @param {import("./metrics.js").Choice} metric */
  async loadBands(metric) {
    const answer = await get(
      "/bands",
      { ...this.chosen, metric: metric.name, x: this.x, smoothing: this.smoothing, points: BUCKETS },
      { signal: this.request.signal },
    );
    if (this.isDrawn(answer)) return;
    /** @type {import("../charts/line_chart.js").Series[]} */
    const series = answer.configs.flatMap((/** @type {any} */ config) => {
      const style = this.styles.get(config.name) ?? { index: 0, colour: 0, dash: "" };
      const isPair = config.runs.length === PAIR;
      const seeds = this.showsSeeds || (this.showsBand && isPair)
        ? config.runs.map((/** @type {any} */ run) => ({
            id: run.run_id,
            group: config.name,
            name: `${config.name} seed ${run.seed}`,
            style,
            x: config.x,
            y: run.mean,
            faint: config.runs.length > 1,
          }))
        : [];
      return [
        {
          id: config.name,
          name: config.name,
          style,
          x: config.x,
          y: config.mean,
          low: this.showsBand && !isPair ? config.low : null,
          high: this.showsBand && !isPair ? config.high : null,
        },
        ...seeds,
      ];
    });
    const within = /** @type {[number, number]} */ ([answer.least ?? -Infinity, answer.greatest ?? Infinity]);
    const ends = within.filter(Number.isFinite).map((value) => metric.tick?.(value) ?? String(value).replace("-", "−"));
    const cut = ends.length ? `, cut at ${ends.join(" and ")}` : "";
    const banded = answer.configs.filter((/** @type {any} */ config) => config.interval && config.runs.length > PAIR);
    const intervals = [...new Set(banded.map((/** @type {any} */ config) => config.interval))];
    const hasPairs = answer.configs.some((/** @type {any} */ config) => config.runs.length === PAIR);
    const pairs = hasPairs ? " Of two seeds both are drawn: their interval would cover the chart." : "";
    const isCrowd = series.filter((each) => each.low).length > CROWD;
    setText(this.smoothingText, answer.smoothing_text);
    this.show(
      metric,
      series,
      intervals.length
        ? `Line: mean over seeds. Band: ${intervals.join("; ")}${cut}${isCrowd ? "; shown for the name that you point at" : ""}.${pairs}`
        : hasPairs
          ? `Line: mean over seeds.${pairs}`
          : "One seed per config: no band.",
      within,
    );
  }

  /** Whether the chart already shows this answer with the current options. @param {any} answer */
  isDrawn(answer) {
    const way = `${this.showsSeeds} ${this.showsBand} ${this.x}`;
    const isSame = answer === this.drawn && way === this.drawnWay;
    this.drawn = answer;
    this.drawnWay = way;
    return isSame;
  }

  /** @param {import("./metrics.js").Choice} metric */
  async loadCurves(metric) {
    const answer = await get(
      "/curves",
      { ...this.chosen, metric: metric.name, x: "env_steps", buckets: BUCKETS },
      { signal: this.request.signal },
    );
    if (this.isDrawn(answer)) return;
    /** @type {Map<string, any[]>} */
    const byConfig = new Map();
    for (const curve of answer.curves) {
      const config = this.places.get(curve.run_id)?.config ?? "";
      byConfig.set(config, [...(byConfig.get(config) ?? []), curve]);
    }
    /** @type {import("../charts/line_chart.js").Series[]} */
    const series = [];
    for (const [config, curves] of byConfig) {
      const style = this.styles.get(config) ?? { index: 0, colour: 0, dash: "" };
      const mean = meanOf(curves.filter((curve) => !this.places.get(curve.run_id)?.isFailed));
      if (mean) series.push({ id: config, name: config, style, ...mean });
      if (this.showsSeeds || !mean) {
        for (const curve of curves) {
          series.push({
            id: curve.run_id,
            group: config,
            name: this.places.get(curve.run_id)?.label ?? "",
            style,
            x: curve.x,
            y: curve.mean,
            faint: Boolean(mean) && curves.length > 1,
          });
        }
      }
    }
    setText(this.smoothingText, "only episodes are smoothed");
    this.show(
      metric,
      series,
      this.x === "env_steps"
        ? "Mean over seeds; single seeds where their env steps differ."
        : "Updates and evaluations are recorded over env steps.",
    );
    this.card.drawLegend(
      [...byConfig.keys()].map((config) => ({
        id: config,
        name: config,
        style: this.styles.get(config) ?? { index: 0, colour: 0, dash: "" },
        x: [],
        y: [],
      })),
    );
  }

  /**
   * @param {import("./metrics.js").Choice} metric
   * @param {import("../charts/line_chart.js").Series[]} series
   * @param {string} note
   * @param {[number, number]} [within] the values that are possible
   */
  show(metric, series, note, within) {
    const axis = metric.isBand ? this.x : "env_steps";
    const rungs = axis === this.rungs.axis ? this.rungs.at : [];
    this.card.title = metric.label;
    this.card.setNote(rungs.length ? `${note} Dotted lines: the rungs.` : note);
    this.card.update({
      series,
      axis: /** @type {import("../charts/ticks.js").AxisName} */ (axis),
      rungs,
      format: metric.format,
      tick: metric.tick,
      within: within ?? metric.within,
      legend: series.filter((each) => !each.group),
    });
    this.card.applyHidden();
  }
}

/** @param {boolean} isOn @param {(isOn: boolean) => void} act */
function tick(isOn, act) {
  const box = /** @type {HTMLInputElement} */ (html("input.check", { type: "checkbox", checked: isOn }));
  box.addEventListener("change", () => act(box.checked));
  return box;
}

/** The mean of curves with equal x, without failed runs; null if their x differ. @param {any[]} curves */
export function meanOf(curves) {
  const drawn = curves.filter((curve) => curve.x.length > 0);
  if (drawn.length === 0) return null;
  const { x } = drawn[0];
  if (
    drawn.some(
      (curve) =>
        curve.x.length !== x.length ||
        curve.x.some((/** @type {number} */ value, /** @type {number} */ index) => value !== x[index]),
    )
  )
    return null;
  const y = x.map((/** @type {number} */ _, /** @type {number} */ index) => {
    const values = drawn.map((curve) => curve.mean[index]).filter((value) => value !== null);
    return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
  });
  return { x, y };
}
