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
    if (this.isAsked && !this.lineage) return;
    const answer = await get(this.address);
    this.isAsked = true;
    if (answer === this.answer) return;
    this.answer = answer;
    this.lineage = answer.lineage;
    this.element.hidden = !this.lineage;
    if (this.lineage) this.show();
  }

  show() {
    const { members, exploits, descent, best, interval, env_steps: end } = this.lineage;
    const isOfBest = (/** @type {any} */ each) =>
      descent.some((/** @type {any} */ part) => part.member === each.member && part.start === each.env_steps);
    this.note.textContent =
      `A row is a member of the population. Every ${full(interval)} env steps a weak member becomes a copy of a better ` +
      "one (arrow), with some hyperparameters changed. Thick: the way of the best.";
    this.chart.update({
      rows: members.map((/** @type {any} */ each) => ({ number: each.number, end: each.env_steps })),
      copies: exploits.map((/** @type {any} */ each) => ({
        member: each.member,
        source: each.source,
        at: each.env_steps,
        isOfBest: isOfBest(each),
        text: `Member ${each.member} copied member ${each.source} at ${full(each.env_steps)} env steps.`,
        changes: changesOf(each),
      })),
      best,
      descent,
      end,
      interval,
    });
    this.way.textContent = wayOf(this.lineage);
    const runs = new Map(members.map((/** @type {any} */ each) => [each.number, each]));
    refill(
      this.table,
      exploits.length === 0
        ? html("p.panel-note", {}, "No member has copied another yet.")
        : scrolling(`${plural(exploits.length, "copy", "copies")} of members`, copiesTable(exploits, runs, isOfBest)),
    );
  }

  data() {
    return {
      header: ["env_steps", "member", "source", "changes"],
      rows: (this.lineage?.exploits ?? []).map((/** @type {any} */ each) => [
        each.env_steps,
        each.member,
        each.source,
        changesOf(each).join("; "),
      ]),
    };
  }
}

/** What the copy has that its source has not. @param {any} exploit @returns {string[]} */
function changesOf(exploit) {
  if (exploit.changes === null) return ["What changed is not on record."];
  if (exploit.changes.length === 0) return ["No hyperparameter changed."];
  return exploit.changes.map(
    (/** @type {any} */ each) => `${each.key} ${configValue(each.before)} → ${configValue(each.after)}`,
  );
}

/** @param {any} lineage */
function wayOf({ best, descent, members }) {
  if (best === null) return "No member has a score yet.";
  const config = members.find((/** @type {any} */ each) => each.number === best)?.config;
  const parts = descent.map(
    (/** @type {any} */ part, /** @type {number} */ index) =>
      `member ${part.member} ${index === 0 ? "from the start" : `from ${full(part.start)}`}`,
  );
  return `Best at the last interval: member ${best} (${config}). Its way: ${parts.join(", ")}.`;
}

/** @param {any[]} exploits @param {Map<number, any>} members @param {(exploit: any) => boolean} isOfBest */
function copiesTable(exploits, members, isOfBest) {
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
      exploits.map((each) =>
        html(
          `tr${isOfBest(each) ? ".of-best" : ""}`,
          {},
          html("td.numeric", {}, full(each.env_steps)),
          html("td", {}, link(each.member), isOfBest(each) && [" ", html("span.tag", {}, "way of the best")]),
          html("td", {}, link(each.source)),
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
