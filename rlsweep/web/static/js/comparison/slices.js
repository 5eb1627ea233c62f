// Slices: the score against each hyperparameter that differs, every seed a dot.

import { csvButton, panelHead } from "../charts/picture_tools.js";
import { SlicePlot } from "../charts/slice_plot.js";
import { fill, html } from "../core/dom.js";
import { atEnd } from "../core/format.js";

export class SlicesPanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    /** @type {Map<string, {plot: SlicePlot, element: HTMLElement, note: HTMLElement}>} */
    this.plots = new Map();
    /** By config. @type {Map<string, {mean: number, low: number, high: number}>} */
    this.beliefs = new Map();
    this.note = html("p.panel-note");
    this.grid = html("div.slices");
    this.element = html(
      "section.panel",
      { id: "slices", "aria-label": "Score against each hyperparameter" },
      panelHead(
        "Score against each hyperparameter",
        csvButton("the slices", `${file}-slices`, () => this.data()),
      ),
      this.note,
      this.grid,
    );
    this.element.hidden = true;
  }

  /** @param {any} report @param {import("./leaderboard.js").Styles} styles */
  update(report, styles) {
    this.report = report;
    this.styles = styles;
    this.element.hidden = report.slices.length === 0;
    if (this.element.hidden) return;
    this.note.textContent =
      `Dot: a seed; bar: the config's mean. Score: ${report.scored_by.definition}. ` +
      (this.beliefs.size ? "Line: the believed score, 95%. " : "") +
      "Configs also differ in what the other slices show.";
    const keys = report.slices.map((/** @type {any} */ slice) => slice.key);
    if (keys.join("\n") !== [...this.plots.keys()].join("\n")) {
      this.plots = new Map(keys.map((/** @type {string} */ key) => [key, framed(key)]));
      fill(
        this.grid,
        [...this.plots.values()].map((each) => each.element),
      );
    }
    for (const slice of report.slices) {
      const shown = this.plots.get(slice.key);
      if (!shown) continue;
      const notes = [
        slice.inseparable.length > 0 &&
          `Changes only together with ${listed(slice.inseparable)}: this slice cannot tell them apart.`,
        slice.changes && "A config that changes it while it trains stands at its last value.",
      ].filter(Boolean);
      shown.note.textContent = notes.join(" ");
      shown.note.hidden = notes.length === 0;
      shown.plot.update({ scale: slice.scale, values: slice.values, points: pointsOf(report, slice.key, styles, this.beliefs) });
    }
  }

  /** Show what is believed of each config's score too. @param {any[]} beliefs */
  setBeliefs(beliefs) {
    if (beliefs === this.believed) return;
    this.believed = beliefs;
    this.beliefs = new Map(beliefs.map((each) => [each.config, each]));
    if (this.report && this.styles) this.update(this.report, this.styles);
  }

  data() {
    const keys = (this.report?.slices ?? []).map((/** @type {any} */ slice) => slice.key);
    return {
      header: ["config", "seed", ...keys, "score", "believed", "believed_low", "believed_high"],
      rows: (this.report?.configs ?? []).flatMap((/** @type {any} */ config) =>
        config.seeds.map((/** @type {any} */ seed) => [
          config.name,
          seed.seed,
          ...keys.map((/** @type {string} */ key) => config.differences[key]),
          seed.score,
          this.beliefs.get(config.name)?.mean ?? null,
          this.beliefs.get(config.name)?.low ?? null,
          this.beliefs.get(config.name)?.high ?? null,
        ]),
      ),
    };
  }
}

/** @param {string} key */
function framed(key) {
  const plot = new SlicePlot({ label: `Score against ${key}`, height: 190 });
  const note = html("p.slice-note");
  const element = html(
    "figure.slice",
    { "aria-label": `Score against ${key}` },
    html("figcaption", {}, html("code", {}, key)),
    plot.element,
    note,
  );
  return { plot, element, note };
}

/**
 * @param {any} report @param {string} key @param {import("./leaderboard.js").Styles} styles
 * @param {Map<string, {mean: number, low: number, high: number}>} beliefs
 */
function pointsOf(report, key, styles, beliefs) {
  return report.configs
    .filter((/** @type {any} */ config) => config.score !== null || beliefs.has(config.name))
    .map((/** @type {any} */ config) => ({
      name: config.name,
      style: styles.get(config.name) ?? { index: 0, colour: 0, dash: "" },
      value: atEnd(config.differences[key]),
      mean: config.score ?? beliefs.get(config.name)?.mean,
      isScored: config.score !== null,
      belief: beliefs.get(config.name) ?? null,
      seeds: config.seeds
        .filter((/** @type {any} */ seed) => seed.score !== null && !["failed", "paused"].includes(seed.status))
        .map((/** @type {any} */ seed) => seed.score),
    }));
}

/** @param {string[]} names */
function listed(names) {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}
