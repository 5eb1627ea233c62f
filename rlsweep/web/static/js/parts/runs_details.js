// What the list of runs reads beside its rows, a hundred runs at a time: reward curves, scores and hyperparameters.

import { get } from "../core/api.js";

const AT_ONCE = 100;

/** @typedef {{mark: string, curve: (number | null)[], score: any}} Detail */

export class RunDetails {
  constructor() {
    /** By run id. @type {Map<string, Detail>} */
    this.known = new Map();
  }

  /** A run of the list with its curve and score, where they have been read. @param {any} run */
  with(run) {
    const read = this.known.get(run.id);
    return { ...run, curve: read?.curve, score: read?.score };
  }

  /**
   * Read what is missing or has changed since.
   * @param {any[]} runs of the list
   * @param {(runs: Map<string, any>) => void} show called with each part that has been read, by run id
   */
  async load(runs, show) {
    const stale = runs.filter((run) => run.episodes > 0 && this.known.get(run.id)?.mark !== markOf(run));
    for (let start = 0; start < stale.length; start += AT_ONCE) {
      const part = new Map(stale.slice(start, start + AT_ONCE).map((run) => [run.id, run]));
      const asked = { id: [...part.keys()] };
      const [{ sparklines }, { scores }] = await Promise.all([
        get("/training-runs/sparklines", asked),
        get("/training-runs/scores", asked),
      ]);
      for (const [id, run] of part)
        this.known.set(id, { mark: markOf(run), curve: sparklines[id] ?? [], score: scores[id] ?? null });
      show(part);
    }
  }
}

/** What changes when a run has recorded more. @param {any} run */
function markOf(run) {
  return `${run.episodes} ${run.status}`;
}

/** Rows as they are exported: their scores and hyperparameters too. @param {any[]} rows @returns {Promise<any[]>} */
export async function forExport(rows) {
  const scores = /** @type {Record<string, any>} */ ({});
  const settings = /** @type {Record<string, any>} */ ({});
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const asked = { id: rows.slice(start, start + AT_ONCE).map((run) => run.id) };
    const [scored, set] = await Promise.all([
      get("/training-runs/scores", asked),
      get("/training-runs/hyperparameters", asked),
    ]);
    Object.assign(scores, scored.scores);
    Object.assign(settings, set.hyperparameters);
  }
  return rows.map((run) => ({
    ...run,
    score: scores[run.id]?.value,
    score_definition: scores[run.id]?.definition,
    score_win_rate: scores[run.id]?.win_rate,
    hyperparameters: settings[run.id],
  }));
}

/** The fields of such a row. */
export const EXPORTED = [
  "id",
  "config_short_name",
  "config_name",
  "agent_id",
  "algorithm",
  "version",
  "sweep_variant",
  "sweep_name",
  "environment",
  "seed",
  "status",
  "started_at",
  "ended_at",
  "seconds",
  "episodes",
  "updates",
  "env_steps",
  "score",
  "score_definition",
  "score_win_rate",
  "mean_reward",
  "win_rate",
  "mean_length",
  "steps_per_second",
  "error",
  "tags",
  "note",
];
