// The configs, best first. Configs without a significant difference share a rank; every mean has its interval.

import { intervalAxis, intervalRow, rangeOf } from "../charts/intervals.js";
import { swatch } from "../charts/swatch.js";
import { colourClass } from "../charts/palette.js";
import { csvButton, panelHead } from "../charts/picture_tools.js";
import { breakable, html } from "../core/dom.js";
import { compact, configValue, percent, plural, reward } from "../core/format.js";
import { verdictBadge } from "../parts/badges.js";
import { scrolling } from "../core/scrolling.js";
import { sortable } from "../parts/sortable.js";

/** @typedef {Map<string, import("../charts/palette.js").LineStyle>} Styles */

/** @param {any} report @param {Styles} styles @param {string} file */
export function leaderboardPanel(report, styles, file) {
  const range = rangeOf(
    report.configs.flatMap((/** @type {any} */ config) => {
      const { mean, low, high } = scoreOf(config);
      return [mean, low, high, ...seedScores(config)];
    }),
  );
  const most = (/** @type {(config: any) => number | null} */ of) =>
    Math.max(0, ...report.configs.map((/** @type {any} */ config) => of(config) ?? 0));
  const slowest = most(stepsTo90);
  const hasWins = report.configs.some((/** @type {any} */ config) => config.score_win_rate !== null);
  let before = /** @type {number | null} */ (null);
  const rows = report.configs.map((/** @type {any} */ config) => {
    const style = styles.get(config.name) ?? { index: 0, colour: 0, dash: "" };
    const isStart = before !== null && config.rank !== before;
    before = config.rank;
    const { mean, low, high } = scoreOf(config);
    const isTied = config.tied_with.length > 0;
    return html(
      `tr.${colourClass(style)}${isStart ? ".group-start" : ""}`,
      {},
      html(
        "td",
        { "data-value": config.rank },
        html(
          "span.rank",
          { title: rankTitle(config) },
          config.rank === null ? "–" : `${config.rank}${isTied ? "=" : ""}`,
        ),
      ),
      html(
        "th",
        { scope: "row", "data-value": config.name },
        configName(
          config,
          style,
          report.configs.find((/** @type {any} */ each) => each.is_base),
        ),
      ),
      html("td.numeric", { "data-value": mean }, html("b", {}, reward(mean)), intervalText(low, high)),
      html(
        "td.interval-cell",
        {},
        range &&
          intervalRow(range, {
            mean,
            low,
            high,
            style,
            seeds: seedScores(config),
            label:
              mean === null
                ? `${config.name}: no score yet`
                : `${config.name}: ${reward(mean)}${low === null ? "" : `, from ${reward(low)} to ${reward(high)}`}`,
          }),
      ),
      report.reference &&
        html(
          "td.numeric",
          { "data-value": config.difference?.mean },
          config.name === report.reference.name
            ? html("span.tag", {}, report.reference.is_base ? "base" : "runner-up")
            : estimateText(config.difference, withSign),
        ),
      html("td.numeric", { "data-value": config.gain?.mean }, estimateText(config.gain, withSign)),
      hasWins &&
        html(
          "td.numeric",
          { "data-value": config.score_win_rate?.mean },
          estimateText(config.score_win_rate, percent),
        ),
      html(
        "td.numeric",
        { "data-value": stepsTo90(config) },
        compact(stepsTo90(config)),
        stepsTo90(config) !== null && meter((stepsTo90(config) ?? 0) / slowest),
      ),
      html("td.numeric", { "data-value": config.area }, reward(config.area)),
      html("td", { "data-value": config.verdict.kind }, verdictBadge(config.verdict)),
    );
  });
  const table = html("table.leaderboard", {}, html("thead", {}, headings(report, range, hasWins)), html("tbody", {}, rows));
  sortable(table, `${file}-leaderboard`, "Rank");
  return html(
    "section.panel.flush",
    { "aria-label": "Leaderboard" },
    html(
      "div.panel-pad",
      {},
      panelHead(
        "Leaderboard",
        csvButton("the leaderboard", `${file}-leaderboard`, () => leaderboardData(report)),
      ),
      html("p.panel-note", {}, rankNote(report)),
    ),
    scrolling("Leaderboard, scrolls sideways", table),
  );
}

/** @param {any} report @param {import("../charts/intervals.js").Range | null} range @param {boolean} hasWins */
function headings(report, range, hasWins) {
  const best = report.scored_by.direction === "down" ? "ascending" : "descending";
  return html(
    "tr",
    {},
    html("th", { scope: "col", "data-first": "ascending" }, "Rank"),
    html("th", { scope: "col", "data-first": "ascending" }, "Config"),
    html(
      "th.numeric",
      {
        scope: "col",
        "data-first": best,
        title: `Score: ${report.scored_by.definition}; mean over seeds, with its 95% interval`,
      },
      "Score",
    ),
    html(
      "th.interval-cell",
      { scope: "col" },
      html("span.visually-hidden", {}, "Score and 95% interval"),
      range && intervalAxis(range),
    ),
    report.reference &&
      html(
        "th.numeric",
        {
          scope: "col",
          "data-first": best,
          title: `Score less that of ${report.reference.name}, by equal seeds: mean and 95% interval`,
        },
        report.reference.is_base ? "To the base" : "To the runner-up",
      ),
    html(
      "th.numeric",
      {
        scope: "col",
        "data-first": "descending",
        title: "In training reward, from the first to the last fifth of the env steps",
      },
      "Gain",
    ),
    hasWins &&
      html(
        "th.numeric",
        { scope: "col", "data-first": "descending", title: "In the episodes that are scored" },
        "Win rate",
      ),
    html(
      "th.numeric",
      {
        scope: "col",
        "data-first": "ascending",
        title: "Env steps until 90% of the final gain was reached; less is faster",
      },
      "Steps to 90%",
    ),
    html(
      "th.numeric",
      {
        scope: "col",
        "data-first": "descending",
        title: "Area under the smoothed curve over its env steps, in units of reward",
      },
      "Area",
    ),
    html("th", { scope: "col", "data-first": "ascending" }, "Verdict"),
  );
}

/**
 * Its name, and its difference from the base config; without a base config, the keys in which all configs differ.
 * @param {any} config
 * @param {import("../charts/palette.js").LineStyle} style
 * @param {any} base
 */
function configName(config, style, base) {
  const differences = Object.entries(config.differences)
    .filter(([key, value]) => !base || base === config || configValue(value) !== configValue(base.differences[key]))
    .map(([key, value]) => `${key.split(".").pop()} ${configValue(value)}`);
  return [
    html(
      "div.config-name",
      { title: config.path ?? "no file: drawn from a search space, or given as a dict" },
      swatch(style),
      html("span", { title: config.name }, html("bdi", {}, breakable(config.name))),
      config.is_base && html("span.tag", {}, "base"),
    ),
    differences.length > 0 &&
      html("div.config-differences", { title: differences.join("\n") }, differences.join(" · ")),
  ];
}

/** None of a config that learned nothing to speak of. @param {any} config @returns {number | null} */
function stepsTo90(config) {
  return config.is_dead ? null : config.steps_to_90;
}

/** The score and its interval. @param {any} config */
function scoreOf(config) {
  const interval = config.score_estimate?.interval;
  return { mean: config.score, low: interval?.low ?? null, high: interval?.high ?? null };
}

/** @param {any} config @returns {number[]} */
function seedScores(config) {
  return config.seeds
    .map((/** @type {any} */ seed) => seed.score)
    .filter((/** @type {number | null} */ value) => value !== null);
}

/** @param {number | null} low @param {number | null} high */
function intervalText(low, high) {
  return low === null || high === null ? null : html("span.sub", {}, `${reward(low)} … ${reward(high)}`);
}

/** @param {any} estimate @param {(value: number) => string} format */
function estimateText(estimate, format) {
  if (!estimate) return "–";
  const { low, high } = estimate.interval ?? {};
  return [
    format(estimate.mean),
    estimate.interval && html("span.sub", {}, `${format(low)} … ${format(high)}`),
  ];
}

/** @param {number} value */
function withSign(value) {
  return value > 0 ? `+${reward(value)}` : reward(value);
}

/** @param {number} share */
function meter(share) {
  const bar = html("span.meter-bar");
  bar.style.width = `${Math.max(2, share * 100)}%`;
  return html("span.meter", { "aria-hidden": "true" }, bar);
}

/** What its rank says, or why it has none. @param {any} config */
function rankTitle(config) {
  if (config.tied_with.length > 0) return `Does not differ significantly from ${config.tied_with.join(", ")}`;
  return config.rank === null && config.score !== null ? "One seed: it cannot be told from chance" : null;
}

/** @param {any} report */
function rankNote(report) {
  const seeds = Math.max(0, ...report.configs.map((/** @type {any} */ config) => config.score_estimate?.seeds ?? 0));
  const methods = new Set(
    report.configs.map((/** @type {any} */ config) => config.score_estimate?.interval?.method).filter(Boolean),
  );
  const how = methods.size
    ? `Whiskers: 95%, ${[...methods].join(" and ")}, over up to ${plural(seeds, "seed")}; ticks: every seed.`
    : "One seed per config: no interval.";
  return `Score: ${report.scored_by.definition}. ${report.rank_words} ${how}`;
}

/** @param {any} report */
function leaderboardData(report) {
  const keys = Object.keys(report.configs[0]?.differences ?? {});
  return {
    header: [
      "rank",
      "config",
      "path",
      ...keys,
      "score",
      "score_definition",
      "low",
      "high",
      "seeds",
      "compared_with",
      "difference",
      "difference_low",
      "difference_high",
      "gain",
      "score_win_rate",
      "steps_to_90",
      "area",
      "episodes",
      "env_steps",
      "verdict",
    ],
    rows: report.configs.map((/** @type {any} */ config) => {
      const { mean, low, high } = scoreOf(config);
      return [
        config.rank,
        config.name,
        config.path,
        ...keys.map((key) => config.differences[key]),
        mean,
        report.scored_by.definition,
        low,
        high,
        config.score_estimate?.seeds ?? 0,
        report.reference?.name ?? null,
        config.difference?.mean ?? null,
        config.difference?.interval?.low ?? null,
        config.difference?.interval?.high ?? null,
        config.gain?.mean ?? null,
        config.score_win_rate?.mean ?? null,
        stepsTo90(config),
        config.area,
        config.episodes,
        config.env_steps,
        config.verdict.kind,
      ];
    }),
  };
}
