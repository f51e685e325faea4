// The end of a run's log, and more of it on demand.

import * as api from './api.js';
import { h, put } from './dom.js';
import * as format from './format.js';

/** Lines that are kept at most; drawing more takes too long. */
const MOST = 5000;

export class LogView {
  constructor(name) {
    this.name = name;
    // Each with the byte of the log at which it begins. They are all that there are from `from` up to `to`.
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
    // The newest page goes on from what is there, or the log was written on faster than we read, or begun anew.
    const goesOn = page.from <= this.to && this.to <= page.to;
    const lines = goesOn ? [...this.lines.filter(line => line.at < page.from), ...page.lines] : page.lines;
    this.lines = lines.slice(-MOST);
    this.from = this.lines.length < lines.length ? this.lines[0].at : goesOn ? Math.min(this.from, page.from) : page.from;
    this.to = page.to;
    this.draw();
    if (isFollowed) this.list.scrollTop = this.list.scrollHeight;
  }

  async loadOlder() {
    const before = this.from;
    const page = await api.log(this.name, before);
    // A refresh may have been quicker.
    if (this.from !== before) return;
    this.lines = [...page.lines, ...this.lines];
    this.from = page.from;
    this.draw();
  }

  draw() {
    const levels = ['Verbose', 'Debug', 'Information', 'Warning', 'Error', 'Fatal'];
    const least = levels.indexOf(this.least.value);
    this.older.hidden = this.from === 0 || this.lines.length >= MOST;
    put(this.list, this.lines.filter(line => !levels.includes(line.level) || levels.indexOf(line.level) >= least).map(line =>
      h('li', { 'data-level': line.level }, h('time', { dateTime: line.time }, format.time(line.time)), ' ', line.text, line.exception ? h('pre', {}, line.exception) : null)));
  }
}
