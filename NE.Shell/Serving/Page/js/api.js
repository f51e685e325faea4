// What the server knows, and what changes.

async function answer(response) {
  const json = await response.json().catch(() => null);
  if (!response.ok) throw new Error(json?.error ?? `the server answered ${response.status}`);
  return json;
}

const query = values => new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null && value !== undefined)).toString();
const get = async (path, values = {}) => answer(await fetch(`api/${path}?${query(values)}`));

export const overview = () => get('overview');
export const fleet = () => get('fleet');
export const curves = (measure, runs, points) => get('curves', { measure, runs: runs?.join(','), points });
export const run = name => get(`runs/${name}`);
export const series = (name, table, columns, from, to, points) => get(`runs/${name}/series`, { table, columns: columns.join(','), from, to, points });
export const topologyEvents = name => get(`runs/${name}/topology`);
export const topologyFrame = (name, index) => get(`runs/${name}/topology/${index}`);
export const log = (name, before) => get(`runs/${name}/log`, { before });
export const configuration = name => get(`runs/${name}/configuration`);
export const act = async (name, what) => answer(await fetch(`api/runs/${name}/${what}`, { method: 'POST', headers: { 'X-NE-Action': what } }));

/**
 * Calls `changed` with [{ run, what }] and `state` with 'on' or 'off' as the connection comes and goes, which it does by itself, and with 'paused' while
 * nobody looks: a browser has six connections to a server, and tabs in the background would hold them all.
 */
export function listen(changed, state) {
  let source = null;
  const follow = () => {
    if (document.hidden) {
      source?.close();
      source = null;
      state('paused');
    } else if (!source) {
      source = new EventSource('api/changes');
      source.addEventListener('open', () => state('on'));
      source.addEventListener('error', () => state('off'));
      source.addEventListener('changes', event => changed(JSON.parse(event.data)));
    }
  };
  document.addEventListener('visibilitychange', follow);
  follow();
}

/** A refresh may take this share of the time. Its answers come from several threads, and looking for changes costs too: together they stay below a hundredth. */
const SHARE = 0.005;

/** Milliseconds after which a page is brought up to date whatever it costs. */
const LONGEST = 10_000;

/** Runs an asynchronous refresh at most once per interval, and seldom enough to cost little; and once more when it was asked for meanwhile. */
export function throttled(refresh, interval) {
  let running = false;
  let again = false;
  const go = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    const began = performance.now();
    try {
      await refresh();
    } finally {
      const took = performance.now() - began;
      setTimeout(() => {
        running = false;
        if (again) {
          again = false;
          go();
        }
      }, Math.max(interval - took, Math.min(LONGEST, took / SHARE)));
    }
  };
  return go;
}
