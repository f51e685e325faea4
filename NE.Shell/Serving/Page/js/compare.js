// Two runs: the same axes, what differs between them, and both topologies.

import * as api from './api.js';
import { h, put, badge, table, fill } from './dom.js';
import * as format from './format.js';
import { Panels } from './panels.js';
import { Topology } from './topology.js';
import { colour } from './charts.js';

export class Compare {
  constructor(context, names) {
    this.context = context;
    this.names = names;
    this.head = h('section');
    this.place = h('section');
    this.difference = h('section');
    this.topologies = names.map(name => new Topology(name));
    this.element = h('div', {}, this.head, this.place, this.difference, h('div.two', {}, this.topologies.map((topology, at) => h('div', {}, h('h2', {}, names[at]), topology.element))));
  }

  async open() {
    const details = await Promise.all(this.names.map(api.run));
    this.context.place('two runs');
    this.head.replaceChildren();
    this.draw(details);
    this.panels = new Panels(this.names.map((name, at) => ({ name, label: 'AB'[at] })), details);
    put(this.place, h('h2', {}, 'Curves'), this.panels.element);
    await Promise.all([
      fill(this.place, () => this.panels.load()),
      fill(this.difference, () => this.loadDifference()),
      ...this.topologies.map(topology => fill(topology.element, () => topology.load())),
    ]);
  }

  close() {
    this.panels?.remove();
    this.topologies.forEach(topology => topology.close());
  }

  draw(details) {
    put(this.head, h('div.two', {}, details.map(({ summary }, at) => {
      const title = h('h1', {}, `${'AB'[at]}: `, h('a', { href: `#/run/${summary.name}` }, summary.name), ' ', badge(summary.state));
      title.style.borderLeft = `6px solid ${colour(at)}`;
      return h('div', {}, title, h('p.facts', {}, `${summary.task}, ${summary.method}, seed ${summary.seed}: step ${format.count(summary.step)} of ${format.count(summary.steps)}, return ${format.value(summary.return)}`));
    })));
  }

  async loadDifference() {
    const [first, second] = await Promise.all(this.names.map(api.configuration));
    const other = new Map(second.map(line => [line.key, line.value]));
    const rows = first.filter(line => other.get(line.key) !== line.value).map(line => [line.key, line.value, other.get(line.key) ?? '-']);
    put(this.difference, h('h2', {}, 'What differs'), rows.length === 0 ? h('p.quiet', {}, 'no key') : table(['key', `A: ${this.names[0]}`, `B: ${this.names[1]}`], rows));
  }

  changed(changes) {
    const mine = changes.filter(change => this.names.includes(change.run)).flatMap(change => change.what);
    if (mine.some(what => ['eval', 'metrics', 'timing'].includes(what)) && !this.panels?.isZoomed) this.panels?.refresh();
    if (mine.includes('checkpoint')) this.topologies.forEach(topology => topology.refresh());
  }

  repaint() {
    this.panels?.repaint();
    this.topologies.forEach(topology => topology.at !== null && topology.showing());
  }

  key(event) {
    if (event.key !== 'Escape') return false;
    if (this.panels?.isZoomed) this.panels.zoom(null, null);
    else location.hash = '#/';
    return true;
  }
}
