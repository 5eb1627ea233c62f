// What is wider than the screen scrolls sideways, and says so as long as there is more to the right.

import { html } from "./dom.js";

/**
 * @param {string} label what it is, for screen readers
 * @param {...import("./dom.js").Child} children
 */
export function scrolling(label, ...children) {
  const area = html("div.scroll-x", { tabindex: 0, role: "region", "aria-label": label }, children);
  const hint = html("p.scroll-hint", { "aria-hidden": "true", hidden: true }, "Scroll sideways for more →");
  const show = () => {
    hint.hidden = area.scrollLeft + area.clientWidth >= area.scrollWidth - 4;
  };
  area.addEventListener("scroll", show, { passive: true });
  const observer = new ResizeObserver(show);
  observer.observe(area);
  if (area.firstElementChild) observer.observe(area.firstElementChild);
  return html("div.scrolling", {}, hint, area);
}
