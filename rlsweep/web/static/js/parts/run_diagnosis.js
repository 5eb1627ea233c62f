// What is wrong with the training of one run.

import { get } from "../core/api.js";
import { html } from "../core/dom.js";
import { refill } from "../core/keyed.js";
import { findingList, sourcesOf, stripsOf, zoneLegend } from "./strips.js";

export class RunDiagnosisPanel {
  constructor() {
    this.element = html("div", { hidden: true });
    /** @type {any} */
    this.shown = null;
  }

  /** @param {string} id */
  async update(id) {
    const diagnosis = await get(`/training-runs/${encodeURIComponent(id)}/diagnosis`);
    this.element.hidden = !diagnosis.strips.length && !diagnosis.findings.length;
    if (diagnosis === this.shown) return;
    this.shown = diagnosis;
    refill(this.element, panel(diagnosis));
  }
}

/** @param {any} diagnosis */
function panel(diagnosis) {
  return html(
    "section.panel.diagnosis",
    { "aria-label": "Training health" },
    html("div.panel-head", {}, html("h2", {}, "Training health"), zoneLegend()),
    diagnosis.findings.length ? findingList(diagnosis.findings) : html("p.panel-note", {}, diagnosis.summary),
    stripsOf(diagnosis, diagnosis.metrics, "stacked"),
    diagnosis.note && html("p.panel-note", {}, diagnosis.note),
    sourcesOf(diagnosis.metrics, diagnosis.findings),
  );
}
