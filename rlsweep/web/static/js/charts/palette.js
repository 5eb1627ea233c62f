// Styles of a chart's lines: Okabe and Ito's eight colours, then the same colours with dash patterns.

const COLOURS = 8;
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

/** @typedef {{index: number, colour: number, dash: string}} LineStyle */

/**
 * The style of a line by its index, from 0. The first colour is the text colour, for the base config.
 * @param {number} index
 * @returns {LineStyle}
 */
export function styleOf(index) {
  return { index, colour: index % COLOURS, dash: DASHES[Math.floor(index / COLOURS) % DASHES.length] };
}

/** The CSS class of the colour. @param {LineStyle} style */
export function colourClass(style) {
  return `colour-${style.colour}`;
}
