// Buttons that save the data and the picture of a drawing other than a line chart.

import { html } from "../core/dom.js";
import { saveCsv } from "../core/saving.js";
import { toolButton } from "./card.js";
import { savePicture, standalone } from "./picture.js";

/** @param {string} title @param {string} file @param {() => {header: string[], rows: unknown[][]}} data */
export function csvButton(title, file, data) {
  return toolButton(
    "download",
    `Save the data of ${title} as CSV`,
    () => {
      const { header, rows } = data();
      saveCsv(`${file}.csv`, header, rows);
    },
    "CSV",
    "CSV",
  );
}

/**
 * @param {string} title
 * @param {string} file
 * @param {() => SVGElement} drawing
 * @param {() => import("./picture.js").LegendEntry[]} legend
 */
export function pictureButtons(title, file, drawing, legend) {
  return /** @type {("png" | "svg")[]} */ (["png", "svg"]).map((ending) =>
    toolButton(
      "image",
      `Save a picture of ${title} as ${ending.toUpperCase()}`,
      () => savePicture(`${file}.${ending}`, standalone(drawing(), title, legend())),
      ending.toUpperCase(),
      ending.toUpperCase(),
    ),
  );
}

/** @param {string} title @param {...import("../core/dom.js").Child} tools */
export function panelHead(title, ...tools) {
  return html("div.panel-head", {}, html("h2", {}, title), html("div.chart-tools", {}, tools));
}
