// Series as SVG paths; a missing value leaves a gap.

/** @typedef {import("./line_chart.js").Series} Series */
/** @typedef {(value: number) => number} Place from a value to its place in pixels */

/** @param {Series} series @param {Place} toX @param {Place} toY */
export function linePath({ x, y }, toX, toY) {
  let path = "";
  let isDown = false;
  for (let index = 0; index < x.length; index += 1) {
    const value = y[index];
    if (value === null || value === undefined) {
      isDown = false;
      continue;
    }
    path += `${isDown ? "L" : "M"}${toX(x[index]).toFixed(1)} ${toY(value).toFixed(1)}`;
    isDown = true;
  }
  return path;
}

/** @param {Series} series @param {Place} toX @param {Place} toY */
export function bandPath({ x, low, high }, toX, toY) {
  if (!low || !high) return "";
  let path = "";
  let start = 0;
  while (start < x.length) {
    if (low[start] === null || high[start] === null) {
      start += 1;
      continue;
    }
    let end = start;
    while (end + 1 < x.length && low[end + 1] !== null && high[end + 1] !== null) end += 1;
    const upper = [];
    const lower = [];
    for (let index = start; index <= end; index += 1) {
      const place = toX(x[index]).toFixed(1);
      upper.push(`${place} ${toY(/** @type {number} */ (high[index])).toFixed(1)}`);
      lower.unshift(`${place} ${toY(/** @type {number} */ (low[index])).toFixed(1)}`);
    }
    path += `M${upper.concat(lower).join("L")}Z`;
    start = end + 1;
  }
  return path;
}
