// Who copied whom in a population, and from whom the best member descends.

import { Genealogy } from "../charts/genealogy.js";
import { csvButton, panelHead, pictureButtons } from "../charts/picture_tools.js";
import { get } from "../core/api.js";
import { html } from "../core/dom.js";
import { configValue, full, plural } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { scrolling } from "../core/scrolling.js";

const TITLE = "Genealogy of the population";

export class LineagePanel {
  /** @param {string} sweep its id @param {string} file name of saved files */
  constructor(sweep, file) {
    this.address = `/sweeps/${sweep}/lineage`;
    this.chart = new Genealogy({ label: TITLE });
    this.note = html("p.panel-note");
    this.way = html("p.lineage-way");
    this.table = html("div");
    this.element = html(
      "section.panel",
      { id: "lineage", "aria-label": TITLE },
      panelHead(
        TITLE,
        csvButton(TITLE, `${file}-genealogy`, () => this.data()),
        pictureButtons(
          TITLE,
          `${file}-genealogy`,
          () => this.chart.picture,
          () => [],
        ),
      ),
      this.note,
      this.chart.element,
      this.way,
      this.table,
    );
    this.element.hidden = true;
    this.isAsked = false;
  }

  /** Load and show it; a sweep that trains no population is asked once. */
  async update() {
    if (this.isAsked && !this.population) return;
    const answer = await get(this.address);
    this.isAsked = true;
    if (answer === this.answer) return;
    this.answer = answer;
    this.population = answer.population;
    this.element.hidden = !this.population;
    if (this.population) this.show();
  }

  show() {
    const { members, copies, lineage, best, interval, env_steps: end } = this.population;
    const isOfBest = (/** @type {any} */ copy) =>
      lineage.some((/** @type {any} */ part) => part.member === copy.member && part.first_step === copy.env_steps);
    this.note.textContent =
      `A row is a member of the population. Every ${full(interval)} env steps a weak member becomes a copy of a better ` +
      "one (arrow), with some hyperparameters changed. Thick: the lineage of the best.";
    this.chart.update({
      rows: members.map((/** @type {any} */ each) => ({ number: each.number, end: each.env_steps })),
      copies: copies.map((/** @type {any} */ each) => ({
        member: each.member,
        source: each.source,
        at: each.env_steps,
        isOfBest: isOfBest(each),
        text: `Member ${each.member} copied ${sourceOf(each)} at ${full(each.env_steps)} env steps.`,
        changes: changesOf(each),
      })),
      best,
      lineage: lineage.map((/** @type {any} */ part) => ({
        member: part.member,
        start: part.first_step,
        end: part.last_step,
      })),
      end,
      interval,
    });
    this.way.textContent = lineageText(this.population);
    const runs = new Map(members.map((/** @type {any} */ each) => [each.number, each]));
    refill(
      this.table,
      copies.length === 0
        ? html("p.panel-note", {}, "No member has copied another yet.")
        : scrolling(`${plural(copies.length, "copy", "copies")} of members`, copiesTable(copies, runs, isOfBest)),
    );
  }

  data() {
    return {
      header: ["env_steps", "member", "source", "score", "source_score", "changes"],
      rows: (this.population?.copies ?? []).map((/** @type {any} */ each) => [
        each.env_steps,
        each.member,
        each.source,
        each.score,
        each.source_score,
        changesOf(each).join("; "),
      ]),
    };
  }
}

/** @param {any} copy */
function sourceOf(copy) {
  return copy.source === null ? "a member whose record was deleted" : `member ${copy.source}`;
}

/** What the copy has that its source has not. @param {any} copy @returns {string[]} */
function changesOf(copy) {
  const changes = Object.entries(copy.changes).map(
    ([key, { before, after }]) => `${key} ${configValue(before)} → ${configValue(after)}`,
  );
  return changes.length ? changes : ["No hyperparameter changed."];
}

/** @param {any} population */
function lineageText({ best, best_by: by, lineage, members }) {
  if (best === null) return "No member has a score yet.";
  const name = members.find((/** @type {any} */ each) => each.number === best)?.name;
  const parts = lineage.map(
    (/** @type {any} */ part, /** @type {number} */ index) =>
      `member ${part.member} ${index === 0 ? "from the start" : `from ${full(part.first_step)}`}`,
  );
  return `Best by ${by}: member ${best} (${name}). Its lineage: ${parts.join(", ")}.`;
}

/** @param {any[]} copies @param {Map<number, any>} members @param {(copy: any) => boolean} isOfBest */
function copiesTable(copies, members, isOfBest) {
  const link = (/** @type {number} */ number) =>
    html("a", { href: `/training/runs/${members.get(number)?.run_id}` }, `member ${number}`);
  return html(
    "table.plain-table.copies-table",
    {},
    html(
      "thead",
      {},
      html(
        "tr",
        {},
        html("th.numeric", { scope: "col" }, "Env steps"),
        html("th", { scope: "col" }, "Copy"),
        html("th", { scope: "col" }, "Copied"),
        html("th", { scope: "col" }, "What changed"),
      ),
    ),
    html(
      "tbody",
      {},
      copies.map((each) =>
        html(
          `tr${isOfBest(each) ? ".of-best" : ""}`,
          {},
          html("td.numeric", {}, full(each.env_steps)),
          html("td", {}, link(each.member), isOfBest(each) && [" ", html("span.tag", {}, "lineage of the best")]),
          html("td", {}, each.source === null ? "deleted" : link(each.source)),
          html(
            "td",
            {},
            changesOf(each).map((change) => html("div", {}, change)),
          ),
        ),
      ),
    ),
  );
}
