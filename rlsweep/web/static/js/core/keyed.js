// Update a list of elements with as few moves as possible, so that focus, selection and scroll position stay.

import { fill } from "./dom.js";

/**
 * @template Item
 * @param {HTMLElement} parent
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => HTMLElement} make
 * @param {(element: HTMLElement, item: Item) => void} update
 * @returns {HTMLElement[]} the elements that are new
 */
export function reconcile(parent, items, keyOf, make, update) {
  /** @type {Map<string, HTMLElement>} */
  const present = new Map();
  for (const child of /** @type {HTMLElement[]} */ ([...parent.children])) present.set(child.dataset.key ?? "", child);
  const wanted = new Set(items.map(keyOf));
  for (const [key, child] of present) if (!wanted.has(key)) child.remove();
  const focused = document.activeElement;
  const made = [];
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let element = present.get(key);
    if (!element) {
      element = make(item);
      element.dataset.key = key;
      made.push(element);
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
  return made;
}

/**
 * Change the page and keep the visible children at their position on the screen.
 * @param {HTMLElement} parent parent of the visible children
 * @param {() => void} change
 */
export function keepingPlace(parent, change) {
  const header = 90;
  const anchor =
    window.scrollY > 0
      ? [...parent.children].find((child) => child.getBoundingClientRect().bottom > header)
      : undefined;
  const before = anchor?.getBoundingClientRect().top ?? 0;
  change();
  if (anchor?.isConnected) {
    const moved = anchor.getBoundingClientRect().top - before;
    if (Math.abs(moved) > 0.5) window.scrollBy({ top: moved, behavior: "instant" });
  }
}

/**
 * Replace all children; restore the focus and the open details.
 * @param {HTMLElement} parent
 * @param {...import("./dom.js").Child} children
 */
export function refill(parent, ...children) {
  const focused = parent.contains(document.activeElement)
    ? nameOf(/** @type {Element} */ (document.activeElement))
    : null;
  const open = new Set([...parent.querySelectorAll("details[open]")].map(nameOf));
  const scrolled = [...parent.querySelectorAll(".scroll-x")].map((element) => element.scrollLeft);
  fill(parent, ...children);
  for (const details of parent.querySelectorAll("details")) if (open.has(nameOf(details))) details.open = true;
  [...parent.querySelectorAll(".scroll-x")].forEach((element, index) => {
    element.scrollLeft = scrolled[index] ?? 0;
  });
  if (focused === null) return;
  const again = [...parent.querySelectorAll("a, button, input, select, summary, [tabindex]")].find(
    (each) => nameOf(each) === focused,
  );
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

/** A name that identifies an element among its neighbours. @param {Element} element */
function nameOf(element) {
  const name = element.getAttribute("href") ?? element.getAttribute("aria-label") ?? element.id;
  return `${element.tagName} ${name || element.querySelector("summary")?.textContent || element.textContent}`;
}
