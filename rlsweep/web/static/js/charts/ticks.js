// Positions and labels of an axis's ticks.

import { compact, duration } from "../core/format.js";
import { isFlat } from "./ranges.js";

const CLOCK_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400];
/** Limit for any range. */
const MAX_TICKS = 100;

/**
 * About `count` round numbers from low to high.
 * @param {number} low @param {number} high @param {number} count
 */
export function ticks(low, high, count) {
  if (isFlat(low, high)) return [low];
  const rough = (high - low) / Math.max(1, count);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = size * ([1, 2, 2.5, 5, 10].find((each) => each * size >= rough) ?? 10);
  return between(low, high, step);
}

/** About `count` round whole numbers. @param {number} low @param {number} high @param {number} count */
export function wholeTicks(low, high, count) {
  if (high - low < 1) return ticks(low, high, count);
  const rough = (high - low) / Math.max(1, count);
  const size = 10 ** Math.max(0, Math.floor(Math.log10(rough)));
  return between(low, high, size * ([1, 2, 5, 10].find((each) => each * size >= rough) ?? 10));
}

/** About `count` round durations, in seconds. @param {number} low @param {number} high @param {number} count */
export function clockTicks(low, high, count) {
  if (isFlat(low, high)) return [low];
  const rough = (high - low) / Math.max(1, count);
  const step = CLOCK_STEPS.find((each) => each >= rough) ?? Math.ceil(rough / 86_400) * 86_400;
  return between(low, high, step);
}

/** @param {number} low @param {number} high @param {number} step */
function between(low, high, step) {
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.max(0, Math.floor(high / step + 1e-9) - first + 1);
  return Array.from({ length: Math.min(count, MAX_TICKS) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}

/** Labels with as many decimals as needed to make neighbours differ. @param {number[]} values */
export function tickLabels(values) {
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : Math.abs(values[0] || 1);
  const largest = Math.max(...values.map(Math.abs));
  if (largest >= 10_000) return compactAll(values, largest);
  if (largest !== 0 && largest < 0.001)
    return values.map((value) => (value === 0 ? "0" : value.toExponential(1).replace("-", "−").replace("e-", "e−")));
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const extra = Math.abs(step * 10 ** decimals - Math.round(step * 10 ** decimals)) > 1e-6 ? 1 : 0;
  return values.map((value) =>
    value
      .toLocaleString("en", { minimumFractionDigits: decimals + extra, maximumFractionDigits: decimals + extra })
      .replace("-", "−"),
  );
}

/** All labels in the unit of the largest: 5 k next to 10 k. @param {number[]} values @param {number} largest */
function compactAll(values, largest) {
  const [unit, size] = largest >= 1e9 ? ["G", 1e9] : largest >= 1e6 ? ["M", 1e6] : ["k", 1e3];
  return values.map((value) =>
    value === 0
      ? "0"
      : `${(value / Number(size)).toLocaleString("en", { maximumFractionDigits: 2 }).replace("-", "−")} ${unit}`,
  );
}

/** The known x axes: name, format of a value, ticks and their labels. */
export const AXES = {
  env_steps: { label: "env steps", ticks: wholeTicks, labels: tickLabels, value: compact },
  episode: { label: "episodes", ticks: wholeTicks, labels: tickLabels, value: compact },
  update: { label: "updates", ticks: wholeTicks, labels: tickLabels, value: compact },
  decision: { label: "decisions", ticks: wholeTicks, labels: tickLabels, value: compact },
  seconds: {
    label: "wall time",
    ticks: clockTicks,
    labels: (/** @type {number[]} */ values) => values.map(duration),
    value: duration,
  },
};

/** @typedef {keyof typeof AXES} AxisName */
