/** The command that asks the same from a terminal. */

import { copyText } from "./copying.js";
import { one } from "./elements.js";

export class Command {
  #code;

  /** @param {HTMLElement} element holds the command and its button */
  constructor(element) {
    this.#code = one(element, "[data-command]");
    copyText(one(element, "[data-copy]"), () => this.#code.textContent ?? "");
  }

  /** @param {string} model that the command is to name */
  choose(model) {
    this.#change((address) => address.searchParams.set("model", model));
  }

  /** @param {string} path that the command is to ask */
  ask(path) {
    this.#change((address) => (address.pathname = path));
  }

  /** @param {(address: URL) => void} change */
  #change(change) {
    this.#code.textContent = (this.#code.textContent ?? "").replace(/'(.+)'/, (_, text) => {
      const address = new URL(text);
      change(address);
      return `'${address.href}'`;
    });
  }
}
