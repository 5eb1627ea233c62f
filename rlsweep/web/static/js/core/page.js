// Set-up of every page.

import { watchConnection } from "./connection.js";
import { startKeyboard } from "./keyboard.js";
import { startTheme } from "./theme.js";

/** @param {() => void} [recovered] called when the database is reachable again */
export function startPage(recovered = () => {}) {
  startTheme();
  startKeyboard();
  watchConnection(recovered);
}
