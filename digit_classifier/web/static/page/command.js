/** The command that asks the same from a terminal. */

import { one } from "./elements.js";

const THANKS = 1500; // milliseconds

export class Command {
  #code;

  /** @param {HTMLElement} element holds the command and its button */
  constructor(element) {
    this.#code = one(element, "[data-command]");
    const button = one(element, "[data-copy]");
    // browsers have no clipboard for pages that came without TLS
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", () => void this.#copy(button));
  }

  /** @param {string} model that the command is to name */
  choose(model) {
    this.#code.textContent = (this.#code.textContent ?? "").replace(
      /'(.+)'/,
      (_, address) => `'${withModel(address, model)}'`,
    );
  }

  /** @param {HTMLElement} button */
  async #copy(button) {
    const label = button.textContent;
    await navigator.clipboard.writeText(this.#code.textContent ?? "");
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), THANKS);
  }
}

/**
 * @param {string} address
 * @param {string} model
 */
function withModel(address, model) {
  const changed = new URL(address);
  changed.searchParams.set("model", model);
  return changed.href;
}
