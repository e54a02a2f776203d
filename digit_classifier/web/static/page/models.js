/** The models: one gives the answer, and the others say what they would have answered. */

import { Refusal } from "./client.js";

/** @typedef {import("./client.js").Client} Client */

export class Models {
  #links;
  #client;

  /**
   * @param {HTMLElement} element holds a link for each model
   * @param {Client} client
   * @param {() => void} onChoice called when another model is to answer
   */
  constructor(element, client, onChoice) {
    this.#links = /** @type {HTMLAnchorElement[]} */ ([...element.querySelectorAll("a")]);
    this.#client = client;
    for (const link of this.#links) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.#choose(link);
        onChoice();
      });
    }
  }

  /** The one that answers. */
  get chosen() {
    return nameOf(this.#links.find((link) => link.hasAttribute("aria-current")));
  }

  /** Take back what they answered. */
  forget() {
    for (const link of this.#links) tell(link, "");
  }

  /**
   * Show what the chosen one answered, and ask the others.
   * @param {number} digit
   * @param {Blob} image
   * @param {AbortSignal} signal
   */
  async compare(digit, image, signal) {
    await Promise.all(
      this.#links.map(async (link) => {
        const model = nameOf(link);
        const read = model === this.chosen ? digit : await this.#ask(model, image, signal);
        if (signal.aborted) return;
        tell(link, `${read ?? "–"}`);
        link.classList.toggle("differs", read !== digit);
      }),
    );
  }

  /**
   * @param {string} model
   * @param {Blob} image
   * @param {AbortSignal} signal
   * @returns {Promise<number | null>} null where it gave no answer, which costs only the comparison
   */
  async #ask(model, image, signal) {
    try {
      const answer = await this.#client.classify(image, { model, purpose: "again", signal });
      return answer.prediction;
    } catch (error) {
      if (error instanceof Refusal) return null;
      throw error;
    }
  }

  /** @param {HTMLAnchorElement} chosen */
  #choose(chosen) {
    for (const link of this.#links) link.toggleAttribute("aria-current", link === chosen);
    chosen.setAttribute("aria-current", "true");
    history.replaceState(null, "", chosen.href); // so that a reload keeps the choice
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
function tell(link, digit) {
  const place = link.querySelector("[data-answer]");
  if (place) place.textContent = digit && ` ${digit}`;
  if (!digit) link.classList.remove("differs");
}
