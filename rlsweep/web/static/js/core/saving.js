// Save files that the page made: CSV and pictures.

/** @param {string} name @param {Blob} blob */
export function saveFile(name, blob) {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName(name);
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * @param {string} name
 * @param {string[]} header
 * @param {unknown[][]} rows
 */
export function saveCsv(name, header, rows) {
  const lines = [header, ...rows].map((row) => row.map(cell).join(","));
  saveFile(name, new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }));
}

/**
 * A value in the notation of RFC 4180. Text that a spreadsheet would read as a formula gets an apostrophe in front.
 * @param {unknown} value
 */
export function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** @param {string} name */
function fileName(name) {
  const dot = name.lastIndexOf(".");
  const stem = name
    .slice(0, dot)
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 100);
  return `${stem || "rlsweep"}${name.slice(dot)}`;
}
