// The metrics that a comparison's curves can show.

import { number, percent, reward } from "../core/format.js";

/**
 * @typedef {object} Choice
 * @property {string} name its name in the API
 * @property {string} label
 * @property {boolean} isBand whether /api/bands provides it: a mean over seeds with its interval
 * @property {(value: number | null) => string} format
 * @property {(value: number) => string} [tick]
 * @property {[number, number]} [within]
 */

/** @type {Choice[]} */
export const METRICS = [
  { name: "reward", label: "Episode reward", isBand: true, format: reward },
  { name: "win", label: "Win rate", isBand: true, format: percent, tick: percent, within: [0, 1] },
  { name: "length", label: "Episode length", isBand: true, format: number },
  { name: "eval_mean_reward", label: "Evaluation reward", isBand: false, format: reward },
  {
    name: "eval_win_rate",
    label: "Evaluation win rate",
    isBand: false,
    format: percent,
    tick: percent,
    within: [0, 1],
  },
  { name: "policy_loss", label: "Policy loss", isBand: false, format: number },
  { name: "value_loss", label: "Value loss", isBand: false, format: number },
  { name: "entropy", label: "Entropy", isBand: false, format: number },
  { name: "approx_kl", label: "Approximate KL", isBand: false, format: number },
  { name: "clip_fraction", label: "Clip fraction", isBand: false, format: percent, tick: percent },
  { name: "explained_variance", label: "Explained variance", isBand: false, format: number },
  { name: "learning_rate", label: "Learning rate", isBand: false, format: number },
  { name: "steps_per_second", label: "Steps per second", isBand: false, format: number },
];

/** @param {string} name */
export function metricNamed(name) {
  return METRICS.find((metric) => metric.name === name) ?? METRICS[0];
}
