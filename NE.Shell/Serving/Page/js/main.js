// Which page is shown, and what all pages share: keys, theme, and the connection.

import * as api from './api.js';
import * as charts from './charts.js';
import { h, put } from './dom.js';
import { Overview } from './overview.js';
import { RunPage } from './run.js';
import { Compare } from './compare.js';
import { Fleet } from './fleet.js';

const main = document.getElementById('page');
const live = document.getElementById('live');
const place = document.getElementById('place');
let page = null;
let control = false;

const context = { place: text => { place.textContent = text; }, control: () => control };

function route() {
  const [, kind, ...names] = location.hash.replace(/^#/, '').split('/').map(decodeURIComponent);
  return kind === 'fleet' ? new Fleet(context) : kind === 'run' && names[0] ? new RunPage(context, names[0]) : kind === 'compare' && names.length === 2 ? new Compare(context, names) : new Overview(context);
}

async function open() {
  page?.close();
  page = route();
  const opened = page;
  put(main, page.element);
  window.scrollTo(0, 0);
  try {
    await opened.open();
  } catch (problem) {
    if (page === opened) put(main, h('p.bad', {}, problem.message), h('p', {}, h('a', { href: '#/' }, 'all runs')));
  }
  document.title = opened.name ? `${opened.name} - NE.Actors` : 'NE.Actors';
}

// ---- theme -------------------------------------------------------------------------------------------------------------------------

const THEMES = ['system', 'light', 'dark'];
const dark = matchMedia('(prefers-color-scheme: dark)');
let theme = THEMES.includes(localStorage.theme) ? localStorage.theme : 'system';

function paint() {
  document.documentElement.dataset.theme = theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
  document.getElementById('theme').textContent = theme;
  page?.repaint();
}

function nextTheme() {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  localStorage.theme = theme;
  paint();
}

document.getElementById('theme').addEventListener('click', nextTheme);
dark.addEventListener('change', paint);

// ---- keys --------------------------------------------------------------------------------------------------------------------------

const keys = document.getElementById('keys');
document.getElementById('help').addEventListener('click', () => keys.showModal());
addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  const writing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== 'checkbox';
  if (writing && event.key !== 'Escape') return;
  if (event.key === '?') keys.showModal();
  else if (event.key === 't') nextTheme();
  else if (!page?.key(event)) return;
  event.preventDefault();
});

// ---- start -------------------------------------------------------------------------------------------------------------------------

paint();
const overview = await api.overview().catch(() => null);
control = overview?.control ?? false;
document.getElementById('fleet').hidden = !overview?.fleet;
await charts.load(overview?.charts ?? true);
addEventListener('hashchange', open);
await open();
const CONNECTION = { on: 'live', off: 'connection lost; trying again', paused: 'paused' };
const EVERYTHING = ['run', 'checkpoint', 'log', 'video', 'eval', 'metrics', 'timing', 'topology'];
let lost = false;
let paused = false;
api.listen(changes => page?.changed(changes), state => {
  live.textContent = CONNECTION[state];
  live.dataset.state = state;
  if (state === 'on') {
    // What changed meanwhile was not told.
    if (lost) open();
    else if (paused) page?.changed([page.name, ...(page.names ?? [])].map(run => ({ run, what: EVERYTHING })));
    lost = false;
    paused = false;
  } else if (state === 'paused') paused = true;
  else lost = true;
});
