// The charts of a run: which columns belong together.

import * as api from './api.js';
import { h, put } from './dom.js';
import { Chart, colour } from './charts.js';

const pair = (name, hint) => ['actor', 'critic'].map(network => [`${network}_${name}`, network]);

/** Title, table, [column, label] of each line, and the kind of its numbers. The first two stand under each other as in the paper's figures. */
const GROUPS = [
  { title: 'return', hint: 'Mean undiscounted return of the noise-free evaluation episodes; the band is one standard deviation over episodes', table: 'eval', columns: [['mean', 'return']], band: 'deviation', tall: true },
  { title: "activated ratio (the figure's)", hint: 'Share of (sample, unit) pairs above zero', table: 'metrics', columns: [['actor_fau', 'actor'], ['critic_fau', 'critic'], ['encoder_fau', 'encoder']], kind: 'percent' },
  { title: 'activated neurons', hint: 'Share of neurons whose mean activation is above 0 (solid) and above 0.1 of the layer\'s (thin)', table: 'metrics', columns: [...pair('anr_0'), ['actor_anr_0.1', 'actor > 0.1'], ['critic_anr_0.1', 'critic > 0.1']], kind: 'percent' },
  { title: 'density', hint: 'Active weights over all', table: 'metrics', columns: pair('density'), kind: 'percent' },
  { title: 'training episodes', hint: 'Return of the newest training episode', table: 'metrics', columns: [['episodeReturn', 'return']] },
  { title: 'experience review', hint: 'Probability that a batch is of the oldest quarter, share of batches that were, and the epsilon behind it', table: 'metrics', columns: [['review_probability', 'probability'], ['review_fraction', 'fraction'], ['review_epsilon', 'epsilon']] },
  { title: 'plasticity probe', hint: 'How fast copies of the networks fit a fresh target, against fresh networks of the same form: 1 is as plastic as fresh', table: 'metrics', columns: pair('probe') },
  { title: 'critic loss', table: 'metrics', columns: [['critic_loss', 'loss']] },
  { title: 'actor loss', table: 'metrics', columns: [['actor_loss', 'loss']] },
  { title: 'mean Q', table: 'metrics', columns: [['q_mean', 'Q']] },
  { title: 'effective rank', hint: 'Of the last hidden layer', table: 'metrics', columns: pair('effective_rank') },
  { title: 'temperature', table: 'metrics', columns: [['temperature', 'alpha']] },
  { title: 'weight norm', table: 'metrics', columns: pair('weight_norm') },
  { title: 'gradient norm', table: 'metrics', columns: pair('gradient_norm') },
  { title: 'rates', hint: 'Per second', table: 'timing', columns: [['stepsPerSecond', 'environment steps'], ['updatesPerSecond', 'gradient steps']] },
  { title: 'learner waits', hint: 'Share of its time', table: 'timing', columns: [['learnerWaiting', 'waiting']], kind: 'percent' },
  { title: 'checkpoint pause', hint: 'Milliseconds for which the learner stood still', table: 'timing', columns: [['checkpointPauseMilliseconds', 'pause, ms']] },
  { title: 'memory', table: 'timing', columns: [['memoryBytes', 'resident']], kind: 'bytes' },
];

/** The charts of one run, or of two in the same axes. Each of `names` is a run with its colour and an ending for its labels. */
export class Panels {
  constructor(names, details) {
    this.names = names;
    this.details = details;
    this.range = [null, null];
    this.marks = [];
    this.rest = h('details', {}, h('summary', {}, 'every other column of metrics.csv'));
    this.rest.addEventListener('toggle', () => this.load());
    this.whole = h('button', { type: 'button', hidden: true, onclick: () => this.zoom(null, null) }, 'whole range (Esc)');
    this.groups = this.choose();
    const own = this.groups.filter(group => !group.other).map(group => group.chart.element);
    put(this.rest, this.rest.firstChild, h('div.charts', {}, this.groups.filter(group => group.other).map(group => group.chart.element)));
    this.element = h('div', {}, h('div.bar', {}, this.whole), h('div.charts', {}, own), this.groups.some(group => group.other) ? this.rest : null);
    this.refresh = api.throttled(() => this.load(), 2000);
  }

  choose() {
    const has = (table, column) => this.details.some(details => (details.columns[table] ?? []).includes(column));
    const named = GROUPS.map(group => ({ ...group, columns: group.columns.filter(([column]) => has(group.table, column)) })).filter(group => group.columns.length > 0);
    const taken = new Set(GROUPS.flatMap(group => group.columns.map(([column]) => column)));
    const metrics = [...new Set(this.details.flatMap(details => details.columns.metrics ?? []))].filter(column => !taken.has(column) && column !== 'step');
    const others = metrics.map(column => ({ title: column, table: 'metrics', columns: [[column, column]], other: true }));
    return [...named, ...others].map(group => ({
      ...group,
      chart: new Chart({ title: group.title, hint: group.hint, height: group.tall ? 240 : 170, kind: group.kind, marks: () => this.marks, zoomed: (from, to) => this.zoom(from, to), group: `run ${this.names.map(run => run.name).join()}` }),
    }));
  }

  /** [{ step, what }] */
  mark(marks) {
    this.marks = marks;
  }

  zoom(from, to) {
    this.range = [from, to];
    this.whole.hidden = from === null;
    this.load();
  }

  get isZoomed() {
    return this.range[0] !== null;
  }

  async load() {
    const [from, to] = this.range;
    const shown = this.groups.filter(group => !group.other || this.rest.open);
    const tables = Object.groupBy(shown, group => group.table);
    await Promise.all(Object.entries(tables).map(async ([table, groups]) => {
      const columns = [...new Set(groups.flatMap(group => [...group.columns.map(([column]) => column), ...(group.band ? [group.band] : [])]))];
      const found = await Promise.all(this.names.map(async run => {
        const parts = await Promise.all(chunks(columns, 60).map(some => api.series(run.name, table, some, from, to, 800)));
        return new Map(parts.flatMap(part => part.columns).map(column => [column.name, column]));
      }));
      for (const group of groups) group.chart.show(this.lines(group, found), from === null ? null : [from, to]);
    }));
  }

  lines(group, found) {
    return this.names.flatMap((run, at) => group.columns.map(([column, label], line) => {
      const { steps, values } = found[at].get(column);
      const two = this.names.length > 1;
      const look = { label: two ? `${run.label} ${label}` : label, colour: colour(two ? at : line), dash: two ? [[], [6, 4], [2, 3], [8, 3, 2, 3]][line % 4] : [], steps, values };
      const spread = group.band ? found[at].get(group.band) : null;
      // Rows that were left out differ from column to column, so a band is drawn only where none were.
      return spread && spread.steps.length === steps.length && spread.steps.every((step, i) => step === steps[i])
        ? { ...look, low: values.map((value, i) => value - (spread.values[i] ?? 0)), high: values.map((value, i) => value + (spread.values[i] ?? 0)) } : look;
    }));
  }

  repaint() {
    this.groups.forEach(group => group.chart.repaint());
    this.load();
  }

  remove() {
    this.groups.forEach(group => group.chart.remove());
  }
}

const chunks = (list, size) => Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size));
