// The list of sweeps.

import { get } from "../core/api.js";
import { showDuration, time } from "../core/clock.js";
import { commandLine } from "../core/copying.js";
import { byId, fill, html, icon, setText } from "../core/dom.js";
import { compact, full, percent, plural } from "../core/format.js";
import { keepingPlace, reconcile } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { debounced, parameter, parameters, setParameters } from "../parts/address.js";
import { STATUSES, isUnfinished, statusBadge } from "../parts/badges.js";

const PAGE = 100;
const MOST_AT_ONCE = 500;
const HEADINGS = [
  ["Sweep", "wide"], ["Status", "medium"], ["Environment", "wide lesser"], ["Runs", "numeric medium runs"], ["Progress", "medium lesser"],
  ["Episodes", "numeric lesser"], ["Env steps", "numeric lesser"], ["Started", "medium lesser"], ["Duration", "numeric end"],
];

const table = byId("sweeps");
const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
const search = /** @type {HTMLInputElement} */ (byId("search"));
let wanted = PAGE;

const poller = new Poller(refresh, showFailure);

function filters() {
  return { q: parameter("q"), status: parameters("status") };
}

async function refresh() {
  const asked = JSON.stringify(filters());
  /** @type {any[]} */
  const sweeps = [];
  let cursor = null;
  let total = 0;
  do {
    const answer = await get("/sweeps", { ...filters(), limit: Math.min(MOST_AT_ONCE, wanted - sweeps.length), cursor });
    sweeps.push(...answer.sweeps);
    ({ total, next_cursor: cursor } = answer);
  } while (cursor && sweeps.length < wanted);
  if (asked !== JSON.stringify(filters())) return true;
  const isFiltered = filters().q !== "" || filters().status.length > 0;
  setText(byId("sweep-count"), total === 0 ? "No sweeps" : plural(total, isFiltered ? "matching sweep" : "sweep"));
  keepingPlace(body, () => reconcile(body, sweeps, (sweep) => sweep.id, makeRow, updateRow));
  table.hidden = total === 0;
  byId("table-foot").hidden = !cursor;
  byId("clear-filters").hidden = !isFiltered;
  showEmpty(total, isFiltered);
  return sweeps.some((sweep) => isUnfinished(sweep.status));
}

/** @param {any} sweep */
function makeRow(sweep) {
  return html("tr", { role: "row" }, HEADINGS.map(([label, classes]) => html("td", { role: "cell", class: classes, "data-label": label })),
  );
}

/** @param {HTMLElement} row @param {any} sweep */
function updateRow(row, sweep) {
  const [name, status, environment, runs, progress, episodes, steps, started, took] = /** @type {HTMLElement[]} */ ([...row.children]);
  if (row.dataset.status !== sweep.status) {
    row.dataset.status = sweep.status;
    fill(name, html("a.cell-main", { href: `/training/sweeps/${sweep.id}`, title: sweep.name }, html("bdi", {}, sweep.name)));
    fill(status, statusBadge(sweep.status));
    fill(environment, html("bdi", { title: sweep.environment }, sweep.environment ?? "–"));
    fill(started, time(sweep.created_at));
    fill(progress, html("span.cell-text"), html("span.progress", {}, html("span.progress-bar")));
  }
  row.classList.toggle("is-running", sweep.status === "running");
  const failed = sweep.runs_by_status.failed ?? 0;
  setText(runs, failed ? `${full(sweep.runs)}, ${full(failed)} failed` : full(sweep.runs));
  setText(/** @type {HTMLElement} */ (progress.firstElementChild), percent(sweep.progress));
  const bar = /** @type {HTMLElement} */ (progress.lastElementChild);
  bar.hidden = !isUnfinished(sweep.status);
  /** @type {HTMLElement} */ (bar.firstElementChild).style.width = `${sweep.progress * 100}%`;
  setText(episodes, full(sweep.episodes));
  setText(steps, compact(sweep.env_steps));
  showDuration(took, sweep.seconds, isUnfinished(sweep.status));
}

/** @param {number} total @param {boolean} isFiltered */
function showEmpty(total, isFiltered) {
  const empty = byId("empty");
  empty.hidden = total > 0;
  if (total > 0 || empty.dataset.filtered === String(isFiltered)) return;
  empty.dataset.filtered = String(isFiltered);
  if (isFiltered) {
    fill(empty, html("h2", {}, "No sweep matches"), html("button.button", { type: "button", onclick: clearFilters }, "Clear filters"));
  } else {
    fill(empty, html("h2", {}, "No sweeps yet"), html("p", {}, "A sweep trains every config that its pattern names, side by side:"),
      commandLine("rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml' --with-base --episodes 4000 --seeds 3"));
  }
}

/** @param {unknown} error */
function showFailure(error) {
  byId("empty").hidden = false;
  fill(byId("empty"), html("h2", {}, "The list cannot be shown"), html("p", {}, error instanceof Error ? error.message : String(error)));
}

/** @param {Record<string, string | string[] | null>} changes @param {boolean} [step] */
function change(changes, step = true) {
  setParameters(changes, { step });
  wanted = PAGE;
  showFilters();
  poller.now();
}

function clearFilters() {
  search.value = "";
  change({ q: null, status: null });
  search.focus();
}

function showFilters() {
  const { q, status } = filters();
  if (document.activeElement !== search) search.value = q;
  for (const button of byId("status-filter").children) {
    button.setAttribute("aria-pressed", String(status.includes(/** @type {HTMLElement} */ (button).dataset.status ?? "")));
  }
}

startPage(() => poller.now());
fill(/** @type {HTMLElement} */ (table.querySelector("thead")), html("tr", { role: "row" }, HEADINGS.map(([label, classes]) => html("th", { scope: "col", role: "columnheader", class: classes }, label))));
fill(byId("status-filter"), STATUSES.map((status) => {
  const button = html("button", { type: "button", "aria-pressed": "false", "data-status": status }, icon(status, "small"), status);
  button.addEventListener("click", () => {
    const now = filters().status;
    change({ status: now.includes(status) ? now.filter((each) => each !== status) : [...now, status] });
  });
  return button;
}));
search.addEventListener("input", debounced(() => change({ q: search.value.trim() || null }, false), 150));
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("clear-filters").addEventListener("click", clearFilters);
byId("load-more").addEventListener("click", () => {
  wanted += PAGE;
  poller.now();
});
window.addEventListener("popstate", () => {
  showFilters();
  poller.now();
});
showFilters();
poller.now();
