// One run: its curves, its topology, its films, its log and its configuration.

import * as api from './api.js';
import { h, put, badge, table, fill } from './dom.js';
import * as format from './format.js';
import { Panels } from './panels.js';
import { Topology } from './topology.js';
import { LogView } from './logview.js';

export class RunPage {
  constructor(context, name) {
    this.context = context;
    this.name = name;
    this.head = h('section');
    this.panelPlace = h('section', {}, h('h2', {}, 'Curves'));
    this.topology = new Topology(name);
    this.log = new LogView(name);
    this.videos = h('section');
    this.configuration = h('section');
    this.element = h('div', {}, this.head, this.panelPlace, this.topology.element, this.videos, this.log.element, this.configuration);
    this.refresh = api.throttled(() => this.load(), 2000);
  }

  async open() {
    await this.load();
    await Promise.all([
      fill(this.topology.element, () => this.topology.load()),
      fill(this.log.element, () => this.log.load()),
      fill(this.configuration, () => this.loadConfiguration()),
    ]);
  }

  close() {
    this.panels?.remove();
    this.topology.close();
  }

  changed(changes) {
    const what = new Set(changes.filter(change => change.run === this.name).flatMap(change => change.what));
    if (what.size === 0) return;
    if (what.has('gone')) {
      put(this.head, h('p.bad', {}, `${this.name} was deleted.`));
      return;
    }
    this.refresh();
    if (what.has('log')) this.log.refresh();
    if (what.has('checkpoint') || what.has('run')) this.topology.refresh();
    if ((what.has('eval') || what.has('metrics') || what.has('timing')) && !this.panels?.isZoomed) this.panels?.refresh();
  }

  repaint() {
    this.panels?.repaint();
    if (this.topology.at !== null) this.topology.showing();
  }

  key(event) {
    if (event.key !== 'Escape') return false;
    if (this.panels?.isZoomed) this.panels.zoom(null, null);
    else location.hash = '#/';
    return true;
  }

  async load() {
    const details = await api.run(this.name);
    this.context.place(details.report?.folder ?? '');
    this.draw(details);
    const shape = JSON.stringify(details.columns);
    if (shape !== this.shape) {
      // A table that was not there has begun.
      this.shape = shape;
      this.panels?.remove();
      this.panels = new Panels([{ name: this.name, label: this.name }], [details]);
      put(this.panelPlace, h('h2', {}, 'Curves'), marksKey(), this.panels.element);
      this.panels.mark(marks(details));
      await this.panels.load();
    } else this.panels.mark(marks(details));
    this.drawVideos(details.videos);
  }

  draw(details) {
    const { summary, report, command } = details;
    const rows = [
      ['step', `${format.count(summary.step)} of ${format.count(summary.steps)} (${format.percent(summary.steps ? summary.step / summary.steps : null)})`],
      summary.state === 'running' ? ['left', report?.warmUpSteps > 0 ? `warming up, ${format.count(report.warmUpSteps)} steps to go` : format.duration(summary.secondsLeft)] : null,
      report?.lastEvaluation ? ['evaluation', `${format.value(report.lastEvaluation.mean)} at step ${format.count(report.lastEvaluation.step)}${report.bestStep === null ? '' : `, best at step ${format.count(report.bestStep)}`}`] : null,
      report?.lastCheckpoint ? ['checkpoint', `step ${format.count(report.lastCheckpoint.step)}, ${format.bytes(report.lastCheckpoint.bytes)}, ${format.time(report.lastCheckpoint.at)}`] : null,
      ...Object.entries(report?.networks ?? {}).map(([network, values]) => [network, `density ${format.percent(values.density)}, activated ${format.percent(values.activated)}, active units ${format.percent(values.activeUnits)}`]),
      report ? ['learner', `${report.engine}, ${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}`] : null,
      ['resumed', summary.resumes === 0 ? 'never' : summary.resumes === 1 ? 'once' : `${summary.resumes} times`],
      summary.started ? ['started', format.time(summary.started)] : null,
      summary.sweep ? ['sweep', summary.sweep] : null,
      command ? ['command', h('code', {}, command)] : null,
    ].filter(Boolean);
    const troubles = details.marks.filter(mark => mark.what === 'restart').slice(-5);
    put(this.head,
      h('h1', {}, summary.name, ' ', badge(summary.state)),
      h('p.facts', {}, `${summary.task}, ${summary.method}, seed ${summary.seed}`),
      h('progress.wide', { max: Math.max(1, summary.steps), value: summary.step, 'aria-label': 'Steps done' }),
      summary.reason ? h(summary.state === 'failed' || summary.state === 'damaged' ? 'p.bad' : 'p.quiet', {}, summary.reason) : null,
      h('dl.facts', {}, rows.map(([name, text]) => [h('dt', {}, name), h('dd', {}, text)])),
      troubles.length ? h('details', {}, h('summary', {}, `environments were restarted ${details.marks.filter(mark => mark.what === 'restart').length} times`), troubles.map(mark => h('p.quiet', {}, `step ${format.count(mark.step)}: ${mark.why}`))) : null,
      this.context.control() ? this.actions(summary) : null);
  }

  actions(summary) {
    const said = h('span.quiet', { role: 'status' });
    const act = (what, words, question) => h('button', { type: 'button', onclick: async () => {
      if (!confirm(question)) return;
      try {
        said.textContent = (await api.act(this.name, what)).said;
      } catch (problem) {
        said.textContent = problem.message;
      }
    } }, words);
    return h('div.bar.control', {},
      summary.state === 'running' ? act('stop', 'stop', `Let ${this.name} commit and stop? It can be resumed.`) : null,
      ['interrupted', 'killed', 'failed'].includes(summary.state) ? act('resume', 'resume', `Go on with ${this.name} on this machine?`) : null,
      said);
  }

  drawVideos(names) {
    const known = names.join();
    if (known === this.knownVideos) return;
    this.knownVideos = known;
    const address = name => `api/runs/${this.name}/video/${encodeURIComponent(name)}`;
    put(this.videos, names.length === 0 ? null : [h('h2', {}, 'Videos'), h('div.films', {}, [...names].reverse().map(name => h('figure', {},
      name.endsWith('.mp4') ? h('video', { src: address(name), controls: true, muted: true, loop: true, preload: 'metadata' }) : h('img', { src: address(name), alt: name, loading: 'lazy' }),
      h('figcaption', {}, name))))]);
  }

  async loadConfiguration() {
    const lines = await api.configuration(this.name);
    const given = lines.filter(line => line.isGiven);
    put(this.configuration, h('h2', {}, 'Configuration'),
      given.length > 0 ? table(['asked for', 'value', 'default'], given.map(line => [line.key, line.value, line.default])) : h('p.quiet', {}, 'as it is without any option'),
      h('details', {}, h('summary', {}, `all ${lines.length} keys`), table(['key', 'value', 'default'], lines.map(line => [line.key, line.value, line.default]))));
  }
}

export const marks = details => [
  ...details.checkpoints.map(step => ({ step, what: 'checkpoint' })),
  ...details.phases.slice(1).map(phase => ({ step: phase.step, what: 'phase' })),
  ...details.marks.map(mark => ({ step: mark.step, what: mark.what })),
];

export const marksKey = () => h('p.quiet', {}, 'Lines across: dashed where the run was resumed, solid red where an environment was restarted, dotted where a key was changed, green where a cycle turned to its next task. Strokes at the axis are checkpoints.');
