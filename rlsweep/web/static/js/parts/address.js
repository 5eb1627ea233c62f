// Filters and choices are stored in the address, so a link shows the same view to others.

/** @param {string} name */
export function parameter(name) {
  return new URLSearchParams(location.search).get(name) ?? "";
}

/** @param {string} name */
export function parameters(name) {
  return new URLSearchParams(location.search).getAll(name);
}

/**
 * @param {Record<string, string | string[] | null>} changes empty values are removed
 * @param {{step?: boolean}} [options] step: add a history entry, so that the browser's back button undoes it
 */
export function setParameters(changes, { step = false } = {}) {
  const search = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    search.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) if (each) search.append(name, each);
  }
  const text = search.toString();
  if (text === location.search.replace(/^\?/, "")) return;
  const address = `${location.pathname}${text ? `?${text}` : ""}`;
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

/** @param {() => void} act @param {number} ms */
export function debounced(act, ms) {
  let timer = 0;
  return () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(act, ms);
  };
}
