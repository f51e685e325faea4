// The masks as pictures, event by event.

import * as api from './api.js';
import { h, put, fill } from './dom.js';
import * as format from './format.js';

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function rgb(name) {
  const text = style(name).replace('#', '');
  return [0, 2, 4].map(at => parseInt(text.slice(at, at + 2), 16));
}

export class Topology {
  constructor(name) {
    this.name = name;
    this.events = [];
    this.at = null;
    this.slider = h('input', { type: 'range', min: '-1', max: '-1', value: '-1', 'aria-label': 'Topology event', oninput: () => this.go(Number(this.slider.value)), onkeydown: event => this.slid(event) });
    this.play = h('button', { type: 'button', onclick: () => this.toggle(), title: 'Event by event (space)' }, 'play');
    this.words = h('p.facts');
    this.layers = h('div.layers');
    this.element = h('section', {}, h('h2', {}, 'Topology'),
      h('p.quiet', {}, 'A row is a neuron, a column one of its inputs. ', h('span.key.active'), ' active ', h('span.key.grown'), ' grown by this event ', h('span.key.pruned'), ' pruned ', h('span.key.touched'), ' neuron drawn anew'),
      h('div.bar.film', {}, this.play, this.slider), this.words, this.layers);
    this.refresh = api.throttled(() => this.load(), 5000);
    this.showing = latest(() => fill(this.element, () => this.show()));
  }

  async load() {
    const follows = this.at === null || this.at === this.events.length - 1;
    this.events = await api.topologyEvents(this.name);
    this.slider.max = String(this.events.length - 1);
    if (this.events.length === 0) {
      put(this.words, 'no topology event up to the last checkpoint');
      this.element.classList.toggle('empty', true);
    } else this.element.classList.toggle('empty', false);
    if (follows) this.go(this.events.length - 1);
  }

  slid(event) {
    if (event.key !== ' ') return;
    event.preventDefault();
    this.toggle();
  }

  toggle() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (this.at >= this.events.length - 1) this.at = -2;
      // A run of many events takes the time of two hundred.
      const stride = Math.max(1, Math.round(this.events.length / 200));
      this.timer = setInterval(() => {
        if (this.at >= this.events.length - 1) this.toggle();
        else this.go(Math.min(this.events.length - 1, this.at + stride));
      }, 120);
    }
    this.play.textContent = this.timer ? 'stop' : 'play';
  }

  go(index) {
    this.at = index;
    this.slider.value = String(index);
    this.showing();
  }

  async show() {
    const index = this.at;
    const frame = await api.topologyFrame(this.name, index);
    const happened = frame.event;
    this.slider.setAttribute('aria-valuetext', happened ? `event ${index + 1} of ${this.events.length}, gradient step ${happened.gradientStep}` : 'before the first event');
    put(this.words, happened
      ? `event ${index + 1} of ${this.events.length}, gradient step ${format.count(happened.gradientStep)}, ${happened.network}: ${format.count(happened.grown)} grown, ${format.count(happened.pruned)} pruned, ${format.count(happened.touched)} neurons drawn anew, ${format.count(happened.dormant)} dormant; its output moved by ${format.value(happened.outputShift)} standard deviations`
      : `before the first of ${this.events.length} events`);
    put(this.layers, Object.values(Object.groupBy(frame.layers, layer => `${layer.network} ${layer.stack}`)).map(stack => h('div.stacked', {}, stack.map(layer => this.layer(layer)))));
  }

  layer(layer) {
    const canvas = h('canvas', { width: layer.inputs, height: layer.outputs, role: 'img', 'aria-label': `mask of ${layer.network} layer ${layer.layer + 1}` });
    // Whole pixels per weight; the few columns of an input and the few rows of an output are drawn broader, so that they are seen.
    const scale = Math.max(1, Math.min(6, Math.floor(256 / Math.max(layer.inputs, layer.outputs))));
    canvas.style.width = `${Math.max(layer.inputs * scale, Math.min(16, 8 * layer.inputs))}px`;
    canvas.style.height = `${Math.max(layer.outputs * scale, Math.min(16, 8 * layer.outputs))}px`;
    paint(canvas, layer);
    const twin = layer.network === 'critic' ? ` ${layer.stack + 1}` : '';
    return h('figure.layer', {}, h('div.scroll', {}, canvas),
      h('figcaption', {}, h('strong', {}, `${layer.network}${twin}, layer ${layer.layer + 1}`), h('br'), `${layer.outputs} x ${layer.inputs}, ${format.percent(layer.active / (layer.outputs * layer.inputs))} active`, layer.dormant === null ? '' : [h('br'), `${layer.dormant} of ${layer.outputs} dormant`]));
  }

  close() {
    if (this.timer) clearInterval(this.timer);
  }
}

/** Runs one after another, and of those that were asked for meanwhile the last alone. */
function latest(show) {
  let running = false;
  let again = false;
  return async function go() {
    again = running;
    if (running) return;
    running = true;
    try {
      await show();
    } finally {
      running = false;
    }
    if (again) go();
  };
}

function paint(canvas, layer) {
  const context = canvas.getContext('2d');
  const image = context.createImageData(layer.inputs, layer.outputs);
  const bits = Uint8Array.from(atob(layer.mask), letter => letter.charCodeAt(0));
  const [on, off, grown, pruned, touched] = ['--ink', '--hole', '--good', '--bad', '--warm'].map(rgb);
  const dot = (weight, colour) => image.data.set([...colour, 255], 4 * weight);
  const drawn = new Set(layer.touched);

  for (let weight = 0; weight < layer.inputs * layer.outputs; weight++) {
    const isActive = (bits[weight >> 3] >> (weight & 7)) & 1;
    dot(weight, isActive ? (drawn.has(Math.floor(weight / layer.inputs)) ? touched : on) : off);
  }
  for (const weight of layer.grown) dot(weight, grown);
  for (const weight of layer.pruned) dot(weight, pruned);
  context.putImageData(image, 0, 0);
}
