// What the filters of the list of runs offer: agents, sweeps, environments and tags.

import { get } from "../core/api.js";
import { parameters } from "./address.js";
import { fillChoices, fillSelect } from "./choices.js";

const SWEEPS_TO_CHOOSE = 200;

/** @param {{agent: HTMLSelectElement, sweep: HTMLSelectElement, environment: HTMLSelectElement, tag: HTMLSelectElement}} selects */
export async function loadChoices({ agent, sweep, environment, tag }) {
  const [{ agents }, { sweeps }, { environments, tags }] = await Promise.all([
    get("/training-runs/agents/list"),
    get("/sweeps", { limit: SWEEPS_TO_CHOOSE }),
    get("/choices"),
  ]);
  const isOfRuns = (/** @type {any} */ each) => each.runs > 0;
  fillChoices(environment, environments.map((/** @type {any} */ each) => each.environment), 2);
  fillChoices(tag, tags.filter(isOfRuns).map((/** @type {any} */ each) => each.tag), 1);
  const agentIds = [...new Set([...agents.map((/** @type {any} */ each) => each.agent_id), ...parameters("agent_id")])];
  fillSelect(
    agent,
    [["", "All"], ...agentIds.map((id) => /** @type {[string, string]} */ ([id, id]))],
    parameters("agent_id")[0] ?? "",
  );
  const names = new Map(sweeps.map((/** @type {any} */ each) => [each.id, each.name]));
  for (const id of parameters("sweep_id")) if (!names.has(id)) names.set(id, id.slice(0, 8));
  fillSelect(
    sweep,
    [["", "All"], .../** @type {[string, string][]} */ ([...names])],
    parameters("sweep_id")[0] ?? "",
  );
}
