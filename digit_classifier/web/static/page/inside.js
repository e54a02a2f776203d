/** The panel that looks inside the network; its script is loaded when it is opened. */

import { one } from "./elements.js";

/** @typedef {import("./client.js").Answer} Answer */

export class Inside {
  #element;
  #place;

  /**
   * @param {HTMLDetailsElement} element
   * @param {() => void} onOpen called when the panel is opened
   */
  constructor(element, onOpen) {
    this.#element = element;
    this.#place = one(element, "[data-inside-layers]");
    element.addEventListener("toggle", () => {
      if (element.open) onOpen();
    });
  }

  get isOpen() {
    return this.#element.open;
  }

  /**
   * @param {Answer | null} answer null where nothing is read
   * @param {boolean} isNumber whether the answer is a number, for which there is nothing to show
   */
  show(answer, isNumber = false) {
    this.#element.hidden = isNumber;
    this.#place.hidden = !answer;
    one(this.#element, "[data-inside-empty]").hidden = Boolean(answer);
    const inside = answer?.explanation?.inside;
    if (answer && inside)
      import("./later/layers.js")
        .then(({ showLayers }) => showLayers(this.#place, inside, answer.probabilities))
        .catch(reportError);
  }
}
