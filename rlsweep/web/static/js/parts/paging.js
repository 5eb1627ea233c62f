// Reading a list page by page.

import { get } from "../core/api.js";

const MOST_AT_ONCE = 500;

/**
 * The first rows of a list.
 * @param {string} path
 * @param {string} field that holds the rows
 * @param {Record<string, unknown>} question
 * @param {number} wanted how many rows
 * @returns {Promise<{rows: any[], total: number, hasMore: boolean}>}
 */
export async function readRows(path, field, question, wanted) {
  /** @type {any[]} */
  const rows = [];
  let cursor = null;
  let total = 0;
  do {
    const answer = await get(path, { ...question, limit: Math.min(MOST_AT_ONCE, wanted - rows.length), cursor });
    rows.push(...answer[field]);
    total = answer.total;
    cursor = answer.next_cursor;
  } while (cursor && rows.length < wanted);
  return { rows, total, hasMore: cursor !== null };
}
