// What more training would buy: the chance of a safe answer over time, for each way to go on.

import { ChartCard } from "../charts/card.js";
import { styleOf } from "../charts/palette.js";
import { get } from "../core/api.js";
import { commandLine } from "../core/copying.js";
import { html, setText } from "../core/dom.js";
import { percent } from "../core/format.js";
import { refill } from "../core/keyed.js";

export class ProspectsPanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    this.text = html("p.budget-text");
    this.chart = new ChartCard({ title: "Chance of a safe answer", file: `${file}-prospects`, legend: true, height: 250 });
    this.ways = html("div");
    this.element = html(
      "section.panel",
      { id: "prospects", "aria-label": "What another hour buys" },
      html("h2", {}, "What another hour buys"),
      this.text,
      html("div.two-up", {}, this.chart.element, this.ways),
    );
    this.element.hidden = true;
  }

  /** @param {string} sweep its id */
  async update(sweep) {
    const found = await get(`/sweeps/${sweep}/prospects`);
    if (found === this.shown) return;
    this.shown = found;
    this.element.hidden = false;
    setText(this.text, found.text);
    this.chart.element.hidden = found.ways.length === 0;
    this.chart.setNote(found.how);
    this.chart.update({
      axis: "seconds",
      format: percent,
      tick: percent,
      within: [0, 1],
      series: found.ways.map((/** @type {any} */ way, /** @type {number} */ place) => ({
        id: way.name,
        name: way.name,
        style: styleOf(place + 1),
        x: way.seconds,
        y: way.chance,
        low: way.low,
        high: way.high,
      })),
    });
    const steps = found.next_step ? [found.next_step] : found.ways;
    refill(
      this.ways,
      html(
        "ol.next-steps",
        {},
        steps.map((/** @type {any} */ step) =>
          html("li", {}, html("p", {}, step.text), commandLine(step.command, `the command: ${step.name ?? step.text}`)),
        ),
      ),
    );
  }
}
