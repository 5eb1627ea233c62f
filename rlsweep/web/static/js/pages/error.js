// An error page; after a database outage, it reloads the requested page automatically.

import { startKeyboard } from "../core/keyboard.js";
import { startTheme } from "../core/theme.js";

const RETRY_MS = 2_000;

startTheme();
startKeyboard();
if (document.querySelector(".error-page")?.getAttribute("data-status") === "503")
  window.setInterval(tryAgain, RETRY_MS);

async function tryAgain() {
  const response = await fetch("/api/health", { cache: "no-store" }).catch(() => null);
  if (response?.ok) location.reload();
}
