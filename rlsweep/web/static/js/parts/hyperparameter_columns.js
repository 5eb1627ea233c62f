// Columns of the list of runs that the user chooses: the environment, and hyperparameters that vary. They are stored in
// the address.

import { get } from "../core/api.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { configValue, plural } from "../core/format.js";
import { parameter, parameters, setParameters } from "./address.js";
import { menu } from "./menu.js";

/** The column that is no hyperparameter. */
const ENVIRONMENT = "environment";
const MOST = 4;
const AT_ONCE = 100;

export class HyperparameterColumns {
  /**
   * @param {() => Record<string, unknown>} question the filters of the list
   * @param {() => void} changed called with each change of the columns
   */
  constructor(question, changed) {
    this.question = question;
    this.changed = changed;
    /** Hyperparameters by run id; those of a run never change. @type {Map<string, Record<string, unknown>>} */
    this.values = new Map();
    this.list = html("div");
    byId("columns").append(menu("Columns", this.list, () => this.choose()));
  }

  /** The chosen keys, in their order. */
  get keys() {
    return [...new Set(parameters("column"))].slice(0, MOST);
  }

  /** @returns {import("./runs_table.js").Column[]} */
  get columns() {
    return this.keys.map((key) =>
      key === ENVIRONMENT ? environmentColumn() : this.hyperparameterColumn(key),
    );
  }

  /** @param {string} key dotted @returns {import("./runs_table.js").Column} */
  hyperparameterColumn(key) {
    return {
      key: sortKey(key),
      label: key.split(".").at(-1) ?? key,
      title: key,
      place: "col-hyperparameter",
      numeric: true,
      show: (cell, run) => {
        const known = this.values.get(run.id);
        const text = !known ? "" : key in known ? configValue(known[key]) : "–";
        setText(cell, text);
        cell.title = `${key}: ${text}`;
      },
    };
  }

  /** Read the hyperparameters of these runs; returns whether any is new. @param {any[]} runs */
  async load(runs) {
    const missing = this.keys.some((key) => key !== ENVIRONMENT) ? runs.map((run) => run.id).filter((id) => !this.values.has(id)) : [];
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      const { hyperparameters } = await get("/training-runs/hyperparameters", {
        id: missing.slice(start, start + AT_ONCE),
      });
      for (const [id, values] of Object.entries(hyperparameters)) this.values.set(id, values);
    }
    return missing.length > 0;
  }

  async choose() {
    fill(this.list, html("p.muted", {}, "Reading what varies…"));
    try {
      const { keys, configs } = await get("/training-runs/hyperparameters/varying", this.question());
      this.show(keys, configs);
    } catch (error) {
      fill(this.list, html("p.problem", { role: "alert" }, error instanceof Error ? error.message : String(error)));
    }
  }

  /** @param {{key: string, values: number}[]} varying @param {number} configs */
  show(varying, configs) {
    const known = new Map(varying.map(({ key, values }) => [key, values]));
    const all = [...new Set([ENVIRONMENT, ...this.keys, ...known.keys()])];
    const checks = all.map((key) => {
      const check = /** @type {HTMLInputElement} */ (html("input.check", { type: "checkbox", value: key }));
      check.checked = this.keys.includes(key);
      const found = known.has(key) ? plural(known.get(key) ?? 0, "value") : "one value";
      const count = key === ENVIRONMENT ? "" : found;
      return { check, row: html("label.menu-row", {}, check, html("code", {}, key), html("span.muted", {}, count)) };
    });
    const limit = () => {
      const isFull = this.keys.length >= MOST;
      for (const { check } of checks) check.disabled = isFull && !check.checked;
    };
    for (const { check } of checks)
      check.addEventListener("change", () => {
        const kept = this.keys.filter((key) => key !== check.value);
        const isSorted = parameter("sort").replace(/^-/, "") === sortKey(check.value);
        setParameters(
          { column: check.checked ? [...kept, check.value] : kept, ...(isSorted ? { sort: null } : {}) },
          { step: true },
        );
        limit();
        this.changed();
      });
    limit();
    fill(
      this.list,
      html(
        "p.muted",
        {},
        known.size
          ? `The environment, and what varies among ${plural(configs, "config")}; at most ${MOST} columns.`
          : "The runs that match have the same hyperparameters.",
      ),
      html("div.menu-scroll", {}, checks.map(({ row }) => row)),
    );
  }
}

/** What the API sorts by. @param {string} key */
function sortKey(key) {
  return key === ENVIRONMENT ? key : `hyperparameter:${key}`;
}

/** @returns {import("./runs_table.js").Column} */
function environmentColumn() {
  return {
    key: ENVIRONMENT,
    label: "Environment",
    place: "col-hyperparameter.col-environment",
    show: (cell, run) => {
      setText(cell, run.environment ?? "–");
      cell.title = run.environment ?? "";
    },
  };
}
