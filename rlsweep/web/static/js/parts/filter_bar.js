// The filters above a list: search words, statuses and select fields. They are stored in the address.

import { byId, fill, html, icon } from "../core/dom.js";
import { debounced, parameter, parameters, setParameters } from "./address.js";
import { STATUSES } from "./badges.js";

const TYPING_MS = 150;

export class FilterBar {
  /**
   * @param {() => void} changed
   * @param {Record<string, HTMLSelectElement>} [selects] by parameter name
   */
  constructor(changed, selects = {}) {
    this.changed = changed;
    this.selects = selects;
    this.search = /** @type {HTMLInputElement} */ (byId("search"));
    this.statuses = byId("status-filter");
    this.clearButton = byId("clear-filters");
    fill(
      this.statuses,
      STATUSES.map((status) =>
        html(
          "button",
          {
            type: "button",
            "aria-pressed": "false",
            "data-status": status,
            onclick: () => this.toggleStatus(status),
          },
          icon(status, "small"),
          status,
        ),
      ),
    );
    this.search.addEventListener(
      "input",
      debounced(() => this.set({ q: this.search.value.trim() }, { step: false }), TYPING_MS),
    );
    for (const [name, select] of Object.entries(selects))
      select.addEventListener("change", () => this.set({ [name]: select.value }));
    this.clearButton.addEventListener("click", () => this.clear());
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    window.addEventListener("popstate", () => {
      this.show();
      changed();
    });
    this.show();
  }

  /** The filters as parameters of the API. */
  get values() {
    const chosen = Object.keys(this.selects).map((name) => [name, parameters(name)]);
    return { q: parameter("q"), status: parameters("status"), ...Object.fromEntries(chosen) };
  }

  get isSet() {
    return Object.values(this.values).some((value) => value.length > 0);
  }

  /** @param {Record<string, string | string[] | null>} changes @param {{step?: boolean}} [options] */
  set(changes, options = { step: true }) {
    setParameters(changes, options);
    this.show();
    this.changed();
  }

  clear() {
    this.search.value = "";
    this.set(Object.fromEntries(Object.keys(this.values).map((name) => [name, null])));
    this.search.focus();
  }

  /** @param {string} status */
  toggleStatus(status) {
    const now = parameters("status");
    this.set({ status: now.includes(status) ? now.filter((each) => each !== status) : [...now, status] });
  }

  show() {
    const { q, status } = this.values;
    if (document.activeElement !== this.search) this.search.value = q;
    for (const [name, select] of Object.entries(this.selects)) select.value = parameters(name)[0] ?? "";
    for (const button of /** @type {HTMLElement[]} */ ([...this.statuses.children])) {
      button.setAttribute("aria-pressed", String(status.includes(button.dataset.status ?? "")));
    }
    this.clearButton.hidden = !this.isSet;
  }
}
