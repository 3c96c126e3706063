/** Figures as people read them. */

const whole = new Intl.NumberFormat('en');
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

/** A number, short from 10,000 on. */
export const count = (value) => (Math.abs(value) < 10_000 ? whole.format(round(value)) : short.format(value));

/** A number of bytes, in powers of 1,024. */
export function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${round(value / 1024 ** power)} ${units[power]}`;
}

/** A time that is told in microseconds. */
export function micros(value) {
  if (value < 1_000) return `${round(value)} µs`;
  return value < 1_000_000 ? `${round(value / 1_000)} ms` : `${round(value / 1_000_000)} s`;
}

/** Seconds, in their two largest units. */
export function duration(seconds) {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ');
}

/** The time of day. */
export const clock = (time) => new Date(time).toLocaleTimeString('en-GB');

/** Three digits say enough. */
const round = (value) => (value < 100 ? +value.toPrecision(3) : Math.round(value));
