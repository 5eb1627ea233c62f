// One sweep: its progress and the comparison of its configs.

import { ApiError, get } from "../core/api.js";
import { showDuration, time } from "../core/clock.js";
import { copyable } from "../core/copying.js";
import { byId, fill, html, icon, setText } from "../core/dom.js";
import { compact, duration, full, percent, plural } from "../core/format.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { LineagePanel } from "../comparison/lineage.js";
import { TournamentPanel } from "../comparison/tournament.js";
import { ComparisonView } from "../comparison/view.js";
import { STATUSES, isUnfinished, statusBadge } from "../parts/badges.js";
import { Notes } from "../parts/notes.js";

/** The statuses of runs that nobody trains, in the order of the progress bar. */
const ENDED = ["completed", "paused", "stopped", "failed"];

const reference = byId("sweep-page").dataset.sweep ?? "";
const address = `/sweeps/${encodeURIComponent(reference)}`;
/** @type {ComparisonView | null} */
let view = null;
/** @type {TournamentPanel | null} */
let tournament = null;
/** @type {LineagePanel | null} */
let lineage = null;
let headOf = "";
/** @type {Notes | null} */
let notes = null;

const poller = new Poller(refresh, showFailure);

async function refresh() {
  const [sweep, report] = await Promise.all([get(address), get(`${address}/report`)]);
  view ??= new ComparisonView(byId("comparison"), sweep.name);
  document.title = `${sweep.name} · rlsweep`;
  showHead(sweep, report);
  showNotes(sweep);
  showProgress(sweep);
  await view.update(report, { sweep: sweep.id });
  if (view.styles) await view.health.update(sweep.id, view.styles, isUnfinished(sweep.status));
  tournament ??= new TournamentPanel(sweep.id, sweep.name);
  lineage ??= new LineagePanel(sweep.id, sweep.name);
  if (!view.root.contains(lineage.element)) view.rungs.after(lineage.element);
  if (!view.beforeRuns.contains(tournament.element)) view.beforeRuns.append(tournament.element);
  await lineage.update();
  await tournament.update(view.styles);
  return isUnfinished(sweep.status);
}

/**
 * @param {any} sweep
 * @param {any} report - A race gives each config as many seeds as help; each member of a population has one of its own.
 */
function showHead(sweep, { race, asha, population }) {
  const shown = JSON.stringify([sweep.name, sweep.status]);
  if (shown !== headOf) {
    headOf = shown;
    const facts = [
      sweep.environment,
      `${sweep.mode} mode`,
      budgetText(sweep.budget),
      race ? "race" : population ? `population of ${population.members.length}` : plural(sweep.seeds.length, "seed"),
      asha && "ASHA",
    ]
      .filter(Boolean)
      .join(" · ");
    fill(
      byId("sweep-head"),
      html(
        "div",
        {},
        html(
          "div.page-title",
          {},
          html("h1.clamped", { title: sweep.name }, html("bdi", {}, sweep.name)),
          statusBadge(sweep.status),
        ),
        html("p.page-sub", {}, facts, " · started ", time(sweep.created_at)),
      ),
      html(
        "div.page-actions",
        {},
        html("a.button", { href: `/training?sweep_id=${sweep.id}` }, "Show in the list of runs"),
      ),
    );
  }
}

/** @param {any} sweep */
function showNotes(sweep) {
  if (!notes) {
    notes = new Notes(`/sweeps/${sweep.id}`, "/training/sweeps", () => poller.now());
    byId("notes").append(notes.element);
  }
  notes.update(sweep);
}

/** @param {any} sweep */
function showProgress(sweep) {
  const isRunning = isUnfinished(sweep.status);
  const counts = STATUSES.filter((status) => sweep.runs_by_status[status]);
  const took = html("span");
  showDuration(took, sweep.seconds, isRunning && !sweep.driver_lost);
  const begun = [...ENDED, "running"].filter((status) => sweep.done_by_status[status]);
  const parts = begun.map((status) => {
    const part = html(`span.part.${status}`);
    part.style.width = `${(100 * sweep.done_by_status[status]) / Math.max(1, sweep.runs)}%`;
    return part;
  });
  const left = sweep.eta_seconds === null ? "" : `, about ${duration(sweep.eta_seconds)} left`;
  fill(
    byId("sweep-progress"),
    html(
      "section.panel.sweep-progress",
      { "aria-label": "Progress" },
      html(
        "div.sweep-progress-head",
        {},
        html(
          "strong",
          {},
          isRunning
            ? `${percent(sweep.progress)} of the budget${left}`
            : [plural(sweep.runs, "run"), sweep.status, sweep.progress < 1 && `${percent(sweep.progress)} trained`]
                .filter(Boolean)
                .join(", "),
        ),
        html("span.muted", {}, took, ` · ${full(sweep.episodes)} episodes · ${compact(sweep.env_steps)} env steps`),
      ),
      html(
        "div.progress.tall",
        {
          role: "progressbar",
          "aria-label": "Spent part of the budget",
          "aria-valuenow": Math.round(sweep.progress * 100),
          "aria-valuemin": 0,
          "aria-valuemax": 100,
        },
        parts,
      ),
      html(
        "div.status-counts",
        {},
        counts.map((status) =>
          html(`span.${status}`, {}, icon(status), `${full(sweep.runs_by_status[status])} ${status}`),
        ),
        sweep.git_commit &&
          html(
            "span",
            {},
            "commit ",
            html("code", {}, sweep.git_commit.slice(0, 10)),
            sweep.git_dirty && " with uncommitted changes",
          ),
        sweep.overrides.length > 0 &&
          html("span", { title: sweep.overrides.join("\n") }, "--set ", html("code", {}, sweep.overrides.join(" "))),
      ),
      sweep.driver_lost &&
        html(
          "p.panel-note",
          {},
          "The driver of this sweep sends no heartbeat. Continue the sweep: ",
          copyable(`rlsweep status ${sweep.name}`, "the command"),
        ),
    ),
  );
}

/** @param {any} budget */
function budgetText(budget) {
  return (
    [
      budget.episodes && `${full(budget.episodes)} episodes`,
      budget.total_timesteps && `${compact(budget.total_timesteps)} env steps`,
    ]
      .filter(Boolean)
      .join(", ") + " a run"
  );
}

/** @param {unknown} error */
function showFailure(error) {
  headOf = ""; // so that the next answer is shown in full
  const isMissing = error instanceof ApiError && error.status === 404;
  setText(
    /** @type {HTMLElement} */ (byId("sweep-head").querySelector("h1")),
    isMissing ? "Sweep not found" : "Cannot show this sweep",
  );
  fill(byId("sweep-progress"));
  fill(
    byId("comparison"),
    html(
      "section.panel.empty",
      {},
      html("p", {}, error instanceof Error ? error.message : String(error)),
      html("a.button", { href: "/training/sweeps" }, "All sweeps"),
    ),
  );
}

startPage(() => poller.now());
poller.now();
