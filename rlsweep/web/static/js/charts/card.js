// A chart in its frame: title, note, legend, and buttons that save its data or its picture.

import { fill, html, icon, setText } from "../core/dom.js";
import { saveCsv } from "../core/saving.js";
import { LineChart } from "./line_chart.js";
import { savePicture, standalone } from "./picture.js";
import { swatch } from "./swatch.js";
import { AXES } from "./ticks.js";

/** @typedef {import("./line_chart.js").Series} Series */

export class ChartCard {
  /**
   * @param {{title: string, file: string, height?: number, legend?: boolean, level?: "h2" | "h3", big?: number}} options
   *   file: name of saved files, without extension; big: height when expanded
   */
  constructor({ title, file, height = 200, legend = false, level = "h3", big = 420 }) {
    this.title = title;
    this.file = file;
    this.height = height;
    this.hasLegend = legend;
    this.legendOf = "";
    /** @type {Set<string>} */
    this.hidden = new Set();
    this.chart = new LineChart({
      label: title,
      height,
      onZoom: (isZoomed) => {
        this.reset.hidden = !isZoomed;
      },
    });
    this.note = html("p.chart-note");
    this.legend = html("div.legend", { role: "group", "aria-label": `Lines of ${title}` });
    this.nothing = html("p.chart-empty", { hidden: true }, "Nothing recorded yet");
    this.reset = toolButton("zoom-out", `Reset the zoom of ${title}`, () => this.chart.zoom(null), "Reset zoom");
    this.reset.hidden = true;
    this.expand = toolButton("expand", `Make ${title} larger`, () => this.toggleSize(big), "Larger");
    this.element = html(
      "figure.chart-card",
      { "aria-label": title },
      html(
        "figcaption.chart-head",
        {},
        html(`${level}.chart-title`, {}, title),
        html(
          "div.chart-tools",
          {},
          this.reset,
          this.expand,
          toolButton("download", `Save the data of ${title} as CSV`, () => this.saveData(), "CSV", "CSV"),
          toolButton("image", `Save a picture of ${title} as PNG`, () => this.savePicture("png"), "PNG", "PNG"),
          toolButton("image", `Save a picture of ${title} as SVG`, () => this.savePicture("svg"), "SVG", "SVG"),
        ),
      ),
      this.note,
      html("div.chart-holder", {}, this.chart.element, this.nothing),
      this.legend,
    );
  }

  /** Give the chart another title, shown and spoken. @param {string} title */
  rename(title) {
    this.title = title;
    this.chart.label = title;
    setText(/** @type {Element} */ (this.element.querySelector(".chart-title")), title);
    this.element.setAttribute("aria-label", title);
  }

  /** @param {string} text */
  setNote(text) {
    setText(this.note, text);
  }

  /** @param {import("./line_chart.js").Content & {legend?: Series[]}} content legend: the series it lists; default all */
  update(content) {
    this.content = content;
    const isEmpty = content.series.every(
      (series) => series.x.length === 0 || (series.y.every((value) => value === null) && !series.low),
    );
    this.nothing.hidden = !isEmpty;
    this.chart.picture.classList.toggle("is-empty", isEmpty);
    this.chart.update(content);
    if (this.hasLegend) this.drawLegend(content.legend ?? content.series.filter((series) => !series.faint));
  }

  /** @param {Series[]} entries */
  drawLegend(entries) {
    const wanted = entries.map((series) => `${series.id}:${series.name}:${series.style.index}`).join("|");
    if (this.legendOf === wanted) return;
    this.legendOf = wanted;
    this.legend.hidden = entries.length < 2;
    fill(
      this.legend,
      entries.map((series) => {
        const button = html(
          "button.legend-entry",
          { type: "button", "aria-pressed": !this.hidden.has(series.id) ? "true" : "false", title: series.name },
          swatch(series.style),
          html("span", {}, series.name),
        );
        button.addEventListener("click", (event) => this.toggle(series.id, event.altKey ? entries : null));
        button.dataset.id = series.id;
        for (const name of ["pointerenter", "focus"])
          button.addEventListener(name, () => this.chart.highlight(series.id));
        for (const name of ["pointerleave", "blur"]) button.addEventListener(name, () => this.chart.highlight(""));
        return button;
      }),
    );
  }

  /** Show or hide one line, and its seeds. @param {string} id @param {Series[] | null} others hide all of these except this one */
  toggle(id, others) {
    if (others) this.hidden = new Set(others.map((series) => series.id).filter((each) => each !== id));
    else if (this.hidden.has(id)) this.hidden.delete(id);
    else this.hidden.add(id);
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.legend.querySelectorAll(".legend-entry"))) {
      button.setAttribute("aria-pressed", this.hidden.has(button.dataset.id ?? "") ? "false" : "true");
    }
    this.applyHidden();
  }

  applyHidden() {
    const series = this.content?.series ?? [];
    this.chart.hide(new Set(series.filter(({ id, group }) => this.hidden.has(group ?? id)).map(({ id }) => id)));
  }

  /** The height while it is not enlarged. @param {number} height */
  setHeight(height) {
    this.height = height;
    if (!this.element.classList.contains("is-big")) this.chart.setHeight(height);
  }

  /** @param {number} big */
  toggleSize(big) {
    const isBig = this.element.classList.toggle("is-big");
    this.chart.setHeight(isBig ? big : this.height);
    this.expand.setAttribute("aria-pressed", String(isBig));
  }

  saveData() {
    if (!this.content) return;
    const hasBand = this.content.series.some((series) => series.low);
    const rows = this.content.series.flatMap((series) =>
      series.x.map((x, index) => [
        series.name,
        x,
        series.bandOnly ? null : series.y[index],
        ...(hasBand ? [series.low?.[index] ?? null, series.high?.[index] ?? null] : []),
      ]),
    );
    saveCsv(
      `${this.file}.csv`,
      ["series", AXES[this.content.axis].label, this.title, ...(hasBand ? ["low", "high"] : [])],
      rows,
    );
  }

  /** @param {"png" | "svg"} ending */
  savePicture(ending) {
    const legend = this.hasLegend
      ? [.../** @type {NodeListOf<HTMLElement>} */ (this.legend.querySelectorAll("[aria-pressed=true]"))].map(
          (button) => ({
            name: button.textContent ?? "",
            swatch: /** @type {SVGElement} */ (button.querySelector("svg")),
          }),
        )
      : [];
    savePicture(`${this.file}.${ending}`, standalone(this.chart.picture, this.title, legend));
  }
}

/**
 * @param {string} name of the icon
 * @param {string} label
 * @param {() => void} act
 * @param {string} title
 * @param {string} [text] instead of the icon
 */
export function toolButton(name, label, act, title, text = "") {
  return html(
    "button.tool-button",
    { type: "button", "aria-label": label, title, onclick: act },
    text || icon(name, "small"),
  );
}
