// Reading a list page by page.

import { get } from "../core/api.js";

const MOST_AT_ONCE = 500;

/**
 * So many rows of a list.
 * @param {string} path
 * @param {string} field that holds the rows
 * @param {Record<string, unknown>} question
 * @param {number} wanted how many rows
 * @param {string | null} [after] the cursor that they begin behind
 * @returns {Promise<{rows: any[], total: number, cursor: string | null}>} cursor: where to go on, null at the end
 */
export async function readRows(path, field, question, wanted, after = null) {
  /** @type {any[]} */
  const rows = [];
  let cursor = after;
  let total = 0;
  do {
    const answer = await get(path, { ...question, limit: Math.min(MOST_AT_ONCE, wanted - rows.length), cursor });
    rows.push(...answer[field]);
    total = answer.total;
    cursor = answer.next_cursor;
  } while (cursor && rows.length < wanted);
  return { rows, total, cursor };
}

/**
 * What a list shows once its first rows were read anew: these, and behind them what followed them before. As many as
 * are new among them were pushed out of them; what is gone from among them has gone, or moved further down.
 * @template {{id: string}} Row
 * @param {Row[]} shown
 * @param {Row[]} first
 * @returns {Row[]}
 */
export function withFirst(shown, first) {
  const known = new Set(first.map((row) => row.id));
  const kept = shown.filter((row) => known.has(row.id)).length;
  return [...first, ...shown.slice(kept).filter((row) => !known.has(row.id))];
}
