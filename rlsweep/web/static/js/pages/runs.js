// The list of training runs.

import { commandLine } from "../core/copying.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { full, plural } from "../core/format.js";
import { keepingPlace, reconcile } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { setParameters } from "../parts/address.js";
import { isUnfinished } from "../parts/badges.js";
import { FilterBar } from "../parts/filter_bar.js";
import { HyperparameterColumns } from "../parts/hyperparameter_columns.js";
import { hideInstead, showFailureInstead, showInstead } from "../parts/instead_of_rows.js";
import { startExport } from "../parts/list_export.js";
import { readRows, withFirst } from "../parts/paging.js";
import { loadChoices } from "../parts/runs_choices.js";
import { EXPORTED, forExport, RunDetails } from "../parts/runs_details.js";
import { RunOrder } from "../parts/runs_order.js";
import { COLUMNS, makeHead, makeRow, updateRow } from "../parts/runs_table.js";
import { startViews } from "../parts/saved_views.js";
import { Selection } from "../parts/selection.js";

const PAGE = 50;
const MAX_POLLED = 500;
const CHOICES_MS = 15_000;

const table = byId("runs");
const head = /** @type {HTMLElement} */ (table.querySelector("thead"));
const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
const agentFilter = /** @type {HTMLSelectElement} */ (byId("agent-filter"));
const sweepFilter = /** @type {HTMLSelectElement} */ (byId("sweep-filter"));
const environmentFilter = /** @type {HTMLSelectElement} */ (byId("environment-filter"));
const tagFilter = /** @type {HTMLSelectElement} */ (byId("tag-filter"));

let columns = COLUMNS;
/** @type {any[]} */
let runs = [];
let wanted = PAGE;
let answered = "";
/** Cursor of the next page; null at the end. */
let cursor = /** @type {string | null} */ (null);
/** Whether shown rows were removed, so that all must be read again. */
let isLost = false;
let turns = 0;
/** Number of runs that match, as of the last answer. */
let total = 0;

const poller = new Poller(refresh, showFailure);
const filters = new FilterBar(askAnew, {
  agent_id: agentFilter,
  sweep_id: sweepFilter,
  environment: environmentFilter,
  tag: tagFilter,
});
const order = new RunOrder(head, (sort) => filters.set({ sort }));
const chosenColumns = new HyperparameterColumns(() => filters.values, askAnew);
const details = new RunDetails();
const selection = new Selection(showChosen);
const footObserver = new IntersectionObserver(
  (entries) => entries.some((entry) => entry.isIntersecting) && showMore(),
  { rootMargin: "600px" },
);

function question() {
  return { ...filters.values, sort: order.sort };
}

function askAnew() {
  wanted = PAGE;
  if (titles(columns) !== titles(allColumns())) remakeTable();
  order.show(columns);
  poller.now();
}

async function refresh() {
  const turn = ++turns;
  const asked = question();
  const key = JSON.stringify(asked);
  const isSame = key === answered;
  const isMore = isSame && runs.length < wanted && cursor !== null;
  const isPoll = isSame && !isMore && !isLost;
  const found = await readRows(
    "/training-runs",
    "runs",
    asked,
    isMore ? wanted - runs.length : isPoll ? Math.min(wanted, MAX_POLLED) : wanted,
    isMore ? cursor : null,
  );
  if (turn !== turns || JSON.stringify(question()) !== key) return true;
  if (isMore) {
    const known = new Set(runs.map((run) => run.id));
    runs = [...runs, ...found.rows.filter((run) => !known.has(run.id))];
    cursor = found.cursor;
  } else if (isPoll && found.cursor !== null && runs.length > found.rows.length) {
    runs = withFirst(runs, found.rows);
  } else {
    ({ rows: runs, cursor } = found);
  }
  answered = key;
  isLost = false;
  total = found.total;
  show(isPoll);
  if (!isSame || isMore) lookAtFootAgain();
  await loadDetails();
  return runs.some((run) => isUnfinished(run.status));
}

/** @param {boolean} isPoll whether a poll read the shown rows again */
function show(isPoll) {
  for (const skeleton of body.querySelectorAll(".skeleton-row")) skeleton.remove();
  keepingPlace(body, () => {
    const made = reconcile(
      body,
      runs,
      (run) => run.id,
      (run) => makeRow(run, choose, columns),
      showRow,
    );
    if (isPoll && made.length < PAGE) for (const row of made) row.classList.add("is-new");
  });
  const count = total === 0 ? "No runs" : plural(total, filters.isSet ? "matching run" : "run");
  setText(byId("run-count"), runs.length < total ? `${count}, ${full(runs.length)} shown` : count);
  byId("table-foot").hidden = runs.length >= total;
  table.hidden = total === 0;
  showEmpty(total);
  showChosen();
}

/** @param {HTMLElement} row @param {any} run */
function showRow(row, run) {
  updateRow(row, details.with(run), selection.has(run.id), columns);
}

function allColumns() {
  return [...COLUMNS, ...chosenColumns.columns];
}

/** @param {import("../parts/runs_table.js").Column[]} given */
function titles(given) {
  return given.map(({ label, title }) => title ?? label).join("\n");
}

/** Show the table with the columns that are chosen now. */
function remakeTable() {
  columns = allColumns();
  makeTableHead();
  order.show(columns);
  fill(body);
  if (runs.length > 0) show(false);
  loadDetails().catch(() => {});
}

/** @param {number} total */
function showEmpty(total) {
  if (total > 0) {
    hideInstead();
  } else if (filters.isSet) {
    showInstead("filtered", () => [
      html("h2", {}, "No run matches"),
      html("p", {}, "No record matches all filters."),
      clearButton(),
    ]);
  } else {
    showInstead("new", () => [
      html("h2", {}, "No training runs yet"),
      html("p", {}, "Runs appear here while they train. Start a sweep over your agent configs from a terminal:"),
      commandLine("rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml' --with-base --episodes 4000 --seeds 3"),
      html("p", {}, "or train one config:"),
      commandLine("rlsweep train --agent-config config/agents/ppo_agent_v1.yaml --total-timesteps 100000"),
    ]);
  }
}

/** @param {unknown} error */
function showFailure(error) {
  table.hidden = true;
  setText(byId("run-count"), "");
  showFailureInstead(error, clearButton());
}

function clearButton() {
  const clear = () => {
    setParameters({ sort: null });
    filters.clear();
  };
  return html("button.button", { type: "button", onclick: clear }, "Clear filters");
}

async function loadDetails() {
  if (await chosenColumns.load(runs)) showAgain(new Map(runs.map((run) => [run.id, run])));
  await details.load(runs, showAgain);
}

/** Show what has been read of runs beside their rows. @param {Map<string, any>} read runs by id */
function showAgain(read) {
  for (const row of /** @type {HTMLElement[]} */ ([...body.children])) {
    const run = read.get(row.dataset.key ?? "");
    if (run) showRow(row, run);
  }
}

/** @param {string} id @param {boolean} isChosen @param {boolean} extend */
function choose(id, isChosen, extend) {
  selection.choose(
    runs.map((run) => run.id),
    id,
    isChosen,
    extend,
  );
}

function showChosen() {
  for (const row of /** @type {HTMLElement[]} */ ([...body.children])) {
    const isChosen = selection.has(row.dataset.key ?? "");
    row.classList.toggle("is-chosen", isChosen);
    const check = /** @type {HTMLInputElement | null} */ (row.querySelector(".check"));
    if (check) check.checked = isChosen;
  }
  const all = /** @type {HTMLInputElement} */ (byId("choose-all"));
  const shown = runs.filter((run) => selection.has(run.id)).length;
  all.checked = shown > 0 && shown === runs.length;
  all.indeterminate = shown > 0 && shown < runs.length;
}

function makeTableHead() {
  table.classList.toggle("has-columns", columns.length > COLUMNS.length);
  const chooseAll = (/** @type {boolean} */ isChosen) =>
    selection.set(
      runs.map((run) => run.id),
      isChosen,
    );
  makeHead(head, { sort: (key) => order.by(key), chooseAll }, columns);
}

function offerChoices() {
  loadChoices({
    agent: agentFilter,
    sweep: sweepFilter,
    environment: environmentFilter,
    tag: tagFilter,
  }).catch(() => {});
}

function startKeys() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), select, dialog"))
      return;
    const rows = /** @type {HTMLElement[]} */ ([...body.children]);
    const at = rows.findIndex((row) => row.contains(target));
    if (event.key === "j" || event.key === "k") {
      const next = rows[at === -1 ? 0 : at + (event.key === "j" ? 1 : -1)];
      next?.querySelector("a")?.focus();
      next?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "x" && at >= 0) {
      const id = rows[at].dataset.key ?? "";
      choose(id, !selection.has(id), false);
    } else if (event.key === "c" && selection.address) {
      location.href = selection.address;
    }
  });
}

function showMore() {
  if (runs.length < wanted && cursor !== null) return;
  isLost = cursor === null;
  wanted = runs.length + PAGE;
  poller.now();
}

/**
 * An observer reports only changes: nothing if the foot stayed visible, or left and came back within one frame.
 * Observing it again reports its current position.
 */
function lookAtFootAgain() {
  const foot = byId("table-foot");
  footObserver.unobserve(foot);
  footObserver.observe(foot);
}

startPage(() => {
  poller.now();
  offerChoices();
});
columns = allColumns();
makeTableHead();
startViews("runs");
order.show(columns);
fill(
  body,
  Array.from({ length: 12 }, () =>
    html(
      "tr.skeleton-row",
      { role: "row" },
      html("td", { role: "cell", colspan: columns.length + 1 }, html("span.skeleton.line")),
    ),
  ),
);
startKeys();
startExport("training-runs", "/training-runs", "runs", EXPORTED, question, forExport);
byId("load-more").addEventListener("click", showMore);
poller.now();
offerChoices();
window.setInterval(() => !document.hidden && offerChoices(), CHOICES_MS);
