/** Several pictures at once, each answered on its own line; a line chosen is shown in full. */

import { drawInside } from "./board.js";
import { copyOf, one } from "./elements.js";

/** @typedef {import("./shrink.js").Prepared} Prepared */
/** @typedef {{digit: string, text: string}} Told */

export class Pictures {
  #element;
  #list;
  /** @type {AbortController | null} of the pictures that are being read */
  #reading = null;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
    this.#list = one(element, "ol");
  }

  /** Drop all lines. */
  clear() {
    this.#reading?.abort();
    this.#list.replaceChildren();
    this.#element.hidden = true;
  }

  /**
   * Read files one after the other.
   * @param {File[]} files
   * @param {(file: File) => Promise<Prepared>} prepare
   * @param {(image: Blob, signal: AbortSignal) => Promise<Told>} read
   * @param {(prepared: Prepared) => void} onChoice called with the first, and with each that is
   *   chosen
   */
  async readAll(files, prepare, read, onChoice) {
    this.clear();
    const reading = new AbortController();
    this.#reading = reading;
    const lines = files.map(lineOf);
    this.#list.replaceChildren(...lines);
    this.#element.hidden = false;
    for (const [index, file] of files.entries()) {
      const line = lines[index];
      const prepared = await prepare(file);
      if (reading.signal.aborted) return;
      const choose = () => {
        for (const other of lines) one(other, "button").ariaPressed = `${other === line}`;
        onChoice(prepared);
      };
      one(line, "button").addEventListener("click", choose);
      if (index === 0) choose();
      sketch(line, prepared.picture);
      const told = await read(prepared.image, reading.signal);
      one(line, "b").textContent = told.digit;
      one(line, ".told-short").textContent = told.text;
    }
  }
}

/** @param {File} file */
function lineOf(file) {
  const line = copyOf("[data-picture-line]");
  one(line, ".name").textContent = file.name;
  one(line, ".told-short").textContent = "…";
  return line;
}

/**
 * @param {HTMLElement} line
 * @param {ImageBitmap | null} picture
 */
function sketch(line, picture) {
  const canvas = /** @type {HTMLCanvasElement} */ (one(line, "canvas"));
  const context = canvas.getContext("2d");
  if (context && picture) drawInside(context, picture, canvas.width);
}
