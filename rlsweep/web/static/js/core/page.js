// What every page starts with.

import { watchConnection } from "./connection.js";
import { startKeyboard } from "./keyboard.js";
import { startTheme } from "./theme.js";

/** @param {() => void} [recovered] is called when the database is back */
export function startPage(recovered = () => {}) {
  startTheme();
  startKeyboard();
  watchConnection(recovered);
}
