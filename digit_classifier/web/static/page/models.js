/** The models: one gives the answer, and the others show theirs beside it. */

import { Refusal } from "./client.js";
import { one } from "./elements.js";

/** @typedef {import("./client.js").Answer} Answer */

const NO_DIGIT = "–";

/**
 * Return what a model read, in one sign.
 * @param {Answer} answer
 */
export function digitOf({ accepted, prediction }) {
  return accepted ? `${prediction}` : NO_DIGIT;
}

export class Models {
  #links;
  /** @type {HTMLAnchorElement | undefined} */
  #chosen;

  /**
   * @param {HTMLElement} element holds a link for each model
   * @param {() => void} onChoice called when another model is to answer
   */
  constructor(element, onChoice) {
    this.#links = /** @type {HTMLAnchorElement[]} */ ([...element.querySelectorAll("a")]);
    this.#chosen = this.#links.find((link) => link.hasAttribute("aria-current"));
    for (const link of this.#links) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#chosen = link;
        this.#mark(link);
        history.replaceState(null, "", link.href); // so that a reload keeps the choice
        onChoice();
      });
    }
  }

  /** The one that the address names; undefined where none was chosen. */
  get named() {
    return new URLSearchParams(location.search).get("model") ?? undefined;
  }

  /** The one that reads single digits: the one chosen, or the service's own. */
  get chosen() {
    return nameOf(this.#chosen);
  }

  /** Take back what they answered. */
  forget() {
    if (this.#chosen) this.#mark(this.#chosen);
    for (const link of this.#links) showAnswer(link, "");
  }

  /**
   * Mark the one that answered, which may be another for a number, and ask the others.
   * @param {string} answer
   * @param {string} answering the model that gave it
   * @param {(model: string) => Promise<string>} read
   * @param {AbortSignal} signal
   */
  async compare(answer, answering, read, signal) {
    const its = this.#links.find((link) => nameOf(link) === answering);
    if (its) this.#mark(its);
    await Promise.all(
      this.#links.map(async (link) => {
        const model = nameOf(link);
        const found = model === answering ? answer : await orNothing(read(model));
        if (signal.aborted) return;
        showAnswer(link, found ?? "");
        link.classList.toggle("differs", found !== null && found !== answer);
      }),
    );
  }

  /** @param {HTMLAnchorElement} current */
  #mark(current) {
    for (const link of this.#links) link.toggleAttribute("aria-current", link === current);
    current.setAttribute("aria-current", "true");
    one(document, "[data-about-model]").textContent = current.title;
  }
}

/**
 * @param {Promise<string>} answer
 * @returns {Promise<string | null>} null where the service gave none, which costs only the comparison
 */
async function orNothing(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refusal) return error.canRetry ? null : NO_DIGIT;
    throw error;
  }
}

/** @param {HTMLAnchorElement} [link] */
function nameOf(link) {
  return link?.dataset.model ?? "";
}

/**
 * @param {HTMLAnchorElement} link
 * @param {string} digit
 */
function showAnswer(link, digit) {
  const place = link.querySelector("[data-answer]");
  if (place) place.textContent = digit && ` ${digit}`;
  if (!digit) link.classList.remove("differs");
}
