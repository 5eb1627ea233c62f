// One training run.

import { ApiError, get } from "../core/api.js";
import { showDuration } from "../core/clock.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { number, percent, reward } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { isUnfinished, runBadge } from "../parts/badges.js";
import { Notes } from "../parts/notes.js";
import { RunCharts } from "../parts/run_charts.js";
import { RunDiagnosisPanel } from "../parts/run_diagnosis.js";
import {
  checkpointsPanel,
  configSummary,
  failurePanel,
  reproducePanel,
  statisticsPanel,
  tiles,
} from "../parts/run_summary.js";

const reference = byId("run-page").dataset.run ?? "";
/** @type {RunCharts | null} */
let charts = null;
/** @type {Notes | null} */
let notes = null;
let shown = /** @type {any} */ (null);
const figures = html("div");
const statistics = html("div");
const summary = html("div");
const health = new RunDiagnosisPanel();
const checkpoints = html("div");
const reproduce = html("div");

const poller = new Poller(refresh, showFailure);

async function refresh() {
  const run = await get(`/training-runs/${encodeURIComponent(reference)}`);
  if (!charts) {
    const { colours } = await get("/colours", { run: run.id });
    charts = new RunCharts(run.id, `${run.config_short_name}-seed-${run.seed}`, colours[run.id]);
  }
  const body = byId("run-body");
  if (!body.contains(charts.element)) {
    body.classList.add("run-layout");
    fill(
      body,
      html("div.run-main", {}, figures, charts.element, health.element, html("div.halves", {}, checkpoints, reproduce)),
      html("div.run-side", {}, summary, statistics),
    );
  }
  if (!notes) {
    notes = new Notes(`/training-runs/${run.id}`, "/training", () => poller.now());
    byId("notes").append(notes.element);
  }
  notes.update(run);
  if (run !== shown) show(run);
  await Promise.all([charts.update(run), health.update(run.id)]);
  return isUnfinished(run.status);
}

/** @param {any} run */
function show(run) {
  const before = shown;
  shown = run;
  document.title = `${run.config_short_name} seed ${run.seed} · rlsweep`;
  run.figures = {
    score: reward(run.score),
    win_rate: percent(run.score_win_rate),
    speed: number(run.steps_per_second),
  };
  if (before?.status !== run.status) showHead(run);
  refill(byId("run-error"), run.status === "failed" ? failurePanel(run) : null);
  refill(figures, tiles(run));
  showDuration(byId("run-duration"), run.started_at ? run.seconds : null, run.status === "running");
  refill(statistics, statisticsPanel(run));
  const key = JSON.stringify(run.checkpoints);
  if (checkpoints.dataset.key !== key + run.status) {
    checkpoints.dataset.key = key + run.status;
    refill(checkpoints, checkpointsPanel(run));
  }
  if (
    !before ||
    JSON.stringify([before.differs_from_base, before.base]) !== JSON.stringify([run.differs_from_base, run.base])
  )
    refill(summary, configSummary(run));
  if (!before || JSON.stringify(before.reproduce) !== JSON.stringify(run.reproduce))
    refill(reproduce, reproducePanel(run));
}

/** @param {any} run */
function showHead(run) {
  fill(
    byId("crumbs"),
    html("a", { href: "/training" }, "Runs"),
    run.sweep_id && html("a", { href: `/training/sweeps/${run.sweep_id}` }, html("bdi", {}, run.sweep_name)),
  );
  fill(
    byId("run-head"),
    html(
      "div",
      {},
      html(
        "div.page-title",
        {},
        html("h1.clamped", {}, html("bdi", {}, run.config_short_name)),
        html("span.tag", {}, `seed ${run.seed}`),
        runBadge(run),
      ),
      html(
        "p.page-sub.clamped",
        {},
        html("bdi", {}, run.description || `${run.algorithm} on ${run.environment ?? "an unknown environment"}`),
      ),
    ),
    run.sweep_id &&
      html(
        "div.page-actions",
        {},
        html("a.button", { href: `/training/sweeps/${run.sweep_id}` }, "Compare within its sweep"),
      ),
  );
}

/** @param {unknown} error */
function showFailure(error) {
  shown = null; // so that the next answer is shown in full
  const isMissing = error instanceof ApiError && error.status === 404;
  setText(
    /** @type {HTMLElement} */ (byId("run-head").querySelector("h1")),
    isMissing ? "Run not found" : "Cannot show this run",
  );
  const body = byId("run-body");
  body.classList.remove("run-layout");
  fill(
    body,
    html(
      "section.panel.empty",
      {},
      html("p", {}, error instanceof Error ? error.message : String(error)),
      html("a.button", { href: "/training" }, "All runs"),
    ),
  );
}

startPage(() => poller.now());
poller.now();
