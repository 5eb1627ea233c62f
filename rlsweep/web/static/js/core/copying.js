// Buttons that copy a text, with the text next to them.

import { announce, fill, html, icon } from "./dom.js";

const DONE_MS = 1_600;

/** @param {string} text @param {string} what name of the text, for the button's label */
export function copyButton(text, what) {
  const button = html(
    "button.icon-button.small.copy-button",
    { type: "button", "aria-label": `Copy ${what}`, title: `Copy ${what}` },
    icon("copy", "small"),
  );
  button.addEventListener("click", async () => {
    const isCopied = await copy(text).catch(() => false);
    const said = isCopied ? `Copied ${what}` : `The browser did not copy ${what}. Select it and copy it by hand`;
    announce(said);
    button.title = said;
    button.classList.toggle("done", isCopied);
    fill(button, icon(isCopied ? "check" : "alert", "small"));
    window.setTimeout(() => {
      button.title = `Copy ${what}`;
      button.classList.remove("done");
      fill(button, icon("copy", "small"));
    }, DONE_MS);
  });
  return button;
}

/** A command to run in a terminal. @param {string} command @param {string} [what] */
export function commandLine(command, what = "the command") {
  return html("div.copyable", {}, html("pre.command", {}, html("code", {}, command)), copyButton(command, what));
}

/** A short text such as a path. @param {string} text @param {string} what */
export function copyable(text, what) {
  return html("span.copyable", {}, html("code.inline-code", {}, text), copyButton(text, what));
}

/** Copy a text; return whether that worked. @param {string} text */
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return true;
  }
  // the clipboard API does not exist over plain HTTP from another machine
  const field = html("textarea.visually-hidden", { readonly: true });
  /** @type {HTMLTextAreaElement} */ (field).value = text;
  document.body.append(field);
  /** @type {HTMLTextAreaElement} */ (field).select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
