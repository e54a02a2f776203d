/** The answer as it is seen: digit, words, bars, and what the model saw. */

import { copyText } from "./copying.js";
import { one } from "./elements.js";
import { NumberBoxes } from "./number.js";

/** @typedef {import("./client.js").Answer} Answer */
/** @typedef {import("./client.js").Reading} Reading */
/** @typedef {import("./client.js").Refusal} Refusal */

const MANY_ROWS = 4; // as the server's template has it
const RETRY = 5000; // milliseconds after which what got no answer is tried again

export class View {
  #messages;
  #status;
  #alert;
  #oneDigit;
  #boxes;
  #title = document.title.split(" · ").at(-1) ?? "";
  #onRetry;
  #retrying = 0;

  /**
   * @param {Record<string, string>} messages
   * @param {() => void} onRetry called when the visitor asks for a new try, and after a while
   */
  constructor(messages, onRetry) {
    this.#messages = messages;
    this.#onRetry = onRetry;
    one(document, "[data-retry]").addEventListener("click", onRetry);
    this.#status = one(document, "[role=status]");
    this.#alert = one(document, "[role=alert]");
    this.#oneDigit = one(document, "[data-one-digit]");
    const number = one(document, "[data-number]");
    this.#boxes = new NumberBoxes(number);
    copyText(one(number, "[data-copy-number]"), () => one(document, "[data-digit]").textContent ?? "");
  }

  /** Show that there is nothing to read. */
  showNothing() {
    const sentence = navigator.onLine ? this.#messages.nothing : this.#messages.offline;
    this.#showResult({ digit: "", sentence, confidence: "", remarks: "" });
    this.#showBars([], []);
    showPicture("[data-framed]", null);
    showPicture("[data-overlay]", null);
    write(one(document, "[data-source]"), "");
    this.#name("");
  }

  /** @param {Answer} answer */
  showAnswer({ prediction, probabilities, words, explanation }) {
    this.#showResult({ ...words, remarks: words.remarks.join(" ") });
    this.#showBars(probabilities, words.percents, prediction);
    write(one(document, "[data-source]"), words.source);
    if (explanation) {
      showPicture("[data-framed]", explanation.framed);
      showPicture("[data-overlay]", explanation.overlay);
      write(one(document, "[data-because]"), words.because);
    }
    this.#name(words.digit);
  }

  /** @param {Reading} reading of more than one digit */
  showNumber(reading) {
    const { lines, ...words } = reading.words;
    this.#showResult({ ...words, digit: lines.join("\n"), remarks: words.remarks.join(" ") }, reading);
    this.#name(lines.join(" "));
  }

  /** @param {Refusal} refusal */
  showRefusal({ title, message, canRetry }) {
    this.showNothing();
    write(one(this.#alert, "[data-problem-title]"), title);
    write(one(this.#alert, "[data-problem-detail]"), message);
    one(this.#alert, "[data-retry]").hidden = !canRetry;
    this.#alert.hidden = false;
    this.#status.hidden = true;
    // a service that was away comes back without an event
    clearTimeout(this.#retrying);
    this.#retrying = setTimeout(() => {
      if (this.awaitsRetry) this.#onRetry();
    }, RETRY);
  }

  /** Whether a refusal is shown that a new try may overcome. */
  get awaitsRetry() {
    return !this.#alert.hidden && !one(this.#alert, "[data-retry]").hidden;
  }

  /**
   * @param {{digit: string, sentence: string, confidence: string, remarks: string}} words
   * @param {Reading | null} number where the answer is one
   */
  #showResult({ digit, sentence, confidence, remarks }, number = null) {
    this.#oneDigit.hidden = Boolean(number);
    this.#boxes.show(number);
    this.#status.classList.toggle("number", Boolean(number));
    this.#status.classList.toggle("rows", (number?.rows.length ?? 0) > 1);
    this.#status.classList.toggle("many", (number?.rows.length ?? 0) > MANY_ROWS);
    this.#alert.hidden = true;
    this.#status.hidden = false;
    write(one(this.#status, "[data-digit]"), digit);
    write(one(this.#status, "[data-sentence]"), sentence);
    write(one(this.#status, "[data-confidence]"), confidence);
    write(one(this.#status, "[data-remarks]"), remarks);
  }

  /**
   * @param {number[]} probabilities
   * @param {string[]} percents
   * @param {number} [best]
   */
  #showBars(probabilities, percents, best) {
    const rows = /** @type {NodeListOf<HTMLTableRowElement>} */ (
      document.querySelectorAll("[data-bars] tr")
    );
    rows.forEach((row, digit) => {
      row.classList.toggle("best", digit === best);
      one(row, "rect").setAttribute("width", `${(probabilities[digit] ?? 0) * 100}%`);
      write(row.cells[2], percents[digit] ?? "–");
    });
  }

  /** @param {string} digit */
  #name(digit) {
    document.title = digit ? `${digit} · ${this.#title}` : this.#title;
  }
}

/**
 * Change a text only where it is another: a live region would be read out again.
 * @param {Element} element
 * @param {string} text
 */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * @param {string} selector
 * @param {string | null} address
 */
function showPicture(selector, address) {
  const image = /** @type {HTMLImageElement} */ (one(document, selector));
  image.hidden = !address;
  if (address) image.src = address;
  else image.removeAttribute("src");
}
