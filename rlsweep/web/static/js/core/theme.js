// The theme: light, dark or the system's; stored in localStorage.

import { byId, fill, icon } from "./dom.js";

const KEY = "rlsweep-theme";
const THEMES = ["auto", "light", "dark"];
const WORDS = { auto: "as the system", light: "light", dark: "dark" };

/** Make the header's button switch the theme. */
export function startTheme() {
  const button = byId("theme-button");
  button.hidden = false;
  show(stored());
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(stored()) + 1) % THEMES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // without storage, the choice is lost with the page
    }
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    show(next);
  });

  /** @param {string} theme */
  function show(theme) {
    const words = `Theme: ${WORDS[/** @type {keyof typeof WORDS} */ (theme)]}`;
    fill(button, icon(theme === "auto" ? "auto" : theme === "light" ? "sun" : "moon"));
    button.setAttribute("aria-label", words);
    button.title = words;
  }
}

function stored() {
  return document.documentElement.dataset.theme ?? "auto";
}
