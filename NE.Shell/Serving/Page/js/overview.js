// All runs: what works, what failed, and their curves.

import * as api from './api.js';
import { h, put, badge } from './dom.js';
import * as format from './format.js';
import { Chart, colour, dash } from './charts.js';

const UNDER = [
  ['actor_fau', "activated, the figure's ratio: actor"], ['critic_fau', "activated, the figure's ratio: critic"],
  ['actor_anr_0', 'activated neurons: actor'], ['critic_anr_0', 'activated neurons: critic'],
  ['actor_density', 'density: actor'], ['critic_density', 'density: critic'],
  ['actor_probe', 'plasticity probe: actor'], ['critic_probe', 'plasticity probe: critic'],
  ['review_probability', 'review probability'], ['actor_effective_rank', 'effective rank: actor'], ['critic_effective_rank', 'effective rank: critic'], ['q_mean', 'mean Q'],
];

const COLUMNS = [
  ['run', run => run.name], ['state', run => run.state], ['task', run => run.task], ['agent', run => run.method], ['>seed', run => run.seed],
  ['progress', run => run.steps ? run.step / run.steps : 0], ['>left', run => run.secondsLeft ?? Infinity], ['>return', run => run.return ?? -Infinity],
  ['>actor density', run => run.actorDensity ?? -1], ['>resumed', run => run.resumes],
];

export class Overview {
  constructor(context) {
    this.context = context;
    this.sort = { column: 0, down: false };
    this.ticked = new Set();
    this.filter = '';
    this.under = UNDER[0][0];
    this.panels = new Map();
    this.refresh = api.throttled(() => this.load(), 2000);
    this.refreshCurves = api.throttled(() => this.loadCurves(), 3000);
    this.input = h('input', { type: 'search', placeholder: 'filter: name, task, agent, state', 'aria-label': 'Filter the runs', oninput: () => this.filtered() });
    this.compare = h('button', { type: 'button', disabled: true, onclick: () => this.goCompare(), title: 'Tick two runs (c)' }, 'compare two');
    const choose = h('select', { 'aria-label': 'Curve under the return', onchange: event => { this.under = event.target.value; this.loadCurves(); } }, UNDER.map(([column, name]) => h('option', { value: column }, name)));
    this.facts = h('p.facts');
    this.sweeps = h('section');
    this.runs = h('section');
    this.curves = h('section.panels');
    this.element = h('div', {}, this.facts, this.sweeps, h('div.bar', {}, this.input, this.compare, h('label', {}, 'under the return: ', choose)), this.curves, this.runs);
  }

  async open() {
    await Promise.all([this.load(), this.loadCurves()]);
  }

  close() {
    for (const panel of this.panels.values()) panel.charts.forEach(chart => chart.remove());
  }

  changed(changes) {
    this.refresh();
    if (changes.some(change => change.what.some(what => what === 'eval' || what === 'metrics' || what === 'gone'))) this.refreshCurves();
  }

  repaint() {
    for (const panel of this.panels.values()) panel.charts.forEach(chart => chart.repaint());
    this.loadCurves();
  }

  key(event) {
    if (event.key === '/') this.input.focus();
    else if (event.key === 'c') this.goCompare();
    else if (event.key === 'Escape' && this.input.value) {
      this.input.value = '';
      this.filtered();
    } else return false;
    return true;
  }

  filtered() {
    this.filter = this.input.value.trim().toLowerCase();
    this.draw();
    this.loadCurves();
  }

  goCompare() {
    if (this.ticked.size === 2) location.hash = `#/compare/${[...this.ticked].join('/')}`;
  }

  async load() {
    this.data = await api.overview();
    this.context.place(this.data.place);
    this.draw();
  }

  shown() {
    const words = this.filter.split(/\s+/).filter(Boolean);
    return this.data.runs.filter(run => words.every(word => `${run.name} ${run.task} ${run.method} ${run.state} ${run.sweep ?? ''}`.toLowerCase().includes(word)));
  }

  draw() {
    if (!this.data) return;
    const { runs, sweeps, place } = this.data;
    const states = Object.entries(Object.groupBy(runs, run => run.state));
    put(this.facts, runs.length === 0 ? `no run in ${place} yet; start one with: ne train` : [`${format.count(runs.length)} ${runs.length === 1 ? 'run' : 'runs'}`, ...states.map(([state, some]) => [' ', badge(state), ` ${some.length}`])]);
    put(this.sweeps, sweeps.map(sweep => this.sweep(sweep)));
    put(this.runs, this.table(), this.failures());
    this.compare.disabled = this.ticked.size !== 2;
  }

  sweep(sweep) {
    const states = Object.groupBy(sweep.cells, cell => cell.state);
    const of = state => states[state]?.length ?? 0;
    const failed = sweep.cells.filter(cell => cell.error);
    return h('article.sweep', {},
      h('h2', {}, h('a', { href: `#/?${encodeURIComponent(sweep.name)}`, onclick: event => { event.preventDefault(); this.input.value = sweep.name; this.filtered(); } }, sweep.name), sweep.isWorking ? badge('running') : null),
      sweep.description ? h('p.quiet', {}, sweep.description) : null,
      sweep.problem ? h('p.bad', {}, sweep.problem) : h('div.stack', { role: 'img', 'aria-label': `${of('complete')} of ${sweep.cells.length} cells are complete` },
        ['complete', 'running', 'interrupted', 'paused', 'failed', 'dropped', 'waiting'].filter(of).map(state => {
          const part = h('span', { 'data-state': state, title: `${of(state)} ${state}` }, `${of(state)} ${state}`);
          part.style.flexGrow = of(state);
          return part;
        })),
      failed.map(cell => h('p.bad', {}, `${cell.name}: ${cell.error}`)));
  }

  failures() {
    const failed = this.shown().filter(run => run.reason && ['failed', 'damaged', 'unreachable'].includes(run.state));
    return failed.length === 0 ? null : h('div', {}, h('h2', {}, 'What failed'), failed.map(run => h('p.bad', {}, h('a', { href: `#/run/${run.name}` }, run.name), `: ${run.reason}`)));
  }

  table() {
    const [, key] = COLUMNS[this.sort.column];
    const rows = this.shown().sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = typeof x === 'string' ? x.localeCompare(y, undefined, { numeric: true }) : x - y;
      return this.sort.down ? -order : order;
    });
    const heading = ([name], column) => h(name.startsWith('>') ? 'th.number' : 'th', { scope: 'col', 'aria-sort': this.sort.column === column ? (this.sort.down ? 'descending' : 'ascending') : 'none' },
      h('button.plain', { type: 'button', onclick: () => { this.sort = { column, down: this.sort.column === column && !this.sort.down }; this.draw(); } }, name.replace('>', ''), this.sort.column === column ? (this.sort.down ? ' ▾' : ' ▴') : ''));
    return h('div.scroll', {}, h('table.runs', {}, h('thead', {}, h('tr', {}, h('th', {}, ''), COLUMNS.map(heading))), h('tbody', {}, rows.map(run => this.row(run)))));
  }

  row(run) {
    const tick = h('input', { type: 'checkbox', checked: this.ticked.has(run.name), 'aria-label': `Compare ${run.name}`, onchange: event => {
      if (event.target.checked) this.ticked.add(run.name);
      else this.ticked.delete(run.name);
      this.compare.disabled = this.ticked.size !== 2;
    } });
    return h('tr', {},
      h('td', {}, tick), h('td', {}, h('a', { href: `#/run/${run.name}` }, run.name)), h('td', {}, badge(run.state)), h('td', {}, run.task), h('td', {}, run.method), h('td.number', {}, String(run.seed)),
      h('td', {}, h('progress', { max: Math.max(1, run.steps), value: run.step, title: `${format.count(run.step)} of ${format.count(run.steps)} steps` }), ` ${format.steps(run.step)} / ${format.steps(run.steps)}`),
      h('td.number', {}, run.state === 'running' ? format.duration(run.secondsLeft) : ''), h('td.number', {}, format.value(run.return)), h('td.number', {}, format.percent(run.actorDensity)), h('td.number', {}, run.resumes || ''));
  }

  async loadCurves() {
    const names = this.filter && this.data ? this.shown().map(run => run.name) : null;
    if (names?.length === 0) {
      this.drawCurves([], []);
      return;
    }
    const [returns, under] = await Promise.all([api.curves('return', names, 200), api.curves(this.under, names, 200)]);
    this.drawCurves(returns, under);
  }

  drawCurves(returns, under) {
    const tasks = returns.filter(panel => panel.arms.some(arm => arm.measured > 0)).map(panel => panel.task);
    for (const [task, panel] of this.panels) {
      if (!tasks.includes(task)) {
        panel.charts.forEach(chart => chart.remove());
        this.panels.delete(task);
      }
    }
    for (const task of tasks) {
      if (!this.panels.has(task)) {
        const charts = [new Chart({ title: `${task}: return`, hint: 'Mean undiscounted return of the noise-free evaluation episodes', group: `task ${task}` }), new Chart({ title: '', height: 150, group: `task ${task}` })];
        this.panels.set(task, { charts, element: h('div.pair', {}, charts.map(chart => chart.element)) });
      }
      const [upper, lower] = this.panels.get(task).charts;
      upper.show(lines(returns.find(panel => panel.task === task)));
      lower.element.querySelector('figcaption').textContent = UNDER.find(([column]) => column === this.under)[1];
      lower.show(lines(under.find(panel => panel.task === task)));
    }
    put(this.curves, tasks.map(task => this.panels.get(task).element));
  }
}

/** An arm of many seeds is its mean with a band of one standard deviation; one of few is a thin line per seed, and their mean. */
function lines(panel) {
  return (panel?.arms ?? []).flatMap(arm => {
    const seeds = arm.seeds.filter(seed => seed.steps.length > 0);
    const look = { colour: colour(arm.index), dash: dash(arm.index) };
    const mean = { ...look, label: `${arm.label} (${arm.measured})`, width: 2.25, steps: arm.mean.map(point => point.step), values: arm.mean.map(point => point.mean) };
    if (arm.isEvidence) {
      return [{ ...mean, low: arm.mean.map(point => point.mean - (point.deviation ?? 0)), high: arm.mean.map(point => point.mean + (point.deviation ?? 0)) }];
    }
    return seeds.length < 2 ? seeds.map(seed => ({ ...mean, steps: seed.steps, values: seed.values }))
      : [...seeds.map(seed => ({ ...look, label: seed.name, width: 0.7, quiet: true, steps: seed.steps, values: seed.values })), mean];
  });
}
