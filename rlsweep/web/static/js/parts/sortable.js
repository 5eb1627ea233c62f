// Tables that are sorted by a click on a header. A sortable header has `data-first`, the direction of its first click,
// and the cells below it have their values in `data-value`; a row without a value comes last.

import { fill, html, icon } from "../core/dom.js";

/** @typedef {{label: string, direction: string}} Order direction: "ascending" or "descending", as in `aria-sort` */

/** The orders that the reader chose, by table: a table that is drawn again keeps its order. @type {Map<string, Order>} */
const chosen = new Map();

const collator = new Intl.Collator("en", { numeric: true });

/**
 * @param {HTMLElement} table with one row of headers
 * @param {string} name of the table, unique on the page
 * @param {string} [initial] the header by which the rows are sorted as they are, ascending
 */
export function sortable(table, name, initial = "") {
  const body = /** @type {HTMLTableSectionElement} */ (table.querySelector("tbody"));
  const rows = [...body.rows];
  const headers = /** @type {HTMLTableCellElement[]} */ ([...table.querySelectorAll("thead th")]);
  const sorted = headers.filter((header) => header.dataset.first);
  const labels = new Map(sorted.map((header) => [header, header.textContent ?? ""]));
  for (const [header, label] of labels) {
    const act = () => {
      const now = header.getAttribute("aria-sort");
      const turned = now === "ascending" ? "descending" : "ascending";
      order({ label, direction: now ? turned : (header.dataset.first ?? "") });
    };
    fill(header, html("button.sort-button", { type: "button", onclick: act }, label, icon("sort")));
  }

  /** @param {Order} wanted */
  function order(wanted) {
    const isInitial = wanted.label === initial && wanted.direction === "ascending";
    chosen.set(name, wanted);
    for (const [header, label] of labels) {
      if (label === wanted.label) header.setAttribute("aria-sort", wanted.direction);
      else header.removeAttribute("aria-sort");
    }
    const column = headers.findIndex((header) => labels.get(header) === wanted.label);
    table.classList.toggle("is-resorted", !isInitial);
    if (isInitial || column < 0) body.append(...rows);
    else body.append(...inOrder(rows, column, wanted.direction === "descending"));
  }

  order(chosen.get(name) ?? { label: initial, direction: "ascending" });
}

/** @param {HTMLTableRowElement[]} rows @param {number} column @param {boolean} isDescending */
function inOrder(rows, column, isDescending) {
  const valued = rows.map((row) => ({ row, value: row.cells[column].dataset.value }));
  const known = valued.filter(({ value }) => value !== undefined);
  known.sort((one, other) => (isDescending ? -1 : 1) * compare(one.value ?? "", other.value ?? ""));
  return [...known, ...valued.filter(({ value }) => value === undefined)].map(({ row }) => row);
}

/** Numbers by size, texts by letters. @param {string} one @param {string} other */
function compare(one, other) {
  const difference = Number(one) - Number(other);
  return Number.isNaN(difference) ? collator.compare(one, other) : difference;
}
