// Which hyperparameters moved the score: the share that each explains, with its range, beside that of random values.

import { csvButton, panelHead } from "../charts/picture_tools.js";
import { get } from "../core/api.js";
import { html, setText } from "../core/dom.js";
import { percent } from "../core/format.js";
import { refill } from "../core/keyed.js";

export class ImportancePanel {
  /** @param {string} file name of saved files */
  constructor(file) {
    /** @type {any} */
    this.shown = null;
    this.text = html("p.budget-text");
    this.rows = html("div");
    this.how = html("p.panel-note");
    const save = csvButton("what matters", `${file}-importance`, () => ({
      header: ["hyperparameter", "share", "low", "high", "exceeds_random"],
      rows: (this.shown?.keys ?? []).map((/** @type {any} */ each) => [each.key, each.share, each.low, each.high, each.exceeds_random]),
    }));
    this.element = html(
      "section.panel",
      { id: "importance", "aria-label": "What matters" },
      panelHead("What matters", save),
      this.text,
      this.rows,
      this.how,
    );
    this.element.hidden = true;
  }

  /** @param {string} sweep its id @returns {Promise<any>} what the server says */
  async update(sweep) {
    const found = await get(`/sweeps/${sweep}/importance`);
    if (found === this.shown) return found;
    this.shown = found;
    this.element.hidden = false;
    setText(this.text, found.text);
    setText(this.how, found.how);
    refill(this.rows, found.keys.length ? sharesTable(found) : null);
    return found;
  }
}

/** @param {any} found */
function sharesTable(found) {
  return html(
    "table.plain-table.importance",
    {},
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th", { scope: "col" }, "Hyperparameter"),
        html("th.share-cell", { scope: "col" }, html("span.visually-hidden", {}, "Share and range, drawn")),
        html("th.numeric", { scope: "col", title: "Of the differences between configs, alone" }, "Explains"),
      ),
    ),
    html(
      "tbody",
      {},
      found.keys.map((/** @type {any} */ each) =>
        html(
          "tr",
          { class: each.exceeds_random ? null : "is-random" },
          html(
            "th",
            { scope: "row" },
            html("code", {}, each.key),
            each.inseparable.length > 0 && html("span.sub", {}, `changes only together with ${each.inseparable.join(", ")}`),
          ),
          html("td.share-cell", {}, shareBar(each, found.nothing)),
          html(
            "td.numeric",
            {},
            html("b", {}, percent(each.share)),
            html("span.sub", {}, `${percent(each.low)} … ${percent(each.high)}`),
            !each.exceeds_random && html("span.sub", {}, "as random values do"),
          ),
        ),
      ),
    ),
  );
}

/** @param {{share: number, low: number, high: number}} key @param {number} nothing */
function shareBar({ share, low, high }, nothing) {
  const part = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ to) => {
    const element = html(`span.${name}`);
    element.style.insetInlineStart = `${from * 100}%`;
    element.style.width = `${(to - from) * 100}%`;
    return element;
  };
  return html(
    "span.share",
    { "aria-hidden": "true" },
    part("share-nothing", 0, nothing),
    part("share-bar", 0, share),
    part("share-range", low, high),
  );
}
