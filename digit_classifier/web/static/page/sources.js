/** Where pictures come from: chosen, photographed, dropped or pasted files. */

const DROP_CLASS = "dropping";

/**
 * Call a function with the files that the visitor gives.
 * @param {Document} page
 * @param {(files: File[]) => void} onFiles
 */
export function listenForFiles(page, onFiles) {
  /** @param {FileList | undefined} list */
  const take = (list) => {
    if (list?.length) onFiles([...list]);
  };
  for (const input of page.querySelectorAll("input[type=file]")) {
    input.addEventListener("change", () => {
      const field = /** @type {HTMLInputElement} */ (input);
      take(field.files ?? undefined);
      field.value = ""; // so that the same file may be chosen again
    });
  }
  page.addEventListener("paste", (event) => take(event.clipboardData?.files));
  listenForDrops(page, take);
}

/**
 * @param {Document} page
 * @param {(list: FileList | undefined) => void} take
 */
function listenForDrops(page, take) {
  const mark = page.documentElement.classList;
  page.addEventListener("dragover", (event) => {
    event.preventDefault(); // or the browser would open the file
    mark.add(DROP_CLASS);
  });
  page.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) mark.remove(DROP_CLASS); // left the window
  });
  page.addEventListener("drop", (event) => {
    event.preventDefault();
    mark.remove(DROP_CLASS);
    take(event.dataTransfer?.files);
  });
}
