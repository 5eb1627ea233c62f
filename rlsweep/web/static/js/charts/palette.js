// How the lines of a chart are told apart: Okabe and Ito's eight colours, and past them a dash pattern as well.

const COLOURS = 8;
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

/** @typedef {{index: number, colour: number, dash: string}} LineStyle */

/**
 * The style of the line with that index, from 0; the first colour is the text's own, for the base config.
 * @param {number} index
 * @returns {LineStyle}
 */
export function styleOf(index) {
  return { index, colour: index % COLOURS, dash: DASHES[Math.floor(index / COLOURS) % DASHES.length] };
}

/** The class that carries the colour; CSS holds the colours themselves. @param {LineStyle} style */
export function colourClass(style) {
  return `colour-${style.colour}`;
}

/**
 * Give each name a style that stays: the base config has the text's colour, the others follow by name.
 * @param {{name: string, isBase: boolean}[]} configs
 * @returns {Map<string, LineStyle>}
 */
export function stylesFor(configs) {
  const names = configs
    .filter((config) => !config.isBase)
    .map((config) => config.name)
    .sort();
  const styles = new Map(names.map((name, index) => [name, styleOf(index + 1)]));
  for (const config of configs) if (config.isBase) styles.set(config.name, styleOf(0));
  return styles;
}
