// Every run of the comparison: one row per seed.

import { csvButton, panelHead } from "../charts/picture_tools.js";
import { swatch } from "../charts/swatch.js";
import { html } from "../core/dom.js";
import { compact, full, percent, reward } from "../core/format.js";
import { statusBadge, statusText } from "../parts/badges.js";
import { scrolling } from "../core/scrolling.js";
import { sortable } from "../parts/sortable.js";

/** @param {any} report @param {import("./leaderboard.js").Styles} styles @param {string} file */
export function seedsPanel(report, styles, file) {
  const failures = new Map(report.failures.map((/** @type {any} */ failure) => [failure.run_id, failure.error]));
  /** @type {{config: any, seed: any}[]} */
  const seeds = report.configs.flatMap((/** @type {any} */ config) =>
    config.seeds.map((/** @type {any} */ seed) => ({ config, seed })),
  );
  /** @param {string} text @param {string | null} [title] */
  const largest = (text, title = null) =>
    html("th.numeric", { scope: "col", "data-first": "descending", title }, text);
  const hasWins = seeds.some(({ seed }) => seed.score_win_rate !== null);
  const section = html(
    "section.panel",
    { "aria-label": "Runs" },
    panelHead(
      "Runs",
      csvButton("the runs", `${file}-runs`, () => ({
        header: [
          "config",
          "seed",
          "run_id",
          "status",
          "episodes",
          "updates",
          "env_steps",
          "score",
          "score_win_rate",
          "first_reward",
          "last_reward",
          "win_rate",
          "error",
        ],
        rows: seeds.map(({ config, seed }) => [
          config.name,
          seed.seed,
          seed.run_id,
          seed.status,
          seed.episodes,
          seed.updates,
          seed.env_steps,
          seed.score,
          seed.score_win_rate,
          seed.first_reward,
          seed.last_reward,
          seed.win_rate,
          failures.get(seed.run_id) ?? null,
        ]),
      })),
    ),
    scrolling(
      "Runs, scrolls sideways",
      html(
        "table.plain-table",
        {},
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            html("th", { scope: "col", "data-first": "ascending" }, "Run"),
            html("th", { scope: "col", "data-first": "ascending" }, "Status"),
            ["Episodes", "Updates", "Env steps"].map((text) => largest(text)),
            largest("Score", `Score: ${report.scored_by.definition}`),
            hasWins && largest("Win rate", "In the episodes that are scored"),
          ),
        ),
        html(
          "tbody",
          {},
          seeds.map(({ config, seed }) =>
            html(
              "tr",
              {},
              html(
                "th",
                { scope: "row", "data-value": `${config.name} seed ${seed.seed}` },
                html(
                  "div.config-name",
                  {},
                  swatch(styles.get(config.name) ?? { index: 0, colour: 0, dash: "" }),
                  html(
                    "a",
                    { href: `/training/runs/${seed.run_id}` },
                    html("bdi", {}, config.name),
                    ` seed ${seed.seed}`,
                  ),
                ),
              ),
              html(
                "td",
                { "data-value": seed.status },
                statusBadge(seed.status, failures.get(seed.run_id), statusText(seed)),
                failures.has(seed.run_id) &&
                  html(
                    "span.sub.clipped",
                    { title: failures.get(seed.run_id) },
                    html("bdi", {}, failures.get(seed.run_id)),
                  ),
              ),
              html("td.numeric", { "data-value": seed.episodes }, full(seed.episodes)),
              html("td.numeric", { "data-value": seed.updates }, full(seed.updates)),
              html("td.numeric", { "data-value": seed.env_steps }, compact(seed.env_steps)),
              html("td.numeric", { "data-value": seed.score }, reward(seed.score)),
              hasWins &&
                html("td.numeric", { "data-value": seed.score_win_rate }, percent(seed.score_win_rate)),
            ),
          ),
        ),
      ),
    ),
  );
  sortable(/** @type {HTMLElement} */ (section.querySelector("table")), `${file}-runs`);
  return section;
}
