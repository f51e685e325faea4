// Elements from values. Text is set as text, never as markup: names, reasons and log lines are other people's.

/** An element: h('a.quiet', { href: '#/' }, 'text', child, ...). Attributes that begin with "on" are listeners; null and false children are left out. */
export function h(kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split('.');
  const element = document.createElement(tag || 'div');
  element.classList.add(...classes);

  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== 'string') element[name] = value;
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }

  put(element, ...children);
  return element;
}

/** Replaces what is in an element. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter(child => child !== null && child !== false && child !== undefined));
  return element;
}

/** A table with a heading. Cells are texts or elements; a heading that begins with ">" is aligned to the right. */
export function table(headings, rows) {
  const right = headings.map(heading => heading.startsWith('>'));
  return h('div.scroll', {}, h('table', {},
    h('thead', {}, h('tr', {}, headings.map((heading, i) => h(right[i] ? 'th.number' : 'th', { scope: 'col' }, heading.replace(/^>/, ''))))),
    h('tbody', {}, rows.map(row => h('tr', {}, row.map((cell, i) => h(right[i] ? 'td.number' : 'td', {}, cell)))))));
}

/** A state as a word with a colour. */
export function badge(state) {
  return h('span.badge', { 'data-state': state }, state);
}

/** Fills a section of a page. What keeps it from that is said below it, and the rest of the page goes on. */
export async function fill(section, load) {
  section.querySelector(':scope > p.why')?.remove();
  try {
    await load();
  } catch (problem) {
    section.append(h('p.bad.why', {}, problem.message));
  }
}
