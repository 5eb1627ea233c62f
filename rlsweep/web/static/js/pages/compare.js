// The comparison of any chosen runs.

import { ApiError, get } from "../core/api.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { plural } from "../core/format.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { ComparisonView } from "../comparison/view.js";
import { parameter } from "../parts/address.js";

const runIds = parameter("runs")
  .split(",")
  .map((id) => id.trim())
  .filter(Boolean);
const view = new ComparisonView(byId("comparison"), "compare");

async function refresh() {
  const report = await get("/compare", { run: runIds });
  setText(
    byId("compare-count"),
    [
      `${plural(runIds.length, "run")} of ${plural(report.configs.length, "config")}`,
      report.environment ?? "several environments",
    ].join(", "),
  );
  await view.update(report, { run: runIds });
  return Boolean(report.runs.running || report.runs.pending);
}

/** @param {unknown} error */
function showFailure(error) {
  const isKnown = error instanceof ApiError;
  fill(
    byId("comparison"),
    html(
      "section.panel.empty",
      {},
      html("h2", {}, "Cannot compare these runs"),
      html("p", {}, isKnown ? error.message : String(error)),
      html("a.button", { href: "/training" }, "Choose runs"),
    ),
  );
}

if (runIds.length === 0) {
  startPage();
  fill(
    byId("comparison"),
    html(
      "section.panel.empty",
      {},
      html("h2", {}, "No runs chosen"),
      html("p", {}, "Tick two or more runs in the list, then press “Compare”."),
      html("a.button", { href: "/training" }, "Choose runs"),
    ),
  );
} else {
  const poller = new Poller(refresh, showFailure);
  startPage(() => poller.now());
  poller.now();
}
