// A config in the notation of its file, to read and to copy.

import { copyButton } from "../core/copying.js";
import { html } from "../core/dom.js";
import { isStepped } from "../core/format.js";

/** @param {unknown} config @returns {HTMLElement} */
export function configTree(config) {
  return html(
    "details",
    { open: false },
    html("summary", {}, "Complete config"),
    html(
      "div.copyable.tree-holder",
      {},
      html("div.tree", { tabindex: 0, role: "region", "aria-label": "Complete config" }, branch(config)),
      copyButton(yaml(config), "the complete config"),
    ),
  );
}

/** Its keys in alphabetical order, plain values before sections; env steps rising. @param {unknown} value @returns {[string, unknown][]} */
function entries(value) {
  const before = isStepped(value)
    ? (/** @type {string} */ one, /** @type {string} */ other) => Number(one) < Number(other)
    : (/** @type {string} */ one, /** @type {string} */ other) => one < other;
  const found = Object.entries(/** @type {object} */ (value)).sort(([one], [other]) => (before(one, other) ? -1 : 1));
  return [...found.filter(([, item]) => !isBranch(item)), ...found.filter(([, item]) => isBranch(item))];
}

/** @param {unknown} value @returns {HTMLElement} */
function branch(value) {
  return html(
    "ul",
    {},
    entries(value).map(([key, item]) => {
      const name = html("span.tree-key", {}, `${key}:`);
      if (isBranch(item)) return html("li", {}, html("div.tree-line", {}, name), branch(item));
      const kind = item === null ? "none" : typeof item === "number" || typeof item === "boolean" ? "number" : "text";
      return html("li.tree-line", {}, name, " ", html(`span.tree-${kind}`, {}, scalar(item)));
    }),
  );
}

/** @param {unknown} value */
function isBranch(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0;
}

/** @param {unknown} value @returns {string} */
function scalar(value) {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string")
    return /^[A-Za-z][\w ./-]*$/.test(value) && !/^(null|true|false|yes|no|on|off)$/i.test(value)
      ? value
      : JSON.stringify(value);
  return typeof value === "object" ? JSON.stringify(value).replaceAll(",", ", ") : String(value);
}

/** @param {unknown} value @param {string} [indent] @returns {string} */
function yaml(value, indent = "") {
  return entries(value)
    .map(([key, item]) =>
      isBranch(item) ? `${indent}${key}:\n${yaml(item, `${indent}  `)}` : `${indent}${key}: ${scalar(item)}`,
    )
    .join("\n");
}
