// The banner shown while the server or its database is unreachable.

import { get, onAnswer } from "./api.js";
import { byId, fill, html, icon, setText } from "./dom.js";

const RETRY_MS = 2_000;
const GOODBYE_MS = 3_000;

let isAway = false;
let timer = 0;

/** Watch every request of the page. @param {() => void} recovered called when requests succeed again */
export function watchConnection(recovered) {
  const banner = byId("connection-banner");
  const live = byId("live");
  const liveText = byId("live-text");
  onAnswer((error) => {
    if (error?.status === 401) return location.reload();
    if (error?.isPassing) away(error.status === 503);
    else if (isAway) back();
  });
  document.addEventListener("polled", (event) => {
    const { busy } = /** @type {CustomEvent} */ (event).detail;
    live.hidden = false;
    live.classList.toggle("is-live", !isAway && busy);
    live.classList.toggle("is-away", isAway);
    setText(liveText, isAway ? "Offline" : busy ? "Live" : "Up to date");
  });

  /** @param {boolean} isDatabase */
  function away(isDatabase) {
    if (!isAway) {
      isAway = true;
      const what = isDatabase ? "The database is unreachable." : "The server does not answer.";
      const hint = isDatabase
        ? "The page shows the last known state and tries again every two seconds…"
        : "Is “rlsweep serve” still running? Trying again every two seconds…";
      banner.classList.remove("recovered");
      fill(banner, icon("alert"), html("span", {}, what, " ", html("span.banner-detail", {}, hint)));
      banner.hidden = false;
      live.classList.add("is-away");
      setText(liveText, "Offline");
    }
    window.clearTimeout(timer);
    timer = window.setTimeout(() => get("/health").catch(() => {}), RETRY_MS);
  }

  function back() {
    isAway = false;
    window.clearTimeout(timer);
    banner.classList.add("recovered");
    fill(banner, icon("check"), html("span", {}, "Connected again."));
    window.setTimeout(() => {
      if (!isAway) banner.hidden = true;
    }, GOODBYE_MS);
    recovered();
  }
}
