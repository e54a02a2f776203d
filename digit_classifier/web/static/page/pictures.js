/** Several pictures at once, each answered on its own line; a line chosen is shown in full. */

import { drawInside } from "./board.js";
import { Refusal } from "./client.js";
import { copyOf, one } from "./elements.js";

/** @typedef {import("./shrink.js").Prepared} Prepared */
/** @typedef {{digit: string, sentence: string, confidence: string}} ShortResult */
/** @typedef {(prepared: Prepared, signal: AbortSignal) => Promise<ShortResult>} Read */

const FORMULA = /^[=+\-@\t\r]/; // how a spreadsheet's formula begins

export class Pictures {
  #element;
  #list;
  #summary;
  #messages;
  /** @type {AbortController | null} of the pictures that are being read */
  #reading = null;
  /** @type {string[][]} */
  #rows = [];

  /**
   * @param {HTMLElement} element
   * @param {Record<string, string>} messages
   */
  constructor(element, messages) {
    this.#element = element;
    this.#messages = messages;
    this.#list = one(element, "ol");
    this.#summary = one(element, "[data-summary]");
    one(element, "[data-csv]").addEventListener("click", () => this.#download());
  }

  /** Drop all lines. */
  clear() {
    this.#reading?.abort();
    this.#list.replaceChildren();
    this.#rows = [];
    this.#element.hidden = true;
  }

  /**
   * Read files one after the other.
   * @param {File[]} files
   * @param {(file: File) => Promise<Prepared>} prepare
   * @param {Read} read
   * @param {(prepared: Prepared) => void} onChoice called with the first, and with each that is
   *   chosen
   */
  async readAll(files, prepare, read, onChoice) {
    this.clear();
    const { signal } = (this.#reading = new AbortController());
    const lines = files.map(lineOf);
    this.#list.replaceChildren(...lines);
    this.#element.hidden = false;
    this.#sum(files.length);
    for (const [index, file] of files.entries()) {
      const line = lines[index];
      const prepared = await orRefusal(prepare(file));
      if (signal.aborted) return;
      const isReady = !(prepared instanceof Refusal);
      one(line, "button").toggleAttribute("disabled", !isReady);
      if (isReady) this.#offer(line, prepared, () => onChoice(prepared), index === 0);
      const result = isReady ? await read(prepared, signal) : refused(prepared);
      if (signal.aborted) return;
      one(line, "b").textContent = result.digit;
      one(line, ".short-result").textContent = `${result.sentence} ${result.confidence}`.trim();
      this.#rows.push([file.name, result.digit, result.sentence, result.confidence]);
      this.#sum(files.length);
    }
  }

  /**
   * @param {HTMLElement} line
   * @param {Prepared} prepared
   * @param {() => void} onChoice
   * @param {boolean} isFirst
   */
  #offer(line, { picture }, onChoice, isFirst) {
    const choose = () => {
      for (const other of this.#list.children)
        one(other, "button").ariaPressed = `${other === line}`;
      onChoice();
    };
    one(line, "button").addEventListener("click", choose);
    if (isFirst) choose();
    sketch(line, picture);
  }

  /** @param {number} all */
  #sum(all) {
    const read = this.#rows.filter(([, digit]) => digit).length;
    const isDone = this.#rows.length === all;
    this.#summary.textContent = (isDone ? this.#messages.summary : this.#messages.summary_so_far)
      .replace("{read}", `${isDone ? read : this.#rows.length}`)
      .replace("{all}", `${all}`);
    one(this.#element, "[data-csv]").hidden = !isDone;
  }

  #download() {
    const lines = [["file", "read", "answer", "confidence"], ...this.#rows];
    const text = lines.map((row) => row.map(quoted).join(",")).join("\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text, "\r\n"], { type: "text/csv" }));
    link.download = "digits.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

/** @param {string} text */
function quoted(text) {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/**
 * @param {Promise<Prepared>} prepared
 * @returns {Promise<Prepared | Refusal>}
 */
async function orRefusal(prepared) {
  try {
    return await prepared;
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/**
 * @param {Refusal} refusal
 * @returns {ShortResult}
 */
function refused(refusal) {
  return { digit: "", sentence: `${refusal}`, confidence: "" };
}

/** @param {File} file */
function lineOf(file) {
  const line = copyOf("[data-picture-line]");
  one(line, ".name").textContent = file.name;
  one(line, ".short-result").textContent = "…";
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
