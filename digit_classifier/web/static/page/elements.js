/** The page's elements. */

/**
 * Return the one element that must be there.
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function one(parent, selector) {
  const found = parent.querySelector(selector);
  if (!found) throw new Error(`The page has no ${selector}.`);
  return /** @type {HTMLElement} */ (found);
}

/**
 * Return a copy of what a template holds.
 * @param {string} selector of the template
 * @returns {HTMLElement}
 */
export function copyOf(selector) {
  const template = /** @type {HTMLTemplateElement} */ (one(document, selector));
  const copy = template.content.firstElementChild?.cloneNode(true);
  if (!copy) throw new Error(`The template ${selector} is empty.`);
  return /** @type {HTMLElement} */ (copy);
}
