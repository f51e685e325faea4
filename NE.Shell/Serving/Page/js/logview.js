// The end of a run's log, and more of it on demand.

import * as api from './api.js';
import { h, put } from './dom.js';
import * as format from './format.js';

export class LogView {
  constructor(name) {
    this.name = name;
    this.lines = [];
    this.from = 0;
    this.to = 0;
    this.older = h('button', { type: 'button', hidden: true, onclick: () => this.loadOlder() }, 'older lines');
    this.least = h('select', { 'aria-label': 'Least level', onchange: () => this.draw() }, ['Debug', 'Information', 'Warning', 'Error'].map(level => h('option', { value: level, selected: level === 'Information' }, `from ${level}`)));
    this.list = h('ol.log', { tabIndex: 0, 'aria-label': 'Log' });
    this.element = h('section', {}, h('h2', {}, 'Log'), h('div.bar', {}, this.older, this.least), this.list);
    this.refresh = api.throttled(() => this.load(), 1500);
  }

  async load() {
    const page = await api.log(this.name);
    const isFollowed = this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 8;
    // The newest page overlaps what is there, or the log was written on faster than we read.
    const known = this.lines.filter(line => line.at < page.from);
    this.lines = (known.length > 0 && known.at(-1).end >= page.from ? known : []).concat(page.lines.map(line => ({ ...line, at: page.from, end: page.to })));
    this.from = this.lines[0]?.at ?? page.from;
    this.draw();
    if (isFollowed) this.list.scrollTop = this.list.scrollHeight;
  }

  async loadOlder() {
    const page = await api.log(this.name, this.from);
    this.lines = page.lines.map(line => ({ ...line, at: page.from, end: page.to })).concat(this.lines);
    this.from = page.from;
    this.draw();
  }

  draw() {
    const levels = ['Verbose', 'Debug', 'Information', 'Warning', 'Error', 'Fatal'];
    const least = levels.indexOf(this.least.value);
    this.older.hidden = this.from === 0;
    put(this.list, this.lines.filter(line => !levels.includes(line.level) || levels.indexOf(line.level) >= least).map(line =>
      h('li', { 'data-level': line.level }, h('time', { dateTime: line.time }, format.time(line.time)), ' ', line.text, line.exception ? h('pre', {}, line.exception) : null)));
  }
}
