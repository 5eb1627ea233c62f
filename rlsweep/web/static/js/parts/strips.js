// Strips: the values of updates over env steps, as cells whose height and colour say how far from usual they are.

import { drawSparkline, sparkline } from "../charts/sparkline.js";
import { html, icon, svg } from "../core/dom.js";
import { compact, number, reward } from "../core/format.js";

const HEIGHT = 12;
/** Of the strip's height, so that the zone does not rest on colour alone. @type {Record<string, number>} */
const HEIGHTS = { usual: 3, unusual: 7, far: HEIGHT };

/**
 * The reward curve and a strip a metric.
 * @param {any} shown a config or a run of the diagnosis
 * @param {any[]} metrics
 * @param {string} layout "beside" or "stacked"
 */
export function stripsOf(shown, metrics, layout) {
  const curve = sparkline();
  drawSparkline(curve, shown.reward, 0);
  return html(
    `div.strips.${layout}`,
    {},
    entry("Reward", last(shown.reward, reward), curve),
    shown.strips.map((/** @type {any} */ strip, /** @type {number} */ place) => {
      const metric = metrics[place];
      return entry(metric.label, last(strip.values, number), picture(strip, metric, shown.env_steps));
    }),
  );
}

/** What the heights and colours mean. */
export function zoneLegend() {
  return html(
    "p.zone-legend",
    {},
    [
      ["usual", "usual"],
      ["unusual", "unusual"],
      ["far", "far from usual"],
    ].map(([zone, words]) =>
      html(
        "span",
        {},
        svg(
          "svg.zone-sample",
          { viewBox: `0 0 14 ${HEIGHT}`, "aria-hidden": "true" },
          svg(`rect.zone-${zone}`, { x: 0, width: 14, y: HEIGHT - HEIGHTS[zone], height: HEIGHTS[zone] }),
        ),
        words,
      ),
    ),
  );
}

/** The limits of all zones and where they are from; the same of the findings. @param {any[]} metrics @param {any[]} findings */
export function sourcesOf(metrics, findings) {
  const rules = new Map(findings.map((finding) => [finding.title, finding.source]));
  return html(
    "details.zone-sources",
    {},
    html("summary", {}, "Limits, and where they are from"),
    html(
      "dl.facts",
      {},
      metrics.map((metric) => [
        html("dt", {}, metric.label),
        html(
          "dd",
          {},
          `${metric.judged}; ${metric.bands.map((/** @type {any} */ band) => band.text).join(", ")}. ${metric.source}`,
        ),
      ]),
      [...rules].map(([title, source]) => [html("dt", {}, title), html("dd", {}, `Rule: ${source}.`)]),
    ),
  );
}

/** @param {any[]} findings with `text` or `sentence` */
export function findingList(findings) {
  return html(
    "ul.signs.diagnosis-findings",
    {},
    findings.map((finding) =>
      html(
        "li.warning",
        { title: `Source: ${finding.source}` },
        icon("alert", "small"),
        html("span", {}, html("strong", {}, `${finding.title}. `), finding.text ?? finding.sentence),
      ),
    ),
  );
}

/** @param {string} label @param {string} value @param {Element} drawn */
function entry(label, value, drawn) {
  return html(
    "div.strip-entry",
    {},
    html("span.strip-label", {}, label),
    html("span.strip-value", {}, value),
    html("div.strip-drawn", {}, drawn),
  );
}

/** @param {(number | null)[]} values @param {(value: number) => string} format */
function last(values, format) {
  const known = /** @type {number[]} */ (values.filter((value) => value !== null));
  return known.length ? format(known[known.length - 1]) : "not recorded";
}

/** @param {any} strip @param {any} metric @param {number} envSteps of the whole strip */
function picture(strip, metric, envSteps) {
  const cells = strip.zones.length;
  const far = strip.zones.filter((/** @type {number} */ each) => metric.bands[each]?.zone === "far").length;
  const drawing = svg("svg.strip", {
    viewBox: `0 0 ${cells} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${metric.label}: far from usual in ${far} of ${cells} parts of the run, ${last(strip.values, number)} at the end`,
  });
  for (let start = 0, end = 0; start < cells; start = end) {
    while (end < cells && strip.zones[end] === strip.zones[start]) end += 1;
    const band = metric.bands[strip.zones[start]];
    if (!band) continue;
    const height = HEIGHTS[band.zone];
    const values = strip.values.slice(start, end).filter((/** @type {number | null} */ each) => each !== null);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const steps = `${compact((envSteps * start) / cells)} to ${compact((envSteps * end) / cells)} env steps`;
    drawing.append(
      svg(
        `rect.zone-${band.zone}`,
        { x: start, width: end - start, y: HEIGHT - height, height },
        svg("title", {}, `${number(low)}${low === high ? "" : ` to ${number(high)}`}, ${steps}; ${band.text}`),
      ),
    );
  }
  return drawing;
}
