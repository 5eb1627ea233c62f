// Save a chart as SVG or PNG, with title, legend and background.

import { svg } from "../core/dom.js";
import { saveFile } from "../core/saving.js";

const KEPT = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-opacity",
  "stroke-linejoin",
  "stroke-linecap",
  "opacity",
  "font-size",
  "font-weight",
];
const PNG_SCALE = 2;
const HEAD = 34;
const LEGEND_LINE = 18;

/**
 * @typedef {object} LegendEntry
 * @property {string} name
 * @property {SVGElement} swatch
 */

/**
 * The chart as a separate SVG document.
 * @param {SVGElement} chart the element on the page
 * @param {string} title
 * @param {LegendEntry[]} legend
 */
export function standalone(chart, title, legend) {
  const { width, height } = chart.getBoundingClientRect();
  const page = getComputedStyle(document.body);
  const surface = getComputedStyle(document.documentElement).getPropertyValue("--surface");
  const rows = legendRows(legend, width);
  const total = height + HEAD + rows.length * LEGEND_LINE + 8;
  const copy = flattened(chart);
  copy.setAttribute("y", String(HEAD));
  const probe = svg("rect", { fill: surface });
  chart.append(probe);
  probe.style.fill = "var(--surface)";
  const background = getComputedStyle(probe).fill;
  probe.remove();
  return svg(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height: total,
      viewBox: `0 0 ${width} ${total}`,
      "font-family": page.fontFamily.replaceAll('"', "'"),
    },
    svg("title", {}, title),
    svg("rect", { width, height: total, fill: background }),
    svg("text", { x: 14, y: 22, "font-size": 14, "font-weight": 600, fill: page.color }, title),
    copy,
    rows.map((row, index) =>
      row.map(({ entry, x }) => {
        const mark = flattened(entry.swatch);
        mark.setAttribute("x", String(x));
        mark.setAttribute("y", String(HEAD + height + index * LEGEND_LINE));
        return [
          mark,
          svg(
            "text",
            { x: x + 23, y: HEAD + height + index * LEGEND_LINE + 9, "font-size": 11, fill: page.color },
            entry.name,
          ),
        ];
      }),
    ),
  );
}

/** @param {string} name file name, ending in .svg or .png @param {SVGElement} picture */
export async function savePicture(name, picture) {
  const text = new XMLSerializer().serializeToString(picture);
  const blob = new Blob([text], { type: "image/svg+xml;charset=utf-8" });
  if (name.endsWith(".svg")) return saveFile(name, blob);
  const address = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = Number(picture.getAttribute("width")) * PNG_SCALE;
    canvas.height = Number(picture.getAttribute("height")) * PNG_SCALE;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const png = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    saveFile(name, /** @type {Blob} */ (png));
  } finally {
    URL.revokeObjectURL(address);
  }
  return undefined;
}

/** A copy with inline styles, which needs no style sheet. @param {SVGElement} original @returns {SVGElement} */
function flattened(original) {
  const copy = /** @type {SVGElement} */ (original.cloneNode(true));
  const originals = [original, .../** @type {NodeListOf<SVGElement>} */ (original.querySelectorAll("*"))];
  const copies = [copy, .../** @type {NodeListOf<SVGElement>} */ (copy.querySelectorAll("*"))];
  originals.forEach((each, index) => {
    const style = getComputedStyle(each);
    for (const name of KEPT) copies[index].setAttribute(name, style.getPropertyValue(name));
    copies[index].removeAttribute("class");
    copies[index].removeAttribute("aria-hidden");
  });
  for (const left of copy.querySelectorAll("[visibility=hidden], g:empty")) left.remove();
  return copy;
}

/** @param {LegendEntry[]} legend @param {number} width */
function legendRows(legend, width) {
  /** @type {{entry: LegendEntry, x: number}[][]} */
  const rows = [];
  let x = Infinity;
  for (const entry of legend) {
    const needed = 40 + entry.name.length * 6.4;
    if (x + needed > width - 14) {
      rows.push([]);
      x = 14;
    }
    rows[rows.length - 1].push({ entry, x });
    x += needed;
  }
  return rows;
}
