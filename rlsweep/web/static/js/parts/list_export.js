// Save a whole list as CSV: every row that matches the filters, not only the shown ones.

import { saveCsv } from "../core/saving.js";
import { announce, byId, setText } from "../core/dom.js";
import { readRows } from "./paging.js";

/**
 * Make the page's export button work.
 * @param {string} file
 * @param {string} path
 * @param {string} field
 * @param {string[]} columns fields of a row
 * @param {() => Record<string, unknown>} question
 * @param {(rows: any[]) => Promise<any[]>} [complete] adds what the rows of the list do not have; a field
 *   `hyperparameters` of a row is saved as one column a key
 */
export function startExport(file, path, field, columns, question, complete = async (rows) => rows) {
  const button = /** @type {HTMLButtonElement} */ (byId("export"));
  const text = button.textContent ?? "";
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    button.title = "";
    try {
      const { rows: listed } = await readRows(path, field, question(), Infinity);
      const rows = await complete(listed);
      const keys = [...new Set(rows.flatMap((row) => Object.keys(row.hyperparameters ?? {})))].filter(
        (key) => !columns.includes(key),
      );
      saveCsv(
        `${file}.csv`,
        [...columns, ...keys],
        rows.map((row) => [
          ...columns.map((column) => row[column]),
          ...keys.map((key) => row.hyperparameters?.[key]),
        ]),
      );
      setText(button, text);
    } catch (error) {
      setText(button, "Export failed: try again");
      button.title = error instanceof Error ? error.message : String(error);
      announce(`The export failed. ${button.title}`);
    } finally {
      button.disabled = false;
    }
  });
}
