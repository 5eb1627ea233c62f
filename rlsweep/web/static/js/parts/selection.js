// The runs chosen for a comparison. They stay chosen when a filter hides them, and on the way to other pages and back:
// the browser keeps them for as long as its tab is open.

import { announce, byId, fill, html, icon } from "../core/dom.js";
import { full, plural } from "../core/format.js";

/** The API's limit for runs given by id; a sweep's page compares all of its runs without a limit. */
export const MAX_COMPARED = 200;

const KEY = "rlsweep-chosen";

export class Selection {
  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {Set<string>} */
    this.ids = new Set(stored());
    this.last = "";
    this.bar = byId("selection-bar");
    this.show();
  }

  /** @param {string} id */
  has(id) {
    return this.ids.has(id);
  }

  get address() {
    return this.ids.size > 1 && this.ids.size <= MAX_COMPARED ? `/training/compare?runs=${[...this.ids].join(",")}` : null;
  }

  /**
   * Choose a run; with `extend`, all runs from the previously chosen one up to it.
   * @param {string[]} shown ids in their order
   * @param {string} id
   * @param {boolean} isChosen
   * @param {boolean} [extend]
   */
  choose(shown, id, isChosen, extend = false) {
    const to = shown.indexOf(id);
    const from = extend && shown.includes(this.last) ? shown.indexOf(this.last) : to;
    this.last = id;
    this.set(shown.slice(Math.min(from, to), Math.max(from, to) + 1), isChosen);
  }

  /** @param {string[]} ids @param {boolean} isChosen */
  set(ids, isChosen) {
    for (const id of ids) {
      if (isChosen) this.ids.add(id);
      else this.ids.delete(id);
    }
    store([...this.ids]);
    this.show();
    this.changed();
  }

  show() {
    const count = this.ids.size;
    this.bar.hidden = count === 0;
    if (count === 0) return;
    const isEnough = this.address !== null;
    const isMany = count > MAX_COMPARED;
    const tooMany = `At most ${full(MAX_COMPARED)} runs can be compared`;
    fill(
      this.bar,
      html("span", {}, plural(count, "run"), " chosen"),
      html(
        "a.button.primary",
        {
          id: "compare-chosen",
          href: this.address,
          "aria-disabled": isEnough ? null : "true",
          title: isEnough ? null : isMany ? tooMany : "Choose another run to compare it with",
        },
        `Compare (${count})`,
      ),
      isMany && html("span.muted", { id: "too-many" }, `${tooMany}; a sweep's page shows all of its runs`),
      html(
        "button.icon-button",
        { type: "button", "aria-label": "Choose none", title: "Choose none", onclick: () => this.clear() },
        icon("close"),
      ),
    );
    announce(`${plural(count, "run")} chosen${isMany ? `. ${tooMany}` : ""}`);
  }

  clear() {
    this.set([...this.ids], false);
    byId("choose-all").focus();
  }
}

/** @returns {string[]} */
function stored() {
  try {
    const ids = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids : [];
  } catch {
    return []; // no storage, or not what this page wrote there
  }
}

/** @param {string[]} ids */
function store(ids) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // without storage, the choice is lost with the page
  }
}
