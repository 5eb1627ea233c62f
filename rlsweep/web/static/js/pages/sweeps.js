// The list of sweeps.

import { get } from "../core/api.js";
import { showDuration, time } from "../core/clock.js";
import { commandLine } from "../core/copying.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { compact, full, percent, plural } from "../core/format.js";
import { keepingPlace, reconcile } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { isUnfinished, statusBadge } from "../parts/badges.js";
import { fillChoices } from "../parts/choices.js";
import { FilterBar } from "../parts/filter_bar.js";
import { hideInstead, showFailureInstead, showInstead } from "../parts/instead_of_rows.js";
import { startExport } from "../parts/list_export.js";
import { readRows } from "../parts/paging.js";
import { progressBar, showProgress, showStatusProgress, statusProgress } from "../parts/progress.js";
import { tagLine } from "../parts/runs_table.js";
import { startViews } from "../parts/saved_views.js";

const PAGE = 100;
const HEADINGS = [
  ["Sweep", "wide"],
  ["Status", "medium"],
  ["Environment", "wide lesser"],
  ["Runs", "numeric medium runs"],
  ["Progress", "medium lesser"],
  ["Episodes", "numeric lesser"],
  ["Env steps", "numeric lesser"],
  ["Started", "medium lesser"],
  ["Duration", "numeric end"],
];

const EXPORTED = [
  "id",
  "name",
  "status",
  "mode",
  "environment",
  "runs",
  "progress",
  "episodes",
  "env_steps",
  "created_at",
  "finished_at",
  "seconds",
  "tags",
  "note",
];

const table = byId("sweeps");
const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
let wanted = PAGE;

const poller = new Poller(refresh, showFailureInstead);
const environmentFilter = /** @type {HTMLSelectElement} */ (byId("environment-filter"));
const tagFilter = /** @type {HTMLSelectElement} */ (byId("tag-filter"));
const filters = new FilterBar(
  () => {
    wanted = PAGE;
    poller.now();
  },
  { environment: environmentFilter, tag: tagFilter },
);

async function loadChoices() {
  const { environments, tags } = await get("/choices");
  const isOfSweeps = (/** @type {any} */ tag) => tag.sweeps > 0;
  fillChoices(environmentFilter, environments.map((/** @type {any} */ each) => each.environment), 2);
  fillChoices(tagFilter, tags.filter(isOfSweeps).map((/** @type {any} */ each) => each.tag), 1);
}

async function refresh() {
  const asked = JSON.stringify(filters.values);
  const { rows, total, cursor } = await readRows("/sweeps", "sweeps", filters.values, wanted);
  if (asked !== JSON.stringify(filters.values)) return true;
  setText(byId("sweep-count"), total === 0 ? "No sweeps" : plural(total, filters.isSet ? "matching sweep" : "sweep"));
  keepingPlace(body, () => reconcile(body, rows, (sweep) => sweep.id, makeRow, updateRow));
  table.hidden = total === 0;
  byId("table-foot").hidden = cursor === null;
  showEmpty(total);
  return rows.some((sweep) => isUnfinished(sweep.status));
}

function makeRow() {
  return html(
    "tr",
    { role: "row" },
    HEADINGS.map(([label, classes]) => html("td", { role: "cell", class: classes, "data-label": label })),
  );
}

/** @param {HTMLElement} row @param {any} sweep */
function updateRow(row, sweep) {
  const [name, status, environment, runs, progress, episodes, steps, started, took] = /** @type {HTMLElement[]} */ ([
    ...row.children,
  ]);
  const shown = JSON.stringify([sweep.status, sweep.note_version]);
  if (row.dataset.shown !== shown) {
    row.dataset.shown = shown;
    fill(
      name,
      html("a.cell-main", { href: `/training/sweeps/${sweep.id}`, title: sweep.name }, html("bdi", {}, sweep.name)),
      tagLine(sweep, "/training/sweeps"),
    );
    fill(status, statusBadge(sweep.status), statusProgress());
    fill(environment, html("bdi", { title: sweep.environment }, sweep.environment ?? "–"));
    fill(started, time(sweep.created_at));
    fill(progress, html("span.cell-text"), progressBar());
  }
  row.classList.toggle("is-running", sweep.status === "running");
  const failed = sweep.runs_by_status.failed ?? 0;
  setText(runs, failed ? `${full(sweep.runs)}, ${full(failed)} failed` : full(sweep.runs));
  setText(/** @type {HTMLElement} */ (progress.firstElementChild), percent(sweep.progress));
  showProgress(/** @type {HTMLElement} */ (progress.lastElementChild), sweep);
  showStatusProgress(/** @type {HTMLElement} */ (status.lastElementChild), sweep);
  setText(episodes, full(sweep.episodes));
  setText(steps, compact(sweep.env_steps));
  showDuration(took, sweep.seconds, isUnfinished(sweep.status));
}

/** @param {number} total */
function showEmpty(total) {
  if (total > 0) {
    hideInstead();
  } else if (filters.isSet) {
    showInstead("filtered", () => [
      html("h2", {}, "No sweep matches"),
      html("button.button", { type: "button", onclick: () => filters.clear() }, "Clear filters"),
    ]);
  } else {
    showInstead("new", () => [
      html("h2", {}, "No sweeps yet"),
      html("p", {}, "A sweep trains all configs that match its pattern in parallel:"),
      commandLine("rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml' --with-base --episodes 4000 --seeds 3"),
    ]);
  }
}

startPage(() => {
  poller.now();
  loadChoices().catch(() => {});
});
loadChoices().catch(() => {});
startViews("sweeps");
fill(
  /** @type {HTMLElement} */ (table.querySelector("thead")),
  html(
    "tr",
    { role: "row" },
    HEADINGS.map(([label, classes]) => html("th", { scope: "col", role: "columnheader", class: classes }, label)),
  ),
);
startExport("sweeps", "/sweeps", "sweeps", EXPORTED, () => filters.values);
byId("load-more").addEventListener("click", () => {
  wanted += PAGE;
  poller.now();
});
poller.now();
