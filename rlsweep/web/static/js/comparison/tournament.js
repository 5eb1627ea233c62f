// A sweep's tournament: ratings with intervals, who beat whom, and a game of each pair to step through.

import { intervalAxis, intervalRow, rangeOf } from "../charts/intervals.js";
import { colourClass } from "../charts/palette.js";
import { csvButton, panelHead } from "../charts/picture_tools.js";
import { swatch } from "../charts/swatch.js";
import { get } from "../core/api.js";
import { html } from "../core/dom.js";
import { absolute, full, percent } from "../core/format.js";
import { refill } from "../core/keyed.js";
import { scrolling } from "../core/scrolling.js";
import { GameViewer } from "./tournament_games.js";

/** @typedef {Map<string, import("../charts/palette.js").LineStyle>} Styles */

const TITLE = "Tournament";
const PLAIN = { index: 0, colour: 0, dash: "" };

/** Players in the tables, as many as the answer has in its matrix (MOST_CROSSED in the API's report). */
const MOST_ROWS = 40;

/** Between two looks for a new tournament, in milliseconds. */
const PATIENCE = 10_000;

export class TournamentPanel {
  /** @param {string} sweep its id @param {string} file name of saved files */
  constructor(sweep, file) {
    this.address = `/sweeps/${sweep}/tournaments`;
    this.file = file;
    this.chosen = "";
    this.level = "configs";
    this.body = html("div");
    this.viewer = new GameViewer();
    this.element = html("section.panel", { id: "tournament", "aria-label": TITLE }, this.body, this.viewer.element);
    this.element.hidden = true;
    this.looked = -Infinity;
  }

  /** Load and show it; no more often than a tournament changes. @param {Styles} styles */
  async update(styles) {
    this.styles = styles;
    if (performance.now() - this.looked < PATIENCE) return;
    this.looked = performance.now();
    await this.load();
  }

  async load() {
    const answer = await get(this.address, { tournament: this.chosen });
    if (answer === this.answer) return;
    this.answer = answer;
    this.show();
  }

  show() {
    const { shown, tournaments } = this.answer;
    this.element.hidden = shown === null;
    if (shown === null) return;
    const hasConfigs = shown.configs.length > 0;
    const standings = hasConfigs && this.level === "configs" ? shown.configs : shown.standings;
    const isPart = shown.games < shown.planned;
    refill(
      this.body,
      panelHead(TITLE, csvButton("the tournament", `${this.file}-tournament`, () => data(shown))),
      html(
        "p.panel-note",
        {},
        `${shown.environment} · ${full(shown.games)}${isPart ? ` of ${full(shown.planned)}` : ""} games · ${shown.terms}`,
      ),
      (tournaments.length > 1 || hasConfigs) &&
        html(
          "div.curve-controls",
          {},
          tournaments.length > 1 && this.choice(tournaments, shown.id),
          hasConfigs && this.levels(),
        ),
      html("p.tournament-headline", {}, shown.headline),
      ratingsTable(standings, this.styles ?? new Map(), shown),
      this.matrix(standings),
      html(
        "ul.tournament-notes",
        {},
        shown.notes.map((/** @type {string} */ note) => html("li", {}, note)),
      ),
    );
    this.viewer.update(shown);
  }

  /** @param {any[]} tournaments @param {string} shown id */
  choice(tournaments, shown) {
    const select = html(
      "select",
      {
        "aria-label": "Which tournament",
        onchange: (/** @type {Event} */ event) => {
          this.chosen = /** @type {HTMLSelectElement} */ (event.target).value;
          this.load();
        },
      },
      tournaments.map((each) =>
        html("option", { value: each.id, selected: each.id === shown }, `${each.title} · ${absolute(each.created_at)}`),
      ),
    );
    return html("span.select-field.small.tournament-choice", {}, select);
  }

  levels() {
    return html(
      "div.segments.small",
      { role: "group", "aria-label": "What is rated" },
      [
        ["configs", "Configs"],
        ["standings", "Checkpoints"],
      ].map(([level, label]) =>
        html(
          "button",
          {
            type: "button",
            "aria-pressed": String(this.level === level),
            onclick: () => {
              this.level = level;
              this.show();
            },
          },
          label,
        ),
      ),
    );
  }

  /** Who beat whom; a cell opens a game of the two. @param {any[]} standings */
  matrix(standings) {
    const shown = standings.slice(0, MOST_ROWS);
    const rows = shown.map((standing, row) =>
      html(
        "tr",
        {},
        html("th", { scope: "row" }, html("span.matrix-number", {}, `${row + 1}`), html("bdi", {}, standing.name)),
        shown.map((other, column) => this.cell(standing, other, standing.against[column])),
      ),
    );
    const told = "Share of the points of the row's player against the column's. Click for a game.";
    return html(
      "div.matrix-holder",
      {},
      html("p.panel-note", { id: "matrix-note" }, told),
      scrolling(
        "Who beat whom, scrolls sideways",
        html(
          "table.matrix",
          { "aria-describedby": "matrix-note" },
          html(
            "thead",
            {},
            html(
              "tr",
              {},
              html("td"),
              shown.map((other, column) => html("th", { scope: "col", title: other.name }, `${column + 1}`)),
            ),
          ),
          html("tbody", {}, rows),
        ),
      ),
    );
  }

  /** @param {any} standing @param {any} other @param {number[] | null} against wins, draws, losses */
  cell(standing, other, against) {
    if (against === null) return html("td.self", {}, html("span.visually-hidden", {}, "the same"));
    const [wins, draws, losses] = against;
    const games = wins + draws + losses;
    if (games === 0) return html("td", {}, "–");
    const share = (wins + draws / 2) / games;
    const results = `${standing.name} against ${other.name}: ${wins} won, ${draws} drawn, ${losses} lost`;
    const cell = html(
      `td.${share > 0.5 ? "ahead" : "behind"}`,
      {},
      html(
        "button",
        {
          type: "button",
          title: results,
          "aria-label": `${percent(share)}. ${results}. Show a game.`,
          onclick: () => this.viewer.choose(standing.players[0], other.players[0]),
        },
        percent(share),
      ),
    );
    cell.style.setProperty("--heat", `${Math.round(Math.abs(share - 0.5) * 90)}%`);
    return cell;
  }
}

/** @param {any[]} standings @param {Styles} styles @param {any} results */
function ratingsTable(standings, styles, results) {
  const shown = standings.slice(0, MOST_ROWS);
  const range = rangeOf(shown.flatMap((each) => [each.rating, each.low, each.high]));
  const configs = new Map(
    results.configs.flatMap((/** @type {any} */ config) =>
      config.players.map((/** @type {number} */ player) => [player, config.name]),
    ),
  );
  const rows = shown.map((standing) => {
    const config = configs.get(standing.players[0]) ?? standing.name.replace(/ seed \d+$/, "");
    const style = styles.get(config) ?? PLAIN;
    return html(
      `tr.${colourClass(style)}`,
      {},
      html("td", {}, html("span.rank", {}, standing.rank === null ? "–" : `${standing.rank}`)),
      html(
        "th",
        { scope: "row" },
        html("span.config-name", {}, swatch(style), html("bdi", { title: standing.name }, standing.name)),
      ),
      html("td.numeric", {}, html("b", {}, elo(standing.rating)), interval(standing)),
      html("td.interval-cell", {}, range && ratingRow(range, standing, style)),
      html("td.numeric", {}, `${full(standing.wins)}–${full(standing.draws)}–${full(standing.losses)}`),
      html("td.numeric", {}, percent(standing.first.share)),
      html("td.numeric", {}, percent(standing.second.share)),
    );
  });
  return scrolling(
    "Ratings, scrolls sideways",
    html(
      "table.leaderboard",
      {},
      html(
        "thead",
        {},
        html(
          "tr",
          {},
          html("th", { scope: "col" }, "Rank"),
          html("th", { scope: "col" }, "Player"),
          html("th.numeric", { scope: "col" }, "Elo, 95%"),
          html("th.interval-cell", { scope: "col" }, range && intervalAxis(range)),
          html("th.numeric", { scope: "col" }, "W–D–L"),
          html("th.numeric", { scope: "col", title: "Share of the points as who moves first" }, "First"),
          html("th.numeric", { scope: "col", title: "Share of the points as who moves second" }, "Second"),
        ),
      ),
      html("tbody", {}, rows),
    ),
    standings.length > MOST_ROWS && html("p.panel-note", {}, `and ${standings.length - MOST_ROWS} more`),
  );
}

/** @param {import("../charts/intervals.js").Range} range @param {any} standing @param {import("../charts/palette.js").LineStyle} style */
function ratingRow(range, standing, style) {
  const { rating, low, high, name } = standing;
  const label = `${name}: ${elo(rating)}${low === null ? "" : `, from ${elo(low)} to ${elo(high)}`}`;
  return intervalRow(range, { mean: rating, low, high, seeds: [], style, label });
}

/** @param {any} standing */
function interval({ low, high }) {
  return low === null ? null : html("span.sub", {}, `${elo(low)} to ${elo(high)}`);
}

/** @param {number} value */
function elo(value) {
  const whole = Math.round(value);
  return whole > 0 ? `+${whole}` : String(whole).replace("-", "−");
}

/** @param {any} results */
function data(results) {
  return {
    header: ["rank", "player", "elo", "low", "high", "wins", "draws", "losses", "first", "second"],
    rows: results.standings.map((/** @type {any} */ each) => [
      each.rank,
      each.name,
      each.rating,
      each.low,
      each.high,
      each.wins,
      each.draws,
      each.losses,
      each.first.share,
      each.second.share,
    ]),
  };
}
