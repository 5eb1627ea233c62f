// Keys that work on every page, and the dialog that lists them.

import { byId, html } from "./dom.js";

/** @type {[string[], string][]} */
const SHORTCUTS = [
  [["/"], "Search"],
  [["g", "r"], "Go to runs"],
  [["g", "s"], "Go to sweeps"],
  [["j"], "Next row"],
  [["k"], "Row before"],
  [["x"], "Choose the row"],
  [["c"], "Compare the chosen runs"],
  [["Esc"], "Leave the search, reset a zoomed chart"],
  [["?"], "These keys"],
];

const PLACES = { r: "/training", s: "/training/sweeps" };

/** Listen for these keys. */
export function startKeyboard() {
  const button = byId("help-button");
  button.hidden = false;
  button.addEventListener("click", showHelp);
  let isGoing = false;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target.closest("input:not([type=checkbox]):not([type=range]), select, textarea, dialog") !== null;
    if (event.key === "Escape" && target.id === "search") target.blur();
    if (isTyping) return;
    const search = document.getElementById("search");
    if (event.key === "/" && search) {
      event.preventDefault();
      search.focus();
    } else if (event.key === "?") {
      event.preventDefault();
      showHelp();
    } else if (isGoing && event.key in PLACES) {
      location.href = PLACES[/** @type {keyof typeof PLACES} */ (event.key)];
    }
    isGoing = event.key === "g";
  });
}

function showHelp() {
  const keys = SHORTCUTS.map(([names, what]) => [
    html(
      "dt",
      {},
      names.map((name, index) => [index ? " then " : null, html("kbd", {}, name)]),
    ),
    html("dd", {}, what),
  ]);
  const dialog = /** @type {HTMLDialogElement} */ (
    html(
      "dialog.help",
      { "aria-labelledby": "help-title" },
      html("h2", { id: "help-title" }, "Keyboard"),
      html("dl", {}, keys),
      html("form", { method: "dialog" }, html("button.button", {}, "Close")),
    )
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
}
