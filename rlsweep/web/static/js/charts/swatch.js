// The piece of line that stands for a series.

import { svg } from "../core/dom.js";
import { colourClass } from "./palette.js";

/** The piece of line that stands for a series in legends. @param {import("./palette.js").LineStyle} style */
export function swatch(style) {
  return svg(
    `svg.swatch.${colourClass(style)}`,
    { width: 18, height: 10, "aria-hidden": "true" },
    svg("line", {
      x1: 1,
      x2: 17,
      y1: 5,
      y2: 5,
      "stroke-dasharray": style.dash
        ? style.dash
            .split(" ")
            .map((part) => Number(part) / 1.6)
            .join(" ")
        : null,
    }),
  );
}
