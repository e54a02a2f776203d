/** Pictures of the network's layers, and of what spoke for each output. */

import { copyOf, one } from "../elements.js";

/** @typedef {import("../client.js").InsideDocument} InsideDocument */
/** @typedef {import("../client.js").InsideLayer} InsideLayer */

const MOST_ACTIVE = 0.5; // probability of an output that is shown as the answer

/**
 * Show the layers; pointing at an output, or reaching it by Tab, shows what spoke for it.
 * @param {HTMLElement} place
 * @param {InsideDocument} inside
 * @param {number[]} outputs the probability of each digit
 */
export function showLayers(place, { input, layers, contributions }, outputs) {
  const image = /** @type {HTMLImageElement} */ (one(place, "[data-inside-input]"));
  image.src = input;
  const about = one(place, "[data-inside-about]");
  const plain = about.dataset.insideAbout ?? "";
  const focused = /** @type {HTMLElement | null} */ (
    place.querySelector("[data-inside-outputs] button:is(:focus, :hover)")
  )?.dataset.digitOutput;
  one(place, "[data-inside-figures]").replaceChildren(...layers.map(figureOf));
  const buttons = [...place.querySelectorAll("[data-inside-outputs] button")];
  /** @param {number | null} digit */
  const show = (digit) => {
    image.src = digit === null ? input : contributions[digit];
    about.textContent =
      digit === null ? plain : (about.dataset.insideFor ?? "").replace("{digit}", `${digit}`);
  };
  for (const [digit, element] of buttons.entries()) {
    const button = /** @type {HTMLButtonElement} */ (element);
    button.disabled = !contributions.length;
    button.classList.toggle("best", outputs[digit] >= MOST_ACTIVE);
    one(button, "rect").setAttribute("width", `${outputs[digit] * 100}%`);
    button.onpointerenter = button.onfocus = button.onclick = () => show(digit);
    button.onpointerleave = button.onblur = () => show(null);
  }
  show(focused === undefined ? null : Number(focused));
}

/** @param {InsideLayer} layer */
function figureOf({ title, width, height, picture }) {
  const figure = copyOf("[data-inside-layer]");
  const image = /** @type {HTMLImageElement} */ (one(figure, "img"));
  image.src = picture;
  image.width = width;
  image.height = height;
  image.alt = title;
  one(figure, "figcaption").textContent = title;
  return figure;
}
