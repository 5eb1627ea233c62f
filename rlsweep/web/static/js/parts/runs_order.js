// The order of the list of runs: by a click on a header, or by a select field on narrow screens. It is in the address.

import { byId } from "../core/dom.js";
import { parameter } from "./address.js";
import { fillSelect } from "./choices.js";
import { showSort } from "./runs_table.js";

const DEFAULT_SORT = "-started_at";
const DESCENDING_FIRST = new Set(["started_at", "duration", "episodes", "score", "mean_reward", "win_rate"]);

export class RunOrder {
  /**
   * @param {HTMLElement} head of the table
   * @param {(sort: string | null) => void} changed with what the address is to have
   */
  constructor(head, changed) {
    this.head = head;
    this.changed = changed;
    this.select = /** @type {HTMLSelectElement} */ (byId("sort-select"));
    this.select.addEventListener("change", () => this.set(this.select.value));
  }

  /** The sort order as a parameter of the API; `-` in front is descending. */
  get sort() {
    return parameter("sort") || DEFAULT_SORT;
  }

  /** Sort by a column, or turn the order where it is the one already. @param {string} key */
  by(key) {
    const { sort } = this;
    const isDescending = sort === `-${key}` ? false : sort === key ? true : DESCENDING_FIRST.has(key);
    this.set(`${isDescending ? "-" : ""}${key}`);
  }

  /** @param {string} sort */
  set(sort) {
    this.changed(sort === DEFAULT_SORT ? null : sort);
  }

  /** @param {import("./runs_table.js").Column[]} columns that are shown */
  show(columns) {
    showSort(this.head, this.sort);
    const options = columns
      .filter(({ key }) => key)
      .flatMap(
        ({ key, label }) =>
          /** @type {[string, string][]} */ ([
            [`-${key}`, `${label} ↓`],
            [key, `${label} ↑`],
          ]),
      );
    fillSelect(this.select, options, this.sort);
  }
}
