// Poll the server: often while something runs, rarely otherwise, never while the page is hidden.

import { ApiError, isAbort } from "./api.js";

const BUSY_MS = 2_000;
const CALM_MS = 10_000;

export class Poller {
  /**
   * @param {() => Promise<boolean>} work requests and shows the data; returns whether something runs
   * @param {(error: unknown) => void} [failed] called with errors that a repeated request would not solve
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

  /** Poll now, and restart the interval. @returns {Promise<void>} */
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
