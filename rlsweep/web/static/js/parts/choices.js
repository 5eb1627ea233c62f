// A row of toggle buttons, and a select field.

import { fill, html } from "../core/dom.js";
import { parameters } from "./address.js";

/**
 * Buttons of which exactly one is pressed.
 * @param {{label: string, options: [string, string][], chosen: string, choose: (value: string) => void}} options
 */
export function oneOf({ label, options, chosen, choose }) {
  const group = html("div.segments.small", { role: "group", "aria-label": label });
  const buttons = options.map(([value, text]) => {
    const button = html("button", { type: "button", "aria-pressed": String(value === chosen) }, text);
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      choose(value);
    });
    return button;
  });
  fill(group, buttons);
  return group;
}

/**
 * @param {string} label
 * @param {[string, string][]} options value, text
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function selectField(label, options, chosen, choose) {
  const select = /** @type {HTMLSelectElement} */ (html("select", { "aria-label": label }));
  fillSelect(select, options, chosen);
  select.addEventListener("change", () => choose(select.value));
  return html("span.select-field.small", {}, html("span.select-label", { "aria-hidden": "true" }, label), select);
}

/** @param {HTMLSelectElement} select @param {[string, string][]} options @param {string} chosen */
export function fillSelect(select, options, chosen) {
  const wanted = options.map((option) => option.join("\n")).join("\n\n");
  if (select.dataset.options !== wanted) {
    select.dataset.options = wanted;
    fill(
      select,
      options.map(([value, text]) => html("option", { value }, text)),
    );
  }
  select.value = chosen;
}

/**
 * Fill a select field of a filter, which is hidden while it would offer too little.
 * @param {HTMLSelectElement} select its name is that of the parameter
 * @param {string[]} values
 * @param {number} least number of values from which it is shown
 */
export function fillChoices(select, values, least) {
  const chosen = parameters(select.name);
  const all = [...new Set([...values, ...chosen])];
  const options = all.map((value) => /** @type {[string, string]} */ ([value, value]));
  fillSelect(select, [["", "All"], ...options], chosen[0] ?? "");
  const field = /** @type {HTMLElement} */ (select.parentElement);
  field.hidden = values.length < least && chosen.length === 0;
}
