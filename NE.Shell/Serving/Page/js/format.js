// Numbers and times as the terminal view writes them.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = value => value === null || value === undefined ? '-' : whole.format(value);

/** Three or four digits that say something. */
export function value(number) {
  if (number === null || number === undefined || Number.isNaN(number)) return '-';
  const size = Math.abs(number);
  if (size >= 1000) return whole.format(number);
  if (size >= 100) return number.toFixed(1);
  if (size >= 0.01 || size === 0) return String(Number(number.toPrecision(3)));
  return number.toExponential(1);
}

export const percent = share => share === null || share === undefined || Number.isNaN(share) ? '-' : `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** How an axis writes ticks that lie so far apart: enough digits to tell them from each other, and no more. */
export const ticks = {
  number: (tick, apart) => Math.abs(tick) >= 1000 ? steps(tick) : tick.toFixed(decimals(apart)),
  percent: (tick, apart) => `${(100 * tick).toFixed(decimals(100 * apart))} %`,
  bytes: tick => bytes(tick),
};

const decimals = apart => apart > 0 ? Math.min(6, Math.max(0, Math.ceil(-Math.log10(apart) - 1e-9))) : 0;

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '-';
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(size) {
  if (size === null || size === undefined) return '-';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${size >= 100 || unit === 0 ? size.toFixed(0) : Number(size.toPrecision(3))} ${units[unit]}`;
}

/** Steps on an axis: 250k, 1.5M. */
export function steps(number) {
  const size = Math.abs(number);
  return size >= 1e6 ? `${Number((number / 1e6).toPrecision(4))}M` : size >= 1e3 ? `${Number((number / 1e3).toPrecision(4))}k` : String(Number(number.toPrecision(4)));
}

/** A UTC time in the reader's own. */
export const time = text => text ? new Date(text).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' }) : '-';
