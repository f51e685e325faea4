// Curves over steps, drawn by uPlot. Where the build has no charts, a sentence says so.

import { h, put } from './dom.js';
import * as format from './format.js';

let plot = null;

/** Loads the library that is built into the program. */
export async function load(isThere) {
  if (isThere && !plot) plot = (await import('../lib/uPlot.esm.js')).default;
}

// Okabe and Ito's colours, which people with colour blindness tell apart, without the yellow that white paper swallows.
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7a7a7a'];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export const colour = index => COLOURS[index % COLOURS.length];
export const dash = index => DASHES[Math.floor(index / COLOURS.length) % DASHES.length];

/** Not in the legend. */
const QUIET = { class: 'quiet-line' };

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const MARKS = { resume: { colour: '--mark', dash: [5, 4] }, restart: { colour: '--bad', dash: [] }, change: { colour: '--mark', dash: [1, 3] }, checkpoint: { colour: '--grid', dash: [] }, phase: { colour: '--good', dash: [] } };

/** Draws vertical lines at steps; checkpoints are short strokes at the axis. */
function marksPlugin(marks) {
  return {
    hooks: {
      // Last, since a step at a line of the grid would vanish behind it.
      draw: [u => {
        const { ctx, bbox } = u;
        ctx.save();
        ctx.lineWidth = 1.5 * devicePixelRatio;
        for (const mark of marks()) {
          const x = Math.round(u.valToPos(mark.step, 'x', true)) + 0.5;
          if (x < bbox.left || x > bbox.left + bbox.width) continue;
          const look = MARKS[mark.what];
          ctx.strokeStyle = style(look.colour);
          ctx.setLineDash(look.dash.map(length => length * devicePixelRatio));
          ctx.beginPath();
          ctx.moveTo(x, mark.what === 'checkpoint' ? bbox.top + bbox.height - 6 * devicePixelRatio : bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
        ctx.restore();
      }],
    },
  };
}

/**
 * A chart that can be given new lines while it is looked at.
 *
 * lines: [{ label, colour, dash?, width?, steps, values, low?, high?, quiet? }]; `low` and `high` are a band around the values, a quiet line is not in the legend.
 */
export class Chart {
  /** options: { title, hint?, height?, kind?: 'number', 'percent' or 'bytes', marks?: () => [{ step, what }], zoomed?: (from, to) => void, group? } */
  constructor(options) {
    this.options = options;
    this.place = h('div.plot');
    this.element = h('figure.chart', {}, h('figcaption', { title: options.hint ?? '' }, options.title), this.place);
    this.shape = '';
    this.watch = new ResizeObserver(() => this.u?.setSize(this.size()));
    this.watch.observe(this.place);
  }

  size() {
    return { width: Math.max(200, this.place.clientWidth), height: this.options.height ?? 190 };
  }

  /** Shows lines; `range` is [from, to] of steps, or null for all. */
  show(lines, range = null) {
    const drawn = lines.filter(line => line.values.some(Number.isFinite));
    if (!plot) {
      put(this.place, h('p.quiet', {}, 'This build has no charts: npm was not there when it was built. The numbers are in the tables of the run.'));
      return;
    }
    if (drawn.length === 0) {
      this.u?.destroy();
      this.u = null;
      this.shape = '';
      put(this.place, h('p.quiet', {}, 'nothing measured yet'));
      return;
    }
    const tables = drawn.map(line => line.low ? [line.steps, line.values, line.low, line.high] : [line.steps, line.values]);
    const data = tables.length === 1 ? tables[0] : plot.join(tables);
    // The same lines take new data; other lines are another plot.
    const shape = JSON.stringify(drawn.map(line => [line.label, line.colour, line.dash, line.width, Boolean(line.low), line.quiet])) + document.documentElement.dataset.theme;
    this.range = range;
    if (this.u && shape === this.shape) {
      this.u.setData(data);
      return;
    }
    this.u?.destroy();
    put(this.place);
    this.shape = shape;
    this.u = new plot(this.describe(drawn), data, this.place);
  }

  describe(lines) {
    const series = [{ label: this.options.x ?? 'step', value: (_, at) => at === null ? '-' : format.count(at) }];
    const bands = [];
    const show = format[this.options.kind] ?? format.value;
    for (const line of lines) {
      const base = { spanGaps: true, points: { show: line.steps.length < 2 } };
      series.push({ ...base, ...(line.quiet ? QUIET : {}), label: line.label, stroke: line.colour, width: line.width ?? 1.75, dash: line.dash ?? [], value: (_, at) => show(at) });
      if (line.low) {
        const at = series.length;
        const edge = { ...base, ...QUIET, label: '', width: 0, points: { show: false } };
        series.push(edge, { ...edge });
        bands.push({ series: [at + 1, at], fill: `${line.colour}2e` });
      }
    }
    const axis = { stroke: style('--ink'), grid: { stroke: style('--grid'), width: 1 }, ticks: { stroke: style('--grid'), width: 1 }, font: '11px system-ui, sans-serif' };
    return {
      ...this.size(),
      series,
      bands,
      scales: { x: { time: false, range: (_, low, high) => this.range ?? [low, high > low ? high : low + 1] }, y: { range: { min: { pad: 0.08, mode: 0 }, max: { pad: 0.08, mode: 0 } } } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map(format.steps), size: 28 }, { ...axis, values: (_, ticks, __, ___, apart) => ticks.map(tick => format.ticks[this.options.kind ?? 'number'](tick, apart)), size: 62 }],
      cursor: { sync: { key: this.options.group ?? 'steps' }, drag: { x: true, y: false, setScale: false } },
      legend: { live: true },
      plugins: this.options.marks ? [marksPlugin(this.options.marks)] : [],
      hooks: {
        setSelect: [u => {
          if (u.select.width < 4) return;
          const [from, to] = [u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x')];
          u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          this.options.zoomed?.(from, to);
        }],
        ready: [u => u.over.addEventListener('dblclick', () => this.options.zoomed?.(null, null))],
      },
    };
  }

  /** Draws anew with the colours of the theme. */
  repaint() {
    this.shape = '';
  }

  remove() {
    this.watch.disconnect();
    this.u?.destroy();
  }
}
