// The table of training runs: its columns, and rows that are updated in place.

import { drawSparkline, sparkline } from "../charts/sparkline.js";
import { showDuration, time } from "../core/clock.js";
import { breakable, fill, html, icon, setText } from "../core/dom.js";
import { compact, full, number, percent, reward } from "../core/format.js";
import { runBadge } from "./badges.js";
import { noteMark, tagLink } from "./notes.js";
import { progressBar, showProgress, showStatusProgress, statusProgress } from "./progress.js";

/**
 * @typedef {object} Column
 * @property {string} [key] sort key in the API
 * @property {string} label
 * @property {string} [title] what the label means
 * @property {string} place its CSS class
 * @property {boolean} [numeric]
 * @property {(cell: HTMLElement, run: any) => void} show
 */

/** The columns that are always there; more may follow them. @type {Column[]} */
export const COLUMNS = [
  { key: "config_short_name", label: "Config", place: "col-config", show: showConfig },
  { key: "agent_id", label: "Agent", place: "col-agent", show: showAgent },
  { key: "sweep", label: "Sweep", place: "col-sweep", show: showSweep },
  {
    key: "seed",
    label: "Seed",
    place: "col-seed",
    numeric: true,
    show: (cell, run) => setText(cell, String(run.seed)),
  },
  { key: "status", label: "Status", place: "col-status", show: showStatus },
  {
    key: "started_at",
    label: "Started",
    place: "col-started",
    show: (cell, run) => showOnce(cell, run.started_at, () => [time(run.started_at)]),
  },
  {
    key: "duration",
    label: "Duration",
    place: "col-duration",
    numeric: true,
    show: (cell, run) => showDuration(cell, run.started_at ? run.seconds : null, run.status === "running"),
  },
  { key: "episodes", label: "Episodes", place: "col-episodes", numeric: true, show: showEpisodes },
  {
    key: "score",
    label: "Score",
    place: "col-score",
    numeric: true,
    show: (cell, run) => {
      setText(cell, reward(run.score?.value ?? null));
      cell.title = run.score?.definition ?? "";
    },
  },
  {
    key: "mean_reward",
    label: "Recent reward",
    title: "Mean of the last 100 episodes of training",
    place: "col-reward",
    numeric: true,
    show: (cell, run) => setText(cell, reward(run.mean_reward)),
  },
  {
    key: "win_rate",
    label: "Recent wins",
    title: "Share of wins in the last 100 episodes of training",
    place: "col-win",
    numeric: true,
    show: (cell, run) => setText(cell, percent(run.win_rate)),
  },
  { label: "Reward curve", place: "col-spark", show: showCurve },
];

/**
 * @param {HTMLElement} head the thead
 * @param {{sort: (key: string) => void, chooseAll: (chosen: boolean) => void}} acts
 * @param {Column[]} columns
 */
export function makeHead(head, { sort, chooseAll }, columns) {
  const all = html("input.check", { type: "checkbox", id: "choose-all", "aria-label": "Choose all runs shown" });
  all.addEventListener("change", () => chooseAll(/** @type {HTMLInputElement} */ (all).checked));
  fill(
    head,
    html(
      "tr",
      { role: "row" },
      html("th.col-check", { scope: "col", role: "columnheader" }, all),
      columns.map((column) => {
        const cell = html(`th.${column.place}${column.numeric ? ".numeric" : ""}`, {
          scope: "col",
          role: "columnheader",
          title: column.title ?? null,
        });
        if (!column.key) {
          cell.append(column.label);
          return cell;
        }
        const key = column.key;
        cell.dataset.sort = key;
        cell.append(
          html("button.sort-button", { type: "button", onclick: () => sort(key) }, column.label, icon("sort")),
        );
        return cell;
      }),
    ),
  );
}

/** @param {HTMLElement} head @param {string} sort sort order of the API; `-` in front is descending */
export function showSort(head, sort) {
  for (const cell of /** @type {NodeListOf<HTMLElement>} */ (head.querySelectorAll("[data-sort]"))) {
    const isThis = cell.dataset.sort === sort.replace(/^-/, "");
    if (isThis) cell.setAttribute("aria-sort", sort.startsWith("-") ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
}

/**
 * @param {any} run
 * @param {(id: string, chosen: boolean, extend: boolean) => void} choose
 * @param {Column[]} columns
 * @returns {HTMLElement}
 */
export function makeRow(run, choose, columns) {
  const check = /** @type {HTMLInputElement} */ (
    html("input.check", { type: "checkbox", "aria-label": `Choose ${run.config_short_name} seed ${run.seed}` })
  );
  check.addEventListener("click", (event) => choose(run.id, check.checked, event.shiftKey));
  return html(
    "tr",
    { role: "row" },
    html("td.col-check", { role: "cell" }, check),
    columns.map((column) =>
      html(`td.${column.place}${column.numeric ? ".numeric" : ""}`, { role: "cell", "data-label": column.label }),
    ),
  );
}

/** @param {HTMLElement} row @param {any} run @param {boolean} isChosen @param {Column[]} columns */
export function updateRow(row, run, isChosen, columns) {
  row.classList.toggle("is-running", run.status === "running");
  row.classList.toggle("is-chosen", isChosen);
  const [check, ...cells] = /** @type {HTMLElement[]} */ ([...row.children]);
  /** @type {HTMLInputElement} */ (check.firstElementChild).checked = isChosen;
  columns.forEach((column, index) => column.show(cells[index], run));
}

/** @param {HTMLElement} cell @param {unknown} value @param {() => import("../core/dom.js").Child[]} make */
function showOnce(cell, value, make) {
  const key = JSON.stringify(value);
  if (cell.dataset.shown === key) return;
  cell.dataset.shown = key;
  fill(cell, make());
}

/** @param {HTMLElement} cell @param {any} run */
function showConfig(cell, run) {
  showOnce(cell, [run.config_short_name, run.tags, run.note], () => [
    html(
      "a.cell-main",
      { href: `/training/runs/${run.id}`, title: [...new Set([run.config_short_name, run.config_name]), run.id].join("\n") },
      html("bdi", {}, breakable(run.config_short_name)),
    ),
    tagLine(run, "/training"),
  ]);
}

/** The tags of a run or sweep, and whether it has a note. @param {any} record @param {string} list */
export function tagLine(record, list) {
  if (!record.note && record.tags.length === 0) return null;
  return html(
    "span.cell-sub.cell-tags",
    {},
    noteMark(record.note),
    record.tags.map((/** @type {string} */ tag) => tagLink(tag, list)),
  );
}

/** @param {HTMLElement} cell @param {any} run */
function showAgent(cell, run) {
  showOnce(cell, [run.agent_id, run.algorithm], () => [
    html("bdi", { title: run.agent_id }, run.agent_id),
    html("span.cell-sub", {}, run.algorithm),
  ]);
}

/** @param {HTMLElement} cell @param {any} run */
function showSweep(cell, run) {
  showOnce(cell, [run.sweep_id, run.sweep_name], () => [
    run.sweep_id
      ? html("a", { href: `/training/sweeps/${run.sweep_id}`, title: run.sweep_name }, html("bdi", {}, run.sweep_name))
      : html("span.muted", {}, "–"),
  ]);
}

/** @param {HTMLElement} cell @param {any} run */
function showStatus(cell, run) {
  showOnce(cell, [run.status, run.error, run.stop_requested, run.pause_at, run.env_steps], () => [runBadge(run), statusProgress()]);
  showStatusProgress(/** @type {HTMLElement} */ (cell.lastElementChild), run);
}

/** @param {HTMLElement} cell @param {any} run */
function showEpisodes(cell, run) {
  if (!cell.firstElementChild) {
    fill(cell, html("span.cell-text"), progressBar());
  }
  const [text, bar] = /** @type {HTMLElement[]} */ ([...cell.children]);
  const budget = run.budget ?? {};
  setText(text, budget.episodes ? `${full(run.episodes)} / ${compact(budget.episodes)}` : full(run.episodes));
  cell.title = [
    `${full(run.episodes)} episodes`,
    `${full(run.env_steps)} env steps`,
    `${full(run.updates)} updates`,
    run.progress === null ? null : `${percent(run.progress)} of the budget`,
    run.steps_per_second === null ? null : `${number(run.steps_per_second)} env steps/s`,
  ]
    .filter(Boolean)
    .join("\n");
  showProgress(bar, run);
}

/** @param {HTMLElement} cell @param {any} run */
function showCurve(cell, run) {
  if (run.error && run.episodes === 0) {
    showOnce(cell, run.error, () => [html("span.muted", { title: run.error }, html("bdi", {}, run.error))]);
    return;
  }
  if (!(cell.firstElementChild instanceof SVGElement)) fill(cell, sparkline());
  const curve = run.curve;
  if (curve) drawSparkline(/** @type {SVGElement} */ (cell.firstElementChild), curve);
}
