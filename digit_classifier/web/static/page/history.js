/** What was on the board, step by step, so that any step can be undone and redone. */

/** @typedef {import("./drawing.js").Point} Point */
/** @typedef {import("./drawing.js").Stroke} Stroke */
/** @typedef {import("./shrink.js").Prepared} Prepared */

/**
 * @typedef {object} State
 * @property {Stroke[]} strokes
 * @property {Prepared | null} picture shown instead of strokes
 */

const MOST = 200; // states that are remembered

/** @type {State} */
const EMPTY = { strokes: [], picture: null };

export class History {
  /** @type {State[]} */
  #states = [EMPTY];
  #index = 0;
  /** @type {Stroke | null} that was begun last; it may have been undone while it is drawn */
  #begun = null;

  /** What is on the board now. */
  get state() {
    return this.#states[this.#index];
  }

  get isEmpty() {
    return !this.state.picture && this.state.strokes.length === 0;
  }

  get canUndo() {
    return this.#index > 0;
  }

  get canRedo() {
    return this.#index < this.#states.length - 1;
  }

  undo() {
    if (this.canUndo) this.#index -= 1;
  }

  redo() {
    if (this.canRedo) this.#index += 1;
  }

  /** @param {Point} point of a new stroke */
  begin(point) {
    this.#begun = [point];
    this.#push({ strokes: [...this.state.strokes, this.#begun], picture: null });
  }

  /** @param {Point} point of the stroke that was begun last */
  extend(point) {
    const last = this.state.strokes.at(-1);
    if (last === this.#begun) last?.push(point);
  }

  clear() {
    if (!this.isEmpty) this.#push(EMPTY);
  }

  /** @param {Prepared} picture takes the place of another one, and follows a drawing */
  show(picture) {
    if (this.state.picture) this.#index -= 1;
    this.#push({ strokes: [], picture });
  }

  /** @param {State} state */
  #push(state) {
    this.#states = [...this.#states.slice(0, this.#index + 1), state].slice(-MOST);
    this.#index = this.#states.length - 1;
  }
}
