// Read a list page by page.

import { get } from "../core/api.js";

const MAX_PAGE_ROWS = 500;

/**
 * Read `wanted` rows of a list.
 * @param {string} path
 * @param {string} field field of the answer with the rows
 * @param {Record<string, unknown>} question
 * @param {number} wanted how many rows
 * @param {string | null} [after] cursor to start after
 * @returns {Promise<{rows: any[], total: number, cursor: string | null}>} cursor: of the next page, null at the end
 */
export async function readRows(path, field, question, wanted, after = null) {
  /** @type {any[]} */
  const rows = [];
  let cursor = after;
  let total = 0;
  do {
    const answer = await get(path, { ...question, limit: Math.min(MAX_PAGE_ROWS, wanted - rows.length), cursor });
    rows.push(...answer[field]);
    total = answer.total;
    cursor = answer.next_cursor;
  } while (cursor && rows.length < wanted);
  return { rows, total, cursor };
}

/**
 * The rows of a list after its first rows were read again: these, then the rows that followed them before. Each new row
 * moved one old row from the first ones to the rest; other rows missing from the first ones were removed or moved down.
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
