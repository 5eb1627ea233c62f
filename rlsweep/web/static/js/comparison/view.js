// The comparison of configs, for the page of a sweep and the page of chosen runs.

import { styleOf } from "../charts/palette.js";
import { get } from "../core/api.js";
import { fill, html } from "../core/dom.js";
import { refill } from "../core/keyed.js";
import { CurvesPanel } from "./curves.js";
import { DecisionPanel } from "./decision.js";
import { DifferencePanel } from "./difference_curves.js";
import { DiagnosisPanel } from "./diagnosis.js";
import { differencesPanel } from "./differences.js";
import { findingsPanel } from "./findings.js";
import { ImportancePanel } from "./importance.js";
import { leaderboardPanel } from "./leaderboard.js";
import { ParallelPanel } from "./parallel_panel.js";
import { ProspectsPanel } from "./prospects.js";
import { RacePanel } from "./race.js";
import { rungsOf, rungsPanel } from "./rungs.js";
import { searchSpacePanel } from "./search_space.js";
import { seedsPanel } from "./seeds.js";
import { ShorterSweepPanel } from "./shorter_sweep.js";
import { SlicesPanel } from "./slices.js";
import { verdictsPanel } from "./verdicts.js";

/** With more hyperparameters than this, parallel coordinates take the whole width. */
const MAX_KEYS_BESIDE = 4;

export class ComparisonView {
  /** @param {HTMLElement} root @param {string} file name of saved files */
  constructor(root, file) {
    this.root = root;
    this.file = file;
    this.curves = new CurvesPanel(file);
    this.parallel = new ParallelPanel(file);
    this.decision = new DecisionPanel(file);
    this.race = new RacePanel(file);
    this.prospects = new ProspectsPanel(file);
    this.differenceCurves = new DifferencePanel(file);
    this.importance = new ImportancePanel(file);
    this.searchSpace = html("div");
    this.slices = new SlicesPanel(file);
    this.shorter = new ShorterSweepPanel();
    this.rungs = html("div");
    this.findings = html("div");
    this.leaderboard = html("div");
    this.health = new DiagnosisPanel();
    this.differences = html("div.grow");
    this.setting = html("div.two-up", {}, this.parallel.element, this.differences);
    /** @type {Map<string, import("../charts/palette.js").LineStyle>} */
    this.styles = new Map();
    this.verdicts = html("div");
    this.beforeRuns = html("div");
    this.seeds = html("div");
  }

  /**
   * The style of each config, the same on every page.
   * @param {any} report
   * @param {import("./curves.js").Chosen} chosen
   * @returns {Promise<Map<string, import("../charts/palette.js").LineStyle>>}
   */
  async stylesOf(report, chosen) {
    const names = JSON.stringify(report.configs.map((/** @type {any} */ config) => config.name).sort());
    if (this.styles && this.styledFor === names) return this.styles;
    const { colours } = await get("/colours", { ...chosen });
    this.styledFor = names;
    this.styles = new Map(
      report.configs.map((/** @type {any} */ config) => [config.name, styleOf(colours[config.seeds[0].run_id] ?? 0)]),
    );
    return this.styles;
  }

  /** @param {any} report @param {import("./curves.js").Chosen} chosen the runs of the report */
  async update(report, chosen) {
    if (!this.root.contains(this.curves.element)) {
      fill(
        this.root,
        html(
          "div.stack",
          {},
          this.decision.element,
          this.race.element,
          this.rungs,
          this.prospects.element,
          this.findings,
          this.leaderboard,
          this.curves.element,
          this.differenceCurves.element,
          this.health.element,
          this.shorter.element,
          this.importance.element,
          this.slices.element,
          this.searchSpace,
          this.setting,
          this.verdicts,
          this.beforeRuns,
          this.seeds,
        ),
      );
    }
    const isNew = report !== this.shown;
    if (isNew) this.decision.update(report);
    const styles = await this.stylesOf(report, chosen);
    if (isNew) {
      this.shown = report;
      this.race.update(report, styles);
      refill(this.rungs, report.asha ? rungsPanel(report.asha, styles) : null);
      refill(this.findings, findingsPanel(report));
      refill(this.leaderboard, leaderboardPanel(report, styles, this.file));
      refill(this.differences, differencesPanel(report, styles, this.file));
      const keys = Object.keys(report.configs[0]?.differences ?? {}).length;
      this.setting.classList.toggle("is-wide", keys === 0 || keys > MAX_KEYS_BESIDE);
      this.parallel.update(report, styles);
      this.slices.update(report, styles);
      refill(this.searchSpace, searchSpacePanel(report));
      refill(this.verdicts, verdictsPanel(report, styles));
      refill(this.seeds, seedsPanel(report, styles, this.file));
    }
    const places = new Map(
      report.configs.flatMap((/** @type {any} */ config) =>
        config.seeds.map((/** @type {any} */ seed) => [
          seed.run_id,
          { config: config.name, label: `${config.name} seed ${seed.seed}`, isFailed: seed.status === "failed" },
        ]),
      ),
    );
    await this.curves.update(chosen, styles, places, rungsOf(report));
    const { sweep } = chosen;
    if (!sweep) return;
    await Promise.all([
      this.decision.load(report, sweep, styles),
      this.prospects.update(sweep),
      this.differenceCurves.load(report, sweep, styles),
      this.shorter.update(sweep, styles),
      this.importance.update(sweep).then(({ beliefs }) => this.slices.setBeliefs(beliefs)),
    ]);
  }
}
