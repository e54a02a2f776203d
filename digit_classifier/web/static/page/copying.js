/** Buttons that copy a text. */

const THANKS = 1500; // milliseconds

/**
 * Let a button copy a text; it is hidden where the browser cannot.
 * @param {HTMLElement} button
 * @param {() => string} text
 */
export function copyText(button, text) {
  // browsers have no clipboard for pages that came without TLS
  button.hidden = !navigator.clipboard;
  const label = button.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = label), THANKS);
  });
}
