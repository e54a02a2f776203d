/** Where pictures come from: chosen, photographed, dropped or pasted files, and the ready ones. */

const DROP_CLASS = "dropping";
const ZIP = /\.zip$/i;

/**
 * Call a function with the files that the visitor gives; a ZIP stands for the files in it.
 * @param {Document} page
 * @param {(files: File[]) => void} onFiles
 */
export function listenForFiles(page, onFiles) {
  /** @param {Iterable<File>} files */
  const take = async (files) => {
    const unpacked = await Promise.all([...files].map(unpack));
    if (unpacked.flat().length) onFiles(unpacked.flat());
  };
  for (const input of page.querySelectorAll("input[type=file]")) {
    const field = /** @type {HTMLInputElement} */ (input);
    field.addEventListener("change", () => {
      take(field.files ?? []).catch(reportError);
      field.value = ""; // so that the same file may be chosen again
    });
    if (!field.hasAttribute("capture")) {
      // with this script, the field accepts several files, and formats that the server does not read
      field.multiple = true;
      field.accept = "image/*, .zip";
    }
  }
  page.addEventListener("paste", (event) => {
    take(event.clipboardData?.files ?? []).catch(reportError);
  });
  listenForDrops(page, (files) => take(files).catch(reportError));
  for (const button of page.querySelectorAll("[data-ready] button"))
    button.addEventListener("click", () => fetchReady(button).then(take).catch(reportError));
}

/** @param {Element} button shows a picture, which is to be read */
async function fetchReady(button) {
  const image = /** @type {HTMLImageElement} */ (button.querySelector("img"));
  const content = await (await fetch(image.src)).blob();
  return [new File([content], image.src.split("/").at(-1) ?? "", { type: content.type })];
}

/**
 * @param {File} file
 * @returns {Promise<File[]>} what is in a ZIP; else the file, also where it is no ZIP after all
 */
async function unpack(file) {
  if (!ZIP.test(file.name)) return [file];
  const { unzip } = await import("./later/zip.js");
  const files = await unzip(file);
  return files.length ? files : [file];
}

/**
 * @param {Document} page
 * @param {(files: Iterable<File>) => void} take
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
    take(event.dataTransfer?.files ?? []);
  });
}
