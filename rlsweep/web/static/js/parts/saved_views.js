// The menu of saved views: the addresses of lists and comparisons, under names.

import { get, send } from "../core/api.js";
import { byId, fill, html } from "../core/dom.js";
import { menu } from "./menu.js";

const PAGES = /** @type {Record<string, string>} */ ({ runs: "Runs", sweeps: "Sweeps", compare: "Compare" });
const MAX_NAME = 80;

/** Add the menu to the page's actions. @param {"runs" | "sweeps" | "compare"} page */
export function startViews(page) {
  const list = html("div");
  const problem = html("p.problem", { role: "alert", hidden: true });
  const name = /** @type {HTMLInputElement} */ (
    html("input", { "aria-label": "Name of the view", placeholder: "Name", maxlength: MAX_NAME, autocomplete: "off" })
  );
  const form = html(
    "form.menu-form",
    {},
    html("b", {}, "Save what this page shows"),
    html("div.menu-row", {}, name, html("button.button", {}, "Save view")),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(async () => {
      await send("POST", "/views", { name: name.value, page, query: location.search });
      name.value = "";
      await read();
    });
  });
  byId("views").append(menu("Views", html("div", {}, list, problem, form), () => attempt(read)));

  async function read() {
    show((await get("/views")).views);
  }

  /** @param {any[]} views */
  function show(views) {
    fill(
      list,
      views.length === 0
        ? html("p.muted", {}, "No saved views yet.")
        : html("ul.view-list", { "aria-label": "Saved views" }, views.map(entry)),
    );
  }

  /** @param {any} view */
  function entry(view) {
    const item = html("li.menu-row");
    const rename = html("button.button.quiet", { type: "button", "aria-label": `Rename ${view.name}` }, "Rename");
    const remove = html("button.button.quiet", { type: "button", "aria-label": `Delete ${view.name}` }, "Delete");
    rename.addEventListener("click", () => {
      const field = /** @type {HTMLInputElement} */ (
        html("input", { "aria-label": `New name of ${view.name}`, value: view.name, maxlength: MAX_NAME })
      );
      const renaming = html("form.menu-row", {}, field, html("button.button", {}, "Rename"));
      renaming.addEventListener("submit", (event) => {
        event.preventDefault();
        attempt(async () => {
          await send("PUT", `/views/${view.id}`, { name: field.value, version: view.version });
          await read();
        });
      });
      fill(item, renaming);
      field.select();
    });
    remove.addEventListener("click", () => {
      if (remove.dataset.asked) {
        attempt(async () => show((await send("DELETE", `/views/${view.id}`)).views));
      } else {
        remove.dataset.asked = "yes";
        fill(remove, "Delete it?");
      }
    });
    fill(
      item,
      html("a", { href: view.address, title: view.address }, html("bdi", {}, view.name)),
      html("span.muted", {}, PAGES[view.page]),
      rename,
      remove,
    );
    return item;
  }

  /** @param {() => Promise<void>} act */
  async function attempt(act) {
    problem.hidden = true;
    try {
      await act();
    } catch (error) {
      fill(problem, error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
  }
}
