// A game of a tournament, move by move: buttons and arrow keys.

import { get } from "../core/api.js";
import { fill, html, setText } from "../core/dom.js";

/** @typedef {{seat: number, text: string, is_random: boolean}} Move */

export class GameViewer {
  constructor() {
    this.first = this.select("Moves first");
    this.second = this.select("Moves second");
    this.status = html("p.game-status", { role: "status" });
    this.result = html("p.game-result");
    this.board = html("pre.game-board", { tabindex: 0, role: "img" });
    this.moves = html("ol.game-moves");
    this.buttons = {
      start: this.button("Start", () => this.go(0)),
      back: this.button("Previous", () => this.go(this.place - 1)),
      on: this.button("Next", () => this.go(this.place + 1)),
      end: this.button("End", () => this.go(this.last)),
    };
    this.element = html(
      "div.game-viewer",
      { role: "group", "aria-label": "A game, move by move", onkeydown: (/** @type {KeyboardEvent} */ e) => this.key(e) },
      html("h3", {}, "A game, move by move"),
      html(
        "div.curve-controls",
        {},
        html("label.select-field.small", {}, html("span.select-label", {}, "First"), this.first),
        html("label.select-field.small", {}, html("span.select-label", {}, "Second"), this.second),
      ),
      this.result,
      html("div.game-controls", {}, Object.values(this.buttons)),
      this.status,
      html("div.game", {}, this.board, this.moves),
      html("p.panel-note", {}, "Arrow keys step through the game."),
    );
    /** @type {any} */
    this.game = null;
    this.place = 0;
    this.asked = 0;
  }

  /** @param {any} results of the tournament */
  update(results) {
    const isOther = results.id !== this.id;
    this.id = results.id;
    const options = () =>
      results.standings.map((/** @type {any} */ each) => html("option", { value: each.players[0] }, each.name));
    const [first, second] = [this.first.value, this.second.value];
    fill(this.first, options());
    fill(this.second, options());
    if (!isOther) {
      this.first.value = first;
      this.second.value = second;
    } else if (results.standings.length > 1) {
      this.first.value = String(results.standings[0].players[0]);
      this.second.value = String(results.standings[1].players[0]);
    }
    this.load();
  }

  /** Show the game of these two and move the focus to it. @param {number} first @param {number} second */
  choose(first, second) {
    this.first.value = String(first);
    this.second.value = String(second);
    this.load();
    this.element.scrollIntoView({ block: "nearest" });
    this.buttons.on.focus({ preventScroll: true });
  }

  async load() {
    const [first, second] = [this.first.value, this.second.value];
    const asked = ++this.asked;
    const name = this.first.selectedOptions[0]?.text;
    const games =
      first === second ? [] : (await get(`/tournaments/${this.id}/games/${first}/${second}`)).games;
    if (asked !== this.asked) return;
    const game = games.find((/** @type {any} */ each) => each.first === name) ?? null;
    if (game === this.game && game !== null) return;
    this.game = game;
    setText(
      this.result,
      game?.result ?? (first === second ? "Choose two players." : "No game of these two is on record yet."),
    );
    this.go(0);
  }

  get last() {
    return this.game?.game.moves.length ?? 0;
  }

  /** @param {number} place 0 is before the first move */
  go(place) {
    this.place = Math.max(0, Math.min(this.last, place));
    /** @type {Move[]} */
    const moves = this.game?.game.moves ?? [];
    const boards = this.game?.game.boards ?? [];
    this.board.hidden = boards.length === 0;
    setText(this.board, boards[this.place] ?? "");
    this.board.setAttribute("aria-label", `Position after ${this.place} of ${this.last} moves: ${boards[this.place]}`);
    setText(this.status, this.game === null ? "" : this.told(moves[this.place - 1]));
    fill(
      this.moves,
      moves.map((move, index) =>
        html(
          `li${move.is_random ? ".is-random" : ""}`,
          { "aria-current": index === this.place - 1 ? "step" : null, title: move.is_random ? "random opening" : null },
          move.text,
        ),
      ),
    );
    this.buttons.start.disabled = this.buttons.back.disabled = this.place === 0;
    this.buttons.on.disabled = this.buttons.end.disabled = this.place === this.last;
  }

  /** @param {Move | undefined} move the last one */
  told(move) {
    if (move === undefined) return `Before the first of ${this.last} moves`;
    const player = move.seat === 0 ? this.game.first : this.game.second;
    const how = move.is_random ? " (random opening)" : "";
    return `Move ${this.place} of ${this.last}: ${move.text}, ${player}${how}`;
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || event.target instanceof HTMLSelectElement) return;
    event.preventDefault();
    this.go(this.place + step);
  }

  /** @param {string} label */
  select(label) {
    return /** @type {HTMLSelectElement} */ (html("select", { "aria-label": label, onchange: () => this.load() }));
  }

  /** @param {string} label @param {() => void} onclick */
  button(label, onclick) {
    return /** @type {HTMLButtonElement} */ (html("button.button", { type: "button", onclick }, label));
  }
}
