// Ranges of values, and positions in sorted values.

/** Fraction of a band's edge values, at each end, that does not affect the range of the chart. */
const OUTERMOST = 0.03;

/** Values with a smaller relative difference count as equal: means of equal values differ in their last bit. */
const SAME = 1e-9;

/** Whether the two values are equal for a chart. @param {number} low @param {number} high */
export function isFlat(low, high) {
  return high - low <= SAME * Math.max(Math.abs(low), Math.abs(high));
}

/** Minimum and maximum, extended on both sides by a fraction `air` of the range. @param {(number | null | undefined)[]} values @param {number} air @returns {[number, number]} */
export function span(values, air) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return [0, 1];
  if (isFlat(low, high)) return [low - (Math.abs(low) || 1) * 0.1, high + (Math.abs(high) || 1) * 0.1];
  return [low - (high - low) * air, high + (high - low) * air];
}

/**
 * Values without the outermost hundredth at each end: a band's first points may be so wide that the rest looks flat.
 * @param {(number | null)[]} values
 */
export function central(values) {
  const sorted = /** @type {number[]} */ (values.filter((value) => value !== null)).sort((one, other) => one - other);
  const cut = Math.floor(sorted.length * OUTERMOST);
  return sorted.slice(cut, sorted.length - cut);
}

/** Values clipped to a range. @param {number[]} values @param {[number, number]} range */
export function held(values, [low, high]) {
  return values.map((value) => Math.min(high, Math.max(low, value)));
}

/** Index of the value nearest to `wanted` in ascending `values`. @param {number[]} values @param {number} wanted */
export function nearest(values, wanted) {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < wanted) low = middle + 1;
    else high = middle;
  }
  return low > 0 && wanted - values[low - 1] < values[low] - wanted ? low - 1 : low;
}

/** @param {(number | null)[]} values */
export function lastOf(values) {
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== null) return values[index];
  return null;
}
