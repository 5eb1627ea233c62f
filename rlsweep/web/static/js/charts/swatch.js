// A short sample of a series' line.

import { svg } from "../core/dom.js";
import { colourClass } from "./palette.js";

/** A short sample of a series' line, for legends. @param {import("./palette.js").LineStyle} style */
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
