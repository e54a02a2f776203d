/** The page of the API's documentation: Swagger UI, with what it is to show. */

const { SwaggerUIBundle } = /** @type {any} */ (window);

const root = document.getElementById("swagger-ui");
if (!root) throw new Error("The page has no place for the document.");

// Swagger UI has a dark look, but does not see what the reader's system prefers.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

SwaggerUIBundle({
  domNode: root,
  url: root.dataset.document,
  deepLinking: true,
  validatorUrl: null, // it would send the document to another host
});
