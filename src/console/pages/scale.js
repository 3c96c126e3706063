/** How the values of a chart are laid out between its foot, 0, and its top, 1. */

/** In proportion, from 0 to a number that is round to the `base`, and at least `least`. */
export const linear =
  (least, base = 10) =>
  (most) => {
    const top = ceiling(Math.max(least, most), base);
    return { ticks: [top, top / 2], share: (value) => value / top };
  };

/** By powers of ten, from `low` to at least `high`: for values of which some are many times others. */
export const decades = (low, high) => (most) => {
  const count = Math.ceil(Math.log10(Math.max(high, most) / low));
  const step = count > 3 ? 2 : 1;
  const ticks = [];
  for (let power = count; power > 0; power -= step) ticks.push(low * 10 ** power);
  return { ticks, share: (value) => Math.max(0, Math.log10(value / low) / count) };
};

/** The least number that is not below `value` and round: to people, or to those who count bytes. */
function ceiling(value, base) {
  const steps = base === 10 ? [1, 1.5, 2, 3, 4, 5, 6, 8, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
  // A logarithm may come out a little too low, which the last step makes up for.
  const power = base ** Math.floor(Math.log(value) / Math.log(base));
  return power * (steps.find((step) => step * power >= value) ?? base);
}
