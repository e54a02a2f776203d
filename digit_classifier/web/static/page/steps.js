/** The pictures of the steps of preprocessing that changed something, on request. */

import { copyOf, one } from "./elements.js";

/** @typedef {import("./client.js").Step} Step */

export class Steps {
  #element;
  #list;

  /**
   * @param {HTMLDetailsElement} element
   * @param {() => void} onOpen called when the steps are asked for
   */
  constructor(element, onOpen) {
    this.#element = element;
    this.#list = one(element, "ol");
    element.addEventListener("toggle", () => {
      if (element.open) onOpen();
    });
  }

  /** Whether they are asked for. */
  get isOpen() {
    return this.#element.open;
  }

  /**
   * @param {Step[]} steps
   * @param {boolean} isNumber whether the answer is a number, which has other steps
   */
  show(steps, isNumber = false) {
    this.#element.hidden = isNumber;
    this.#list.replaceChildren(...steps.filter(({ changed }) => changed).map(itemOf));
  }
}

/** @param {Step} step */
function itemOf({ title, about, width, height, picture }) {
  const item = copyOf("[data-step]");
  /** @type {HTMLImageElement} */ (one(item, "img")).src = picture;
  one(item, "b").textContent = title;
  one(item, "span").textContent = about;
  one(item, "small").textContent = `${width} × ${height}`;
  return item;
}
