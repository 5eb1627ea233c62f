// The comparison of any chosen runs, in one group for each environment, opponent and budget.

import { ApiError, get } from "../core/api.js";
import { byId, fill, html, setText } from "../core/dom.js";
import { plural } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { startPage } from "../core/page.js";
import { Poller } from "../core/polling.js";
import { ComparisonView } from "../comparison/view.js";
import { parameter } from "../parts/address.js";
import { startViews } from "../parts/saved_views.js";
import { scrolling } from "../core/scrolling.js";

const runIds = parameter("runs")
  .split(",")
  .map((id) => id.trim())
  .filter(Boolean);
const settings = html("div");
/** @type {{setting: string, view: ComparisonView, root: HTMLElement}[]} */
let shown = [];

async function refresh() {
  const { groups, differences } = await get("/compare", { run: runIds });
  const configs = groups.reduce((/** @type {number} */ sum, /** @type {any} */ group) => {
    return sum + group.comparison.configs.length;
  }, 0);
  setText(
    byId("compare-count"),
    [
      `${plural(runIds.length, "run")} of ${plural(configs, "config")}`,
      groups.length > 1 ? `${groups.length} settings` : groups[0].setting,
    ].join(", "),
  );
  makeGroups(groups);
  refill(settings, groups.length > 1 && settingsPanel(groups, differences));
  for (const [index, group] of groups.entries())
    await shown[index].view.update(group.comparison, { run: group.run_ids });
  return groups.some((/** @type {any} */ { comparison }) => comparison.runs.running || comparison.runs.pending);
}

/** One view for each group; those that are shown already stay. @param {any[]} groups */
function makeGroups(groups) {
  const wanted = groups.map((group) => group.setting);
  if (byId("comparison").contains(settings) && wanted.join("\n") === shown.map((each) => each.setting).join("\n")) return;
  shown = wanted.map((setting, index) => {
    const root = html("div");
    return { setting, root, view: new ComparisonView(root, index === 0 ? "compare" : `compare-${index + 1}`) };
  });
  fill(
    byId("comparison"),
    settings,
    shown.map(({ setting, root }) =>
      groups.length > 1
        ? html(
            "section.compared-group",
            { "aria-label": setting },
            html("h2.group-heading", {}, html("bdi", {}, setting)),
            root,
          )
        : root,
    ),
  );
}

/** @param {any[]} groups @param {{key: string, values: string[]}[]} differences */
function settingsPanel(groups, differences) {
  return html(
    "section.panel",
    { "aria-label": "Settings" },
    html("h2", {}, `These runs have ${groups.length} settings`),
    html(
      "p.panel-note",
      {},
      "Scores of different environments, opponents or budgets cannot be compared. Ranks, findings and next steps hold within each group.",
    ),
    scrolling(
      "Settings that differ",
      html(
        "table.plain-table",
        {},
        html(
          "thead",
          {},
          html(
            "tr",
            {},
            html("th", { scope: "col" }, "Runs"),
            differences.map(({ key }) => html("th", { scope: "col" }, html("code", {}, key))),
          ),
        ),
        html(
          "tbody",
          {},
          groups.map((group, index) =>
            html(
              "tr",
              {},
              html("th", { scope: "row" }, plural(group.run_ids.length, "run")),
              differences.map(({ values }) => html("td", {}, html("bdi", {}, values[index]))),
            ),
          ),
        ),
      ),
    ),
  );
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
  startViews("compare");
  startPage(() => poller.now());
  poller.now();
}
