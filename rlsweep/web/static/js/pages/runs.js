// The list of training runs.

import { get } from "../core/api.js";
import { announce, byId, fill, html, icon, setText } from "../core/dom.js";
import { full, plural } from "../core/format.js";
import { keepingPlace, reconcile } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { commandLine } from "../core/copying.js";
import { debounced, parameter, parameters, setParameters } from "../parts/address.js";
import { STATUSES, isUnfinished } from "../parts/badges.js";
import { fillSelect } from "../parts/choices.js";
import { COLUMNS, makeHead, makeRow, showSort, updateRow } from "../parts/runs_table.js";

const PAGE = 100;
const MOST_AT_ONCE = 500;
const SPARKLINES_AT_ONCE = 100;
const DEFAULT_SORT = "-started_at";
const DESCENDING_FIRST = new Set(["started_at", "duration", "episodes", "env_steps", "mean_reward", "win_rate"]);
const ALTERNATIVES = "config/agents/ppo_agent_sweep_*.yaml";

const table = byId("runs");
const head = /** @type {HTMLElement} */ (table.querySelector("thead"));
const body = /** @type {HTMLElement} */ (table.querySelector("tbody"));
const search = /** @type {HTMLInputElement} */ (byId("search"));
const agentFilter = /** @type {HTMLSelectElement} */ (byId("agent-filter"));
const sweepFilter = /** @type {HTMLSelectElement} */ (byId("sweep-filter"));
const sortSelect = /** @type {HTMLSelectElement} */ (byId("sort-select"));

/** @type {any[]} */
let runs = [];
let cursor = /** @type {string | null} */ (null);
let wanted = PAGE;
let question = "";
let lastChosen = "";
/** @type {Map<string, any>} chosen runs by id; they stay chosen when the filter hides them */
const chosen = new Map();
/** @type {Map<string, {episodes: number, curve: (number | null)[]}>} */
const curves = new Map();

const poller = new Poller(refresh, showFailure);

function filters() {
  return {
    q: parameter("q"),
    agent_id: parameters("agent_id"),
    status: parameters("status"),
    sweep_id: parameters("sweep_id"),
    sort: parameter("sort") || DEFAULT_SORT,
  };
}

async function refresh() {
  const asked = filters();
  const now = JSON.stringify(asked);
  const isSame = now === question;
  const fresh = [];
  let next = null;
  let total = 0;
  const enough = Math.min(wanted, isSame && runs.length >= wanted ? MOST_AT_ONCE : wanted);
  do {
    const answer = await get("/training-runs", { ...asked, limit: Math.min(MOST_AT_ONCE, enough - fresh.length), cursor: next });
    fresh.push(...answer.runs);
    total = answer.total;
    next = answer.next_cursor;
  } while (next && fresh.length < enough);
  if (JSON.stringify(filters()) !== now) return true;
  if (isSame && fresh.length >= MOST_AT_ONCE && runs.length > fresh.length) {
    const known = new Set(fresh.map((run) => run.id));
    runs = [...fresh, ...runs.slice(fresh.length).filter((run) => !known.has(run.id))];
  } else {
    runs = fresh;
    cursor = next;
  }
  question = now;
  show(total, isSame);
  await loadCurves();
  return runs.some((run) => isUnfinished(run.status));
}

/** @param {number} total @param {boolean} isSame whether the question is the one before */
function show(total, isSame) {
  for (const skeleton of body.querySelectorAll(".skeleton-row")) skeleton.remove();
  keepingPlace(body, () => {
    const made = reconcile(body, runs, (run) => run.id, (run) => makeRow(run, choose), (row, run) => {
      updateRow(row, { ...run, curve: curves.get(run.id)?.curve }, chosen.has(run.id));
    });
    if (isSame) for (const row of made.length < PAGE ? made : []) row.classList.add("is-new");
  });
  const isFiltered = hasFilters();
  setText(byId("run-count"), total === 0 ? "No runs" : `${plural(total, isFiltered ? "matching run" : "run")}${runs.length < total ? `, ${full(runs.length)} shown` : ""}`);
  byId("table-foot").hidden = !cursor;
  byId("clear-filters").hidden = !isFiltered;
  table.hidden = total === 0;
  showEmpty(total, isFiltered);
  showChosen();
}

/** @param {number} total @param {boolean} isFiltered */
function showEmpty(total, isFiltered) {
  const empty = byId("empty");
  empty.hidden = total > 0;
  if (total > 0 || empty.dataset.filtered === String(isFiltered)) return;
  empty.dataset.filtered = String(isFiltered);
  if (isFiltered) {
    fill(empty, html("h2", {}, "No run matches"), html("p", {}, "Nothing on record fits all of these filters."),
      html("button.button", { type: "button", onclick: clearFilters }, "Clear filters"));
  } else {
    fill(empty, html("h2", {}, "Nothing trained yet"),
      html("p", {}, "Runs appear here while they train. Start a sweep over your agent configs from a terminal:"),
      commandLine(`rlsweep submit '${ALTERNATIVES}' --with-base --episodes 4000 --seeds 3`),
      html("p", {}, "or train one config:"),
      commandLine("rlsweep train --agent-config config/agents/ppo_agent_v1.yaml --total-timesteps 100000"));
  }
}

/** @param {unknown} error */
function showFailure(error) {
  const message = error instanceof Error ? error.message : String(error);
  table.hidden = true;
  setText(byId("run-count"), "");
  byId("empty").hidden = false;
  byId("empty").dataset.filtered = "failed";
  fill(byId("empty"), html("h2", {}, "The list cannot be shown"), html("p", {}, message),
    html("button.button", { type: "button", onclick: clearFilters }, "Clear filters"));
}

async function loadCurves() {
  const stale = runs.filter((run) => run.episodes > 0 && curves.get(run.id)?.episodes !== run.episodes);
  for (let start = 0; start < stale.length; start += SPARKLINES_AT_ONCE) {
    const part = stale.slice(start, start + SPARKLINES_AT_ONCE);
    const answer = await get("/training-runs/sparklines", { id: part.map((run) => run.id) });
    for (const run of part) curves.set(run.id, { episodes: run.episodes, curve: answer.sparklines[run.id] ?? [] });
    const byKey = new Map(part.map((run) => [run.id, run]));
    for (const row of /** @type {HTMLElement[]} */ ([...body.children])) {
      const run = byKey.get(row.dataset.key ?? "");
      if (run) updateRow(row, { ...run, curve: curves.get(run.id)?.curve }, chosen.has(run.id));
    }
  }
}

/** @param {string} id @param {boolean} isChosen @param {boolean} extend up to the one chosen before */
function choose(id, isChosen, extend) {
  const ids = runs.map((run) => run.id);
  const from = extend && lastChosen ? ids.indexOf(lastChosen) : ids.indexOf(id);
  const to = ids.indexOf(id);
  for (const run of runs.slice(Math.min(from, to), Math.max(from, to) + 1)) setChosen(run, isChosen);
  lastChosen = id;
  showChosen();
}

/** @param {any} run @param {boolean} isChosen */
function setChosen(run, isChosen) {
  if (isChosen) chosen.set(run.id, run);
  else chosen.delete(run.id);
}

function showChosen() {
  for (const row of /** @type {HTMLElement[]} */ ([...body.children])) {
    const isChosen = chosen.has(row.dataset.key ?? "");
    row.classList.toggle("is-chosen", isChosen);
    const check = /** @type {HTMLInputElement | null} */ (row.querySelector(".check"));
    if (check) check.checked = isChosen;
  }
  const all = /** @type {HTMLInputElement} */ (byId("choose-all"));
  const shown = runs.filter((run) => chosen.has(run.id)).length;
  all.checked = shown > 0 && shown === runs.length;
  all.indeterminate = shown > 0 && shown < runs.length;
  const bar = byId("selection-bar");
  bar.hidden = chosen.size === 0;
  if (bar.dataset.count === String(chosen.size) || chosen.size === 0) return;
  bar.dataset.count = String(chosen.size);
  const compare = html("a.button.primary", { href: compareAddress(), id: "compare-chosen" }, `Compare (${chosen.size})`);
  if (chosen.size < 2) {
    compare.setAttribute("aria-disabled", "true");
    compare.removeAttribute("href");
    compare.title = "Choose another run to compare it with";
  }
  fill(bar, html("span", {}, plural(chosen.size, "run"), " chosen"), compare,
    html("button.icon-button", { type: "button", "aria-label": "Choose none", title: "Choose none", onclick: chooseNone }, icon("close")));
  announce(`${plural(chosen.size, "run")} chosen`);
}

function compareAddress() {
  return `/training/compare?runs=${[...chosen.keys()].join(",")}`;
}

function chooseNone() {
  chosen.clear();
  showChosen();
  byId("choose-all").focus();
}

/** @param {string} key */
function sortBy(key) {
  const { sort } = filters();
  const isDescending = sort === `-${key}` ? false : sort === key ? true : DESCENDING_FIRST.has(key);
  setSort(`${isDescending ? "-" : ""}${key}`);
}

/** @param {string} sort */
function setSort(sort) {
  change({ sort: sort === DEFAULT_SORT ? null : sort });
}

/** @param {Record<string, string | string[] | null>} changes @param {boolean} [step] */
function change(changes, step = true) {
  setParameters(changes, { step });
  wanted = PAGE;
  showFilters();
  poller.now();
}

function hasFilters() {
  const { q, agent_id, status, sweep_id } = filters();
  return q !== "" || agent_id.length + status.length + sweep_id.length > 0;
}

function clearFilters() {
  search.value = "";
  change({ q: null, agent_id: null, status: null, sweep_id: null });
  search.focus();
}

function showFilters() {
  const { q, agent_id, status, sweep_id, sort } = filters();
  if (document.activeElement !== search) search.value = q;
  agentFilter.value = agent_id[0] ?? "";
  sweepFilter.value = sweep_id[0] ?? "";
  for (const button of byId("status-filter").children) {
    button.setAttribute("aria-pressed", String(status.includes(/** @type {HTMLElement} */ (button).dataset.status ?? "")));
  }
  showSort(head, sort);
  sortSelect.value = sort;
}

function makeFilters() {
  fill(byId("status-filter"), STATUSES.map((status) => {
    const button = html("button", { type: "button", "aria-pressed": "false", "data-status": status }, icon(status, "small"), status);
    button.addEventListener("click", () => {
      const now = filters().status;
      change({ status: now.includes(status) ? now.filter((each) => each !== status) : [...now, status] });
    });
    return button;
  }));
  const typed = debounced(() => change({ q: search.value.trim() || null }, false), 150);
  search.addEventListener("input", typed);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  agentFilter.addEventListener("change", () => change({ agent_id: agentFilter.value || null }));
  sweepFilter.addEventListener("change", () => change({ sweep_id: sweepFilter.value || null }));
  sortSelect.addEventListener("change", () => setSort(sortSelect.value));
  fillSelect(sortSelect, COLUMNS.flatMap((column) => /** @type {[string, string][]} */ (column.key
    ? [[`-${column.key}`, `${column.label} ↓`], [column.key, `${column.label} ↑`]]
    : [])), filters().sort);
  byId("clear-filters").addEventListener("click", clearFilters);
  window.addEventListener("popstate", () => {
    showFilters();
    poller.now();
  });
}

async function loadChoices() {
  const { agent_id, sweep_id } = filters();
  const [{ agents }, { sweeps }] = await Promise.all([get("/training-runs/agents/list"), get("/sweeps", { limit: 200 })]);
  const known = agents.map((/** @type {any} */ agent) => agent.agent_id);
  fillSelect(agentFilter, [["", "All"], ...[...new Set([...known, ...agent_id])].map((id) => /** @type {[string, string]} */ ([id, id]))], agent_id[0] ?? "");
  const names = new Map(sweeps.map((/** @type {any} */ sweep) => [sweep.id, sweep.name]));
  for (const id of sweep_id) if (!names.has(id)) names.set(id, id.slice(0, 8));
  fillSelect(sweepFilter, [["", "All"], .../** @type {[string, string][]} */ ([...names])], sweep_id[0] ?? "");
}

function startKeys() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input:not([type=checkbox]), select, dialog")) return;
    const rows = /** @type {HTMLElement[]} */ ([...body.children]);
    const at = rows.findIndex((row) => row.contains(target));
    if (event.key === "j" || event.key === "k") {
      const next = rows[at === -1 ? 0 : at + (event.key === "j" ? 1 : -1)];
      next?.querySelector("a")?.focus();
      next?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "x" && at >= 0) {
      const id = rows[at].dataset.key ?? "";
      choose(id, !chosen.has(id), false);
    } else if (event.key === "c" && chosen.size > 1) {
      location.href = compareAddress();
    }
  });
}

function showMore() {
  if (runs.length < wanted) return;
  wanted += PAGE;
  poller.now();
}

function makeSkeleton() {
  fill(body, Array.from({ length: 12 }, () => html("tr.skeleton-row", { role: "row" }, html("td", { role: "cell", colspan: COLUMNS.length + 1 }, html("span.skeleton.line")))));
}

startPage(() => {
  poller.now();
  loadChoices().catch(() => {});
});
makeHead(head, {
  sort: sortBy,
  chooseAll: (isChosen) => {
    for (const run of runs) setChosen(run, isChosen);
    showChosen();
  },
});
makeFilters();
showFilters();
makeSkeleton();
startKeys();
byId("load-more").addEventListener("click", showMore);
new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && showMore(), { rootMargin: "600px" }).observe(byId("table-foot"));
poller.now();
loadChoices().catch(() => {});
window.setInterval(() => !document.hidden && loadChoices().catch(() => {}), 15_000);
