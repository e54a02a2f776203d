"use strict";

// Swagger UI has a dark look, but does not see what the reader's system prefers.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();

const root = document.getElementById("swagger-ui");
SwaggerUIBundle({
  domNode: root,
  url: root.dataset.document,
  deepLinking: true,
  validatorUrl: null, // would send the document to another host
});
