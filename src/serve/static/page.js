// SPDX-License-Identifier: Apache-2.0
// Makes pages more convenient; without it all of them work. Copy buttons, times that age, and new cases as they come.
'use strict';

const said = document.getElementById('said');
function say(text) { if (said) said.textContent = text; }

// --- a button beside each line to copy
for (const line of document.querySelectorAll('.copy')) {
  if (!navigator.clipboard) break; // not over plain HTTP from elsewhere
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.setAttribute('aria-label', 'Copy: ' + line.querySelector('code').textContent);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(line.querySelector('code').textContent);
      button.textContent = 'Copied';
      say('Copied');
    } catch {
      button.textContent = 'Not possible';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
  line.append(button);
}

// --- "12 min ago" goes on; the exact time by the reader's own clock as a hint
function age(ms) {
  const minutes = Math.floor(ms / 60000);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return minutes + ' min ago';
  if (minutes < 60 * 48) return Math.floor(minutes / 60) + ' h ago';
  return Math.floor(minutes / 60 / 24) + ' days ago';
}
function refreshAges() {
  for (const time of document.querySelectorAll('time.age')) {
    const at = new Date(time.dateTime);
    time.textContent = age(Date.now() - at);
    time.title = at.toLocaleString();
  }
}
refreshAges();
setInterval(refreshAges, 30000);

// --- new cases, on the first page of a list
const list = document.getElementById('cases');
if (list && list.dataset.live && 'EventSource' in window) {
  let events = null, waiting = false, fresh = null;
  const bar = document.createElement('div');
  bar.className = 'live';
  bar.hidden = true;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'primary';
  bar.append(button);
  list.before(bar);

  const ids = (root) => [...root.querySelectorAll('tr[data-id]')].map((row) => row.dataset.id);
  async function look() {
    waiting = false;
    const answer = await fetch(location.href, { credentials: 'same-origin' });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const there = page.getElementById('cases');
    if (!there) return;
    list.dataset.live = there.dataset.live;
    const known = new Set(ids(list));
    const count = ids(there).filter((id) => !known.has(id)).length;
    fresh = page;
    if (count === 0) return;
    if (ids(list).length === 0) { show(); return; }
    button.textContent = count === 1 ? '1 new case' : count + ' new cases';
    if (bar.hidden) say(button.textContent);
    bar.hidden = false;
  }
  function show() {
    const known = new Set(ids(list));
    const focused = bar.contains(document.activeElement);
    for (const id of ['cases', 'days']) {
      const mine = document.getElementById(id), there = fresh.getElementById(id);
      if (mine && there) mine.replaceChildren(...there.childNodes);
    }
    for (const row of list.querySelectorAll('tr[data-id]'))
      if (!known.has(row.dataset.id)) row.classList.add('new');
    bar.hidden = true;
    refreshAges();
    if (focused) document.querySelector('tr.new a')?.focus();
    setTimeout(() => { for (const row of list.querySelectorAll('tr.new')) row.classList.remove('new'); }, 6000);
  }
  button.addEventListener('click', show);
  // A browser has few connections to one server: a page that nobody sees gives its own back.
  function rest() {
    events?.close();
    events = null;
  }
  function listen() {
    if (events || document.hidden) return;
    events = new EventSource('/-/events?seen=' + list.dataset.live);
    events.addEventListener('change', () => {
      if (!waiting) setTimeout(() => look().catch(() => {}), 1000);
      waiting = true;
    });
    events.addEventListener('error', () => {
      if (events?.readyState !== EventSource.CLOSED) return; // it tries again by itself
      rest();
      setTimeout(listen, 60000);
    });
  }
  document.addEventListener('visibilitychange', () => (document.hidden ? rest() : listen()));
  addEventListener('pagehide', rest);
  listen();
}

// --- an analysis that is asked for: the page comes again once it is over
const waits = document.querySelector('[data-waits]');
if (waits) {
  const again = async () => {
    const answer = await fetch(waits.dataset.waits, { credentials: 'same-origin' });
    if (answer.status === 202) setTimeout(ask, 2000);
    else if (answer.ok) location.reload();
  };
  const ask = () => again().catch(() => setTimeout(ask, 10000));
  setTimeout(ask, 1000);
}
