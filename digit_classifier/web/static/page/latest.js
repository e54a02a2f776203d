/** One task at a time, of which only the latest matters. */

/**
 * A task gets a signal that is aborted when its result is not wanted any more.
 * @typedef {(signal: AbortSignal) => Promise<void>} Task
 */

const PAUSE = 200; // milliseconds between two tasks that need not come at once

export class Latest {
  /** @type {Task | null} */
  #waiting = null;
  /** @type {AbortController | null} */
  #running = null;
  #timer = 0;
  #onError;

  /** @param {(error: unknown) => void} onError called with what a task throws, unless it is stale */
  constructor(onError) {
    this.#onError = onError;
  }

  /**
   * Run a task soon, after the one that runs, and instead of any other that waits.
   * @param {Task} task
   */
  soon(task) {
    this.#waiting = task;
    if (!this.#running && !this.#timer) this.#timer = setTimeout(() => this.#next(), PAUSE);
  }

  /**
   * Run a task at once, instead of all others.
   * @param {Task} task
   */
  now(task) {
    this.stop();
    void this.#run(task);
  }

  /** Drop all tasks. */
  stop() {
    this.#running?.abort();
    this.#running = this.#waiting = null;
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  #next() {
    this.#timer = 0;
    const task = this.#waiting;
    this.#waiting = null;
    if (task) void this.#run(task);
  }

  /** @param {Task} task */
  async #run(task) {
    const controller = new AbortController();
    this.#running = controller;
    try {
      await task(controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) this.#onError(error);
    }
    if (this.#running !== controller) return;
    this.#running = null;
    if (this.#waiting) this.soon(this.#waiting);
  }
}
