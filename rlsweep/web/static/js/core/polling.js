// Asking again and again: often while something runs, seldom else, not at all while nobody looks.

import { ApiError, isAbort } from "./api.js";

const BUSY_MS = 2_000;
const CALM_MS = 10_000;

export class Poller {
  /**
   * @param {() => Promise<boolean>} work asks and shows; says whether something runs
   * @param {(error: unknown) => void} [failed] is told of errors that will not pass by themselves
   */
  constructor(work, failed = () => {}) {
    this.work = work;
    this.failed = failed;
    this.timer = 0;
    this.turn = 0;
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.now();
    });
  }

  /** Ask now, and go on from there. @returns {Promise<void>} */
  async now() {
    window.clearTimeout(this.timer);
    const turn = ++this.turn;
    let busy = true;
    try {
      busy = await this.work();
    } catch (error) {
      const isPassing = isAbort(error) || (error instanceof ApiError && error.isPassing);
      if (!isPassing && turn === this.turn) this.failed(error);
    }
    if (turn !== this.turn) return;
    document.dispatchEvent(new CustomEvent("polled", { detail: { busy } }));
    this.timer = window.setTimeout(() => this.again(), busy ? BUSY_MS : CALM_MS);
  }

  again() {
    if (!document.hidden) this.now();
  }
}
