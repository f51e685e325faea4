// The machines of a fleet: what each works on, and what went where and why.

import * as api from './api.js';
import { h, put, table } from './dom.js';
import * as format from './format.js';

const INTERVAL = 3000;

export class Fleet {
  constructor(context) {
    this.context = context;
    this.name = 'fleet';
    this.facts = h('p.facts');
    this.nodes = h('section');
    this.moves = h('section');
    this.element = h('div', {}, h('h1', {}, 'Fleet'), this.facts, this.nodes, this.moves);
  }

  async open() {
    await this.load();
    this.timer = setInterval(() => this.load().catch(problem => put(this.facts, h('span.bad', {}, problem.message))), INTERVAL);
  }

  close() {
    clearInterval(this.timer);
  }

  changed() {}

  repaint() {}

  key(event) {
    if (event.key !== 'Escape') return false;
    location.hash = '#/';
    return true;
  }

  async load() {
    const fleet = await api.fleet();
    const cells = fleet.nodes.reduce((sum, node) => sum + node.cells.length, 0);
    const environments = fleet.nodes.reduce((sum, node) => sum + node.environments.length, 0);
    put(this.facts, `${fleet.nodes.filter(node => !node.isRun).length} nodes, ${cells} cells and ${environments} environments at work; ne ${fleet.build}`,
      fleet.silent.length > 0 && h('span.bad', {}, ` ${fleet.silent.join(', ')} does not answer`));
    put(this.nodes, table(
      ['name', 'address', '>cores', 'cells', 'environments', '>up', 'processor', 'MuJoCo'],
      fleet.nodes.map(node => [
        node.name,
        node.address,
        format.count(node.cores),
        node.isRun ? 'trains' : h('span', {}, `${node.cells.length} of ${node.slots} `, node.cells.map(cell => h('a.part', { href: `#/run/${encodeURIComponent(cell)}` }, cell, ' '))),
        node.isRun ? '' : h('span', { title: node.environments.join('\n') }, `${node.environments.length} of ${node.environmentCapacity}`),
        format.duration(node.seconds),
        node.processor,
        node.muJoCo ?? '-',
      ])));
    put(this.moves, h('h2', {}, 'What went where'), fleet.moves.length === 0
      ? h('p.quiet', {}, 'nothing yet')
      : table(['when', 'what'], fleet.moves.map(move => [format.time(move.at), move.what])));
  }
}
