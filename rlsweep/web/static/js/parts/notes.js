// The note and the tags of a run or a sweep: shown as text, changed in place.

import { ApiError, send } from "../core/api.js";
import { announce, fill, html } from "../core/dom.js";

const MAX_NOTE = 4_000;

/** A tag that leads to the list of what has it. @param {string} tag @param {string} list path of the list */
export function tagLink(tag, list) {
  return html("a.tag", { href: `${list}?tag=${encodeURIComponent(tag)}`, title: `All with the tag ${tag}` }, tag);
}

/** A mark that a note exists, which tells it. @param {string} note */
export function noteMark(note) {
  return note ? html("span.tag.note-mark", { title: note }, "note") : null;
}

export class Notes {
  /**
   * @param {string} path address in the API of what the note is about
   * @param {string} list path of the list that a tag leads to
   * @param {() => void} written called after each change
   */
  constructor(path, list, written) {
    this.path = path;
    this.list = list;
    this.written = written;
    this.element = html("section.notes", { "aria-label": "Note and tags" });
    /** @type {{note: string, tags: string[], version: number} | null} */
    this.shown = null;
    this.isEditing = false;
  }

  /** Show what is on record; what is being edited stays. @param {any} record a run or a sweep */
  update({ note, tags, note_version: version }) {
    const isKnown = this.shown !== null && version <= this.shown.version;
    if (this.isEditing || isKnown) return;
    this.show({ note, tags, version });
  }

  /** @param {{note: string, tags: string[], version: number}} shown */
  show(shown) {
    this.shown = shown;
    this.isEditing = false;
    const isEmpty = !shown.note && shown.tags.length === 0;
    fill(
      this.element,
      shown.tags.length > 0 &&
        html(
          "div.note-tags",
          {},
          shown.tags.map((tag) => tagLink(tag, this.list)),
        ),
      shown.note && html("p.note-text", { dir: "auto" }, shown.note),
      html(
        "button.button.quiet.note-edit",
        { type: "button", onclick: () => this.edit(shown) },
        isEmpty ? "Add a note or tags" : "Edit note and tags",
      ),
    );
  }

  /** @param {{note: string, tags: string[], version: number}} from what is edited, and its version on record */
  edit(from) {
    this.isEditing = true;
    const tags = /** @type {HTMLInputElement} */ (
      html("input", { value: from.tags.join(", "), autocomplete: "off", spellcheck: "false", placeholder: "good, todo" })
    );
    const note = /** @type {HTMLTextAreaElement} */ (html("textarea", { rows: 4, maxlength: MAX_NOTE }, from.note));
    const problem = html("div.problem", { role: "alert", hidden: true });
    const form = html(
      "form.note-form",
      {},
      html("label", {}, html("span.select-label", {}, "Tags"), tags),
      html("label", {}, html("span.select-label", {}, "Note"), note),
      problem,
      html(
        "div.menu-row",
        {},
        html("button.button.primary", {}, "Save"),
        html("button.button.quiet", { type: "button", onclick: () => this.leave() }, "Cancel"),
      ),
    );
    const typed = () => ({ note: note.value, tags: tags.value.split(/[\s,]+/).filter(Boolean) });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save({ ...typed(), version: from.version }, problem);
    });
    form.addEventListener("keydown", (event) => event.key === "Escape" && this.leave());
    fill(this.element, form);
    tags.focus();
  }

  leave() {
    if (this.shown) this.show(this.shown);
    this.element.querySelector("button")?.focus();
  }

  /** @param {{note: string, tags: string[], version: number}} wanted @param {HTMLElement} problem */
  async save(wanted, problem) {
    problem.hidden = true;
    try {
      this.show(await send("PUT", `${this.path}/annotation`, wanted));
      this.element.querySelector("button")?.focus();
      announce("Note and tags are saved");
      this.written();
    } catch (error) {
      const now = error instanceof ApiError && error.status === 409 ? error.now : null;
      fill(
        problem,
        html("p", {}, error instanceof Error ? error.message : String(error)),
        now && this.standing(now, wanted),
      );
      problem.hidden = false;
    }
  }

  /** What somebody else has written meanwhile, and the ways on. @param {any} now @param {any} wanted */
  standing(now, wanted) {
    return html(
      "div.note-standing",
      {},
      html("p", {}, "It says now: ", html("b", {}, now.tags.join(", ") || "no tags")),
      html("p.note-text", { dir: "auto" }, now.note || "no note"),
      html(
        "div.menu-row",
        {},
        html(
          "button.button",
          { type: "button", onclick: () => this.edit({ ...wanted, version: now.version }) },
          "Go on with mine",
        ),
        html("button.button", { type: "button", onclick: () => this.show(now) }, "Keep what it says"),
      ),
    );
  }
}
