// Differences of configs over env steps, as the series of a chart.

import { metricNamed } from "./metrics.js";

/** The metric of episodes that an objective is drawn by. @param {string} objective */
export function curveMetric(objective) {
  return metricNamed(/** @type {Record<string, string>} */ ({ win_rate: "win", episode_length: "length" })[objective]);
}

/**
 * @param {any} answer of the API's differences
 * @param {import("./leaderboard.js").Styles} styles
 * @returns {import("../charts/line_chart.js").Series[]}
 */
export function differenceSeries(answer, styles) {
  return answer.configs.map((/** @type {any} */ config) => ({
    id: config.name,
    name: config.name,
    style: styles.get(config.name) ?? { index: 0, colour: 0, dash: "" },
    x: answer.x,
    y: config.mean,
    low: config.low,
    high: config.high,
  }));
}
