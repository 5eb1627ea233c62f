// What is wrong with the training of each config: findings with their cures, and strips of the values of updates.

import { styleOf } from "../charts/palette.js";
import { swatch } from "../charts/swatch.js";
import { get } from "../core/api.js";
import { fill, html } from "../core/dom.js";
import { plural } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { findingList, sourcesOf, stripsOf, zoneLegend } from "../parts/strips.js";

/** While a sweep runs, its diagnosis is asked for this rarely, in ms: it reads every update. */
const PAUSE = 15_000;

export class DiagnosisPanel {
  constructor() {
    this.element = html("div", { id: "training-health", hidden: true });
    this.askedAt = -Infinity;
    /** @type {any} */
    this.shown = null;
  }

  /**
   * @param {string} sweep @param {Map<string, import("../charts/palette.js").LineStyle>} styles
   * @param {boolean} isRunning
   */
  async update(sweep, styles, isRunning) {
    if (isRunning && performance.now() - this.askedAt < PAUSE) return;
    this.askedAt = performance.now();
    const diagnosis = await get(`/sweeps/${encodeURIComponent(sweep)}/diagnosis`);
    this.element.hidden = !diagnosis.configs.some(hasSomething);
    if (diagnosis === this.shown) return;
    this.shown = diagnosis;
    refill(this.element, panel(diagnosis, styles));
  }
}

/** @param {any} config */
function hasSomething(config) {
  return config.strips.length > 0 || config.findings.length > 0;
}

/** @param {any} diagnosis @param {Map<string, import("../charts/palette.js").LineStyle>} styles */
function panel(diagnosis, styles) {
  const row = (/** @type {any} */ config) => configRow(config, diagnosis.metrics, styles);
  const wrong = diagnosis.configs.filter((/** @type {any} */ config) => config.findings.length);
  const others = diagnosis.configs.filter((/** @type {any} */ config) => !config.findings.length);
  return html(
    "section.panel.diagnosis",
    { "aria-label": "Training health" },
    html("div.panel-head", {}, html("h2", {}, "Training health"), zoneLegend()),
    html("p.panel-note", {}, `${diagnosis.summary} Each part of a strip shows the seed that is furthest from usual.`),
    wrong.map(row),
    others.length > 0 && whenOpened(`${plural(others.length, "config")} without findings`, () => others.map(row)),
    sourcesOf(
      diagnosis.metrics,
      wrong.flatMap((/** @type {any} */ config) => config.findings),
    ),
  );
}

/** @param {any} config @param {any[]} metrics @param {Map<string, import("../charts/palette.js").LineStyle>} styles */
function configRow(config, metrics, styles) {
  return html(
    "article.diagnosis-config",
    {},
    html(
      "h3.config-name",
      {},
      swatch(styles.get(config.name) ?? styleOf(0)),
      html("span", { title: config.name }, html("bdi", {}, config.name)),
    ),
    config.findings.length > 0 && findingList(config.findings),
    config.strips.length > 0 && stripsOf(config, metrics, "beside"),
    config.note && html("p.panel-note", {}, config.note),
    config.runs.length > 1 &&
      whenOpened(`Seeds of ${config.name}`, () => config.runs.map((/** @type {any} */ run) => seedRow(run))),
  );
}

/** @param {any} run */
function seedRow(run) {
  const drawn = html("div", {}, html("p.panel-note", {}, "Loading"));
  get(`/training-runs/${run.run_id}/diagnosis`).then(
    (diagnosis) => fill(drawn, diagnosis.strips.length > 0 && stripsOf(diagnosis, diagnosis.metrics, "beside")),
    (error) => fill(drawn, html("p.panel-note", {}, error.message)),
  );
  return html(
    "div.diagnosis-seed",
    {},
    html("h4", {}, html("a", { href: `/training/runs/${run.run_id}` }, `Seed ${run.seed}`)),
    run.findings.length > 0 && findingList(run.findings),
    drawn,
  );
}

/** Details whose content is made when they are first opened. @param {string} summary @param {() => import("../core/dom.js").Child[]} make */
function whenOpened(summary, make) {
  const content = html("div");
  const details = html("details", {}, html("summary", {}, summary), content);
  details.addEventListener("toggle", () => {
    if (/** @type {HTMLDetailsElement} */ (details).open && !content.firstChild) fill(content, make());
  });
  return details;
}
