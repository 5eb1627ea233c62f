// Whether a shorter sweep would have said the same: the ranks along the budget, and sentences.

import { BumpChart } from "../charts/bump.js";
import { get } from "../core/api.js";
import { html } from "../core/dom.js";
import { refill } from "../core/keyed.js";

export class ShorterSweepPanel {
  constructor() {
    this.chart = new BumpChart({ label: "Ranks along the budget" });
    this.sentences = html("div");
    this.note = html("p.chart-note");
    this.element = html(
      "section.panel",
      { id: "shorter-sweep", "aria-label": "Would a shorter sweep have said the same?" },
      html("h2", {}, "Would a shorter sweep have said the same?"),
      this.sentences,
      this.note,
      this.chart.element,
    );
    this.element.hidden = true;
  }

  /** @param {string} sweep its id @param {Map<string, import("../charts/palette.js").LineStyle>} styles */
  async update(sweep, styles) {
    const found = await get(`/sweeps/${sweep}/shorter`);
    if (found === this.shown) return;
    this.shown = found;
    this.element.hidden = false;
    refill(
      this.sentences,
      html(
        "ul.finding-list.budget-text",
        {},
        found.sentences.map((/** @type {string} */ text) => html("li", {}, html("span", {}, text))),
      ),
    );
    const hasRanks = found.configs.length > 0;
    this.note.hidden = !hasRanks;
    this.note.textContent = `Places by ${found.scored_by}. Configs in one frame do not differ significantly.`;
    this.chart.element.hidden = !hasRanks;
    this.chart.update(
      found.env_steps,
      found.configs.map((/** @type {any} */ config) => ({
        ...config,
        style: styles.get(config.name) ?? { index: 0, colour: 0, dash: "" },
      })),
    );
  }
}
