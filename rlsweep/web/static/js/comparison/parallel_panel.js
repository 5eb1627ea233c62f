// The panel of parallel coordinates: hyperparameters and score.

import { swatch } from "../charts/swatch.js";
import { ParallelCoordinates } from "../charts/parallel.js";
import { csvButton, panelHead, pictureButtons } from "../charts/picture_tools.js";
import { html, setText } from "../core/dom.js";
import { atEnd, isStepped, plural } from "../core/format.js";

const TITLE = "Parallel coordinates";
const SCORE = " score";

export class ParallelPanel {
  /** @param {string} file */
  constructor(file) {
    this.plot = new ParallelCoordinates({
      label: "Hyperparameters and score, one line per config",
      height: 280,
      onSelect: (names) => this.showSelected(names),
    });
    this.note = html("p.panel-note");
    this.selected = html("p.panel-note.selected-lines", { "aria-live": "polite" });
    this.element = html(
      "section.panel",
      { "aria-label": TITLE },
      panelHead(
        TITLE,
        csvButton(TITLE, `${file}-parallel`, () => this.data()),
        pictureButtons(
          TITLE,
          `${file}-parallel`,
          () => this.plot.picture,
          () => this.legend(),
        ),
      ),
      this.note,
      this.plot.element,
      this.selected,
    );
  }

  /** @param {string[] | null} names the configs within all ranges; null without a range */
  showSelected(names) {
    const count = this.report?.configs.length ?? 0;
    setText(
      this.selected,
      names === null
        ? "Drag on an axis to select a range. Arrow keys move it, Shift and an arrow key its upper end; Escape clears it."
        : `${names.length} of ${plural(count, "config")}${names.length ? `: ${names.join(", ")}` : ""}.`,
    );
  }

  /** @param {any} report @param {import("./leaderboard.js").Styles} styles */
  update(report, styles) {
    this.report = report;
    this.styles = styles;
    const keys = Object.keys(report.configs[0]?.differences ?? {});
    this.element.hidden = keys.length === 0;
    if (keys.length === 0) return;
    const changing = keys.filter((key) =>
      report.configs.some((/** @type {any} */ config) => isStepped(config.differences[key])),
    );
    this.note.textContent =
      `Each line is a config; the last axis is its score: ${report.scored_by.definition}.` +
      (changing.length ? ` Where ${changing.join(", ")} changes while a config trains, its last value is shown.` : "");
    this.plot.update(
      [
        ...keys.map((key) => ({ key, label: key.split(".").pop() ?? key })),
        { key: SCORE, label: "score", isScore: true },
      ],
      [...report.configs].reverse().map((/** @type {any} */ config) => ({
        name: config.name,
        style: styles.get(config.name) ?? { index: 0, colour: 0, dash: "" },
        values: {
          ...Object.fromEntries(keys.map((key) => [key, atEnd(config.differences[key])])),
          [SCORE]: config.score,
        },
      })),
    );
  }

  data() {
    const keys = Object.keys(this.report?.configs[0]?.differences ?? {});
    return {
      header: ["config", ...keys, "score"],
      rows: (this.report?.configs ?? []).map((/** @type {any} */ config) => [
        config.name,
        ...keys.map((key) => config.differences[key]),
        config.score,
      ]),
    };
  }

  legend() {
    return (this.report?.configs ?? []).map((/** @type {any} */ config) => {
      const mark = swatch(this.styles?.get(config.name) ?? { index: 0, colour: 0, dash: "" });
      this.element.append(html("span.visually-hidden.legend-probe", {}, mark));
      window.setTimeout(() => mark.parentElement?.remove());
      return { name: config.name, swatch: mark };
    });
  }
}
