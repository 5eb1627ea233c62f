// Cards of a run: config summary, details, how to reproduce it, checkpoints, error.

import { time } from "../core/clock.js";
import { commandLine, copyButton, copyable } from "../core/copying.js";
import { html, icon } from "../core/dom.js";
import { bytes, compact, configValue, duration, full, plural } from "../core/format.js";
import { configTree } from "./config_tree.js";

/** @type {[string, string][]} */
const KEY_HYPERPARAMETERS = [
  ["learning_rate", "Learning rate"],
  ["gamma", "Gamma"],
  ["n_steps", "Steps per rollout"],
  ["batch_size", "Batch size"],
  ["n_epochs", "Epochs"],
  ["ppo.clip_range", "Clip range"],
  ["ppo.ent_coef", "Entropy coefficient"],
  ["ppo.vf_coef", "Value coefficient"],
  ["ppo.gae_lambda", "GAE lambda"],
  ["ppo.max_grad_norm", "Max gradient norm"],
  ["ppo.target_kl", "Target KL"],
];

/** @param {any} run */
export function configSummary(run) {
  const known = run.hyperparameters;
  return html(
    "section.panel",
    { "aria-label": "Config summary", id: "config-summary" },
    html("div.panel-head", {}, html("h2", {}, "Config summary"), html("span.tag", {}, `version ${run.version}`)),
    html(
      "dl.facts",
      {},
      fact("Name", html("bdi", {}, run.config_name)),
      fact("Agent", html("bdi", {}, run.agent_id), ` · ${run.algorithm}`),
      run.environment && fact("Environment", html("bdi", {}, run.environment)),
      fact("File", run.config_path === null ? "none: drawn from a search space, or given as a dict" : copyable(run.config_path, "the config's path")),
    ),
    group(
      "Key hyperparameters",
      html(
        "dl.facts",
        {},
        KEY_HYPERPARAMETERS.filter(([key]) => key in known && known[key] !== null).map(([key, label]) =>
          fact(label, configValue(known[key])),
        ),
      ),
    ),
    group("Network", html("dl.facts", {}, network(known))),
    group(run.base ? "Differences from the base config" : "Base config", differences(run)),
    group("", configTree(run.config)),
  );
}

/** @param {Record<string, any>} known */
function network(known) {
  const layers = known["network.net_arch"];
  const split = [known["network.net_arch.pi"], known["network.net_arch.vf"]];
  return [
    fact("Policy", known["network.policy"] ?? "–"),
    Array.isArray(layers) && fact("Hidden layers", layersText(layers)),
    layers &&
      !Array.isArray(layers) && [
        fact("Policy layers", layersText(layers.pi)),
        fact("Value layers", layersText(layers.vf)),
      ],
    split[0] && [fact("Policy layers", layersText(split[0])), fact("Value layers", layersText(split[1]))],
    fact("Activation", known["network.activation_fn"] ?? "–"),
  ];
}

/** @param {unknown} layers */
function layersText(layers) {
  return Array.isArray(layers) ? layers.join(" → ") || "none" : configValue(layers);
}

/** @param {any} run */
function differences(run) {
  if (!run.base)
    return html(
      "p.panel-note",
      {},
      run.sweep_variant
        ? "There is no run of this agent's base config to compare with."
        : "This is the agent's base config.",
    );
  const base = html(
    "p.panel-note",
    {},
    "Set against ",
    html("a", { href: `/training/runs/${run.base.run_id}` }, html("bdi", {}, run.base.name)),
    `, ${run.base.source}.`,
  );
  if (run.differs_from_base.length === 0) return [html("p", {}, "None: the hyperparameters are the same."), base];
  return [
    html(
      "ul.differences",
      {},
      run.differs_from_base.map((/** @type {any} */ each) =>
        html(
          "li.difference",
          {},
          html("code.difference-key", {}, each.key),
          html("span.difference-value", {}, configValue(each.value)),
          html("span.difference-base", {}, `instead of ${configValue(each.base)}`),
        ),
      ),
    ),
    base,
  ];
}

/** @param {any} run */
export function statisticsPanel(run) {
  return html(
    "section.panel",
    { "aria-label": "Statistics" },
    html("div.panel-head", {}, html("h2", {}, "Statistics")),
    html(
      "dl.facts.wide",
      {},
      run.statistics.map((/** @type {any} */ each) => fact(each.label, html("span.statistic", {}, each.text))),
    ),
  );
}

/** @param {any} run */
export function checkpointsPanel(run) {
  const list = [...run.checkpoints].reverse();
  return html(
    "section.panel",
    { "aria-label": "Checkpoints" },
    html(
      "div.panel-head",
      {},
      html("h2", {}, "Checkpoints"),
      html("span.muted", {}, list.length ? plural(list.length, "file") : ""),
    ),
    list.length === 0
      ? html(
          "p.panel-note",
          {},
          run.status === "running"
            ? "None yet. The first is written during or after training."
            : "The run ended before its first checkpoint.",
        )
      : html(
          "ul.checkpoints",
          {},
          list.map((each) =>
            html(
              "li",
              {},
              html(
                "div.checkpoint-head",
                {},
                html("b", {}, `Episode ${full(each.episode)}`),
                html("span.muted", {}, `${full(each.env_steps)} env steps · ${bytes(each.bytes)}`),
              ),
              each.resume_command
                ? commandLine(each.resume_command, `the resume command of episode ${each.episode}`)
                : null,
              html(
                "div.copyable",
                {},
                html("p.checkpoint-path.mono", { title: `sha256 ${each.sha256}` }, each.uri),
                copyButton(each.uri, `the path of episode ${each.episode}`),
              ),
            ),
          ),
        ),
    list.length > 0 &&
      list.every((each) => !each.resume_command) &&
      html(
        "p.panel-note.spaced",
        {},
        "This trial is complete; there is nothing to resume. Train its config for long instead:",
      ),
    list.length > 0 &&
      list.every((each) => !each.resume_command) &&
      commandLine(run.long_run_command, "the long run's command"),
  );
}

/** @param {any} run */
export function reproducePanel(run) {
  const {
    command,
    recorded_command: typed,
    git_commit: commit,
    git_dirty: isDirty,
    versions,
    seed,
    host,
    engine,
  } = run.reproduce;
  return html(
    "section.panel",
    { "aria-label": "Reproduce" },
    html("div.panel-head", {}, html("h2", {}, "Reproduce")),
    commandLine(command, "the command that trains it again"),
    html(
      "dl.facts.spaced",
      {},
      fact("Seed", String(seed)),
      fact(
        "Commit",
        commit
          ? [copyable(commit, "the commit"), isDirty && html("span.sub", {}, "with uncommitted changes")]
          : "not recorded",
      ),
      host && fact("Host", host),
      engine && fact("Engine", engine),
      typed && fact("Typed", html("code", {}, typed)),
      Object.keys(versions).length > 0 &&
        fact(
          "Versions",
          Object.entries(versions)
            .map(([name, version]) => `${name} ${version}`)
            .join(", "),
        ),
      fact("Config hash", html("code", {}, run.config_hash.slice(0, 12))),
      fact("Run id", copyable(run.id, "the run's id")),
    ),
    group("Train it for long", commandLine(run.long_run_command, "the long run's command")),
  );
}

/** The error of a failed run, and its place in the code. @param {any} run */
export function failurePanel(run) {
  const text = run.error_text ?? "";
  const lines = text
    .split("\n")
    .map((/** @type {string} */ line) => line.trimEnd())
    .filter(Boolean);
  const places = lines.filter((/** @type {string} */ line) => /^\s*File ".*", line \d+/.test(line));
  const place = places.length ? places[places.length - 1].trim() : null;
  const where = [
    run.episodes
      ? `after episode ${full(run.episodes)}, ${full(run.env_steps)} env steps`
      : "before its first finished episode",
    run.seconds !== null && `${duration(run.seconds)} after it started`,
    run.attempt > 1 && `in attempt ${run.attempt}`,
    run.reproduce.host && `on ${run.reproduce.host}`,
  ]
    .filter(Boolean)
    .join(", ");
  return html(
    "section.panel.failure",
    { role: "alert", "aria-label": "Why it failed" },
    html("h2", {}, icon("failed"), "This run failed"),
    html("p.failure-line", {}, html("bdi", {}, run.error ?? "No error was recorded.")),
    html("p.failure-where", {}, `It failed ${where}.`, place && [" ", html("code", {}, place)]),
    lines.length > 1 &&
      html(
        "details",
        {},
        html("summary", {}, "Traceback"),
        html(
          "div.copyable",
          {},
          html("pre", { tabindex: 0, role: "region", "aria-label": "Traceback" }, text),
          copyButton(text, "the traceback"),
        ),
      ),
    html("p.failure-where", {}, "After you fix the cause, the command under “Reproduce” trains it again."),
  );
}

/** @param {string} label @param {...import("../core/dom.js").Child} children */
function fact(label, ...children) {
  return [html("dt", {}, label), html("dd", {}, children)];
}

/** @param {string} title @param {...import("../core/dom.js").Child} children */
function group(title, ...children) {
  return html("div.facts-group", {}, title && html("h3", {}, title), children);
}

/** @param {any} run */
export function tiles(run) {
  const budget = run.budget ?? {};
  const progress = run.progress === null ? "" : `${Math.round(run.progress * 100)}% of the budget`;
  return html(
    "div.tiles",
    {},
    tile("Score", run.figures.score, run.score_definition ?? "no episode yet"),
    tile("Win rate", run.figures.win_rate, run.win_rate === null ? "no outcomes here" : "in what is scored"),
    tile("Episodes", full(run.episodes), budget.episodes ? `of ${full(budget.episodes)}` : progress),
    tile(
      "Env steps",
      compact(run.env_steps),
      budget.total_timesteps ? `of ${compact(budget.total_timesteps)}` : progress,
    ),
    tile("Policy updates", full(run.updates), ""),
    tile("Speed", run.figures.speed, "env steps/s"),
    html(
      "div.tile",
      {},
      html("div.tile-label", {}, "Duration"),
      html("div.tile-value", { id: "run-duration" }),
      html("div.tile-note", {}, run.started_at ? ["started ", time(run.started_at)] : "not started yet"),
    ),
  );
}

/** @param {string} label @param {string} value @param {string} note */
function tile(label, value, note) {
  return html(
    "div.tile",
    {},
    html("div.tile-label", {}, label),
    html("div.tile-value", {}, value),
    html("div.tile-note", {}, note),
  );
}
