// Make elements. Text from data always becomes a text node, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Node | string | number | boolean | null | undefined | any[]} Child null, undefined and false are left out */

/**
 * Make an HTML element.
 * @param {string} tag with classes after dots: "div.panel.flush"
 * @param {Record<string, unknown>} [attributes] `on…` adds a listener; null, undefined and false omit the attribute
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function html(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  return /** @type {HTMLElement} */ (dress(element, attributes, children));
}

/**
 * Make an SVG element, as `html` does for HTML.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElementNS(SVG, name);
  if (classes.length) element.setAttribute("class", classes.join(" "));
  return /** @type {SVGElement} */ (dress(element, attributes, children));
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} attributes
 * @param {Child[]} children
 */
function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

/** @param {Element} parent @param {Child[]} children */
export function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
}

/** Replace all children. @param {Element} parent @param {...Child} children */
export function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/** Set the text only if it changes, so that selections stay and screen readers do not repeat it. @param {Element} element @param {string} text */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * An icon of img/icons.svg.
 * @param {string} name
 * @param {string} [size] "small" or nothing
 */
export function icon(name, size = "") {
  const use = svg("use", { href: `${document.body.dataset.icons}#${name}` });
  return svg(size ? `svg.icon.${size}` : "svg.icon", { "aria-hidden": "true" }, use);
}

/** A name, with places where it may go on in another line. @param {string} name @returns {Child} */
export function breakable(name) {
  return name.split(/(?<=[_./-])/).map((part) => [part, html("wbr")]);
}

/** The element with this id; throws if the page has none. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}`);
  return element;
}

/** Announce a text to screen readers. @param {string} text */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
}
