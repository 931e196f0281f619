// SPDX-License-Identifier: Apache-2.0
// Makes an analysis more convenient; without it all of it can be read. Tables that sort, and links into the tree that unfold it.
'use strict';

// --- a click on a head sorts: numbers the largest first, names from A to Z; again: the other way round
function value(row, column) {
  const cell = row.cells[column];
  return cell.dataset.sort ?? cell.textContent;
}
function sort(table, column, head) {
  const body = table.tBodies[0];
  const numbers = [...body.rows].every((row) => value(row, column) !== '' && !isNaN(value(row, column)));
  const before = head.getAttribute('aria-sort');
  const up = before ? before === 'descending' : !numbers;
  const rows = [...body.rows].sort((a, b) => {
    const x = value(a, column), y = value(b, column);
    const order = numbers ? x - y : x.localeCompare(y);
    return up ? order : -order;
  });
  for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
  body.append(...rows);
}
for (const table of document.querySelectorAll('table.bars')) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const name = head.querySelector('span');
    if (!name || name.classList.contains('unseen')) return;
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = name.textContent;
    button.addEventListener('click', () => sort(table, column, head));
    name.replaceChildren(button);
  });
}

// --- a cell of the picture leads to its line in the tree, which may be folded
for (const cell of document.querySelectorAll('.treemap [data-node]')) {
  cell.addEventListener('click', () => {
    const line = document.getElementById('n' + cell.dataset.node);
    if (!line) return;
    for (let e = line; e; e = e.parentElement) if (e.localName === 'details') e.open = true;
    for (const other of document.querySelectorAll('.tree .found')) other.classList.remove('found');
    line.classList.add('found');
    line.scrollIntoView({ block: 'center' });
    line.querySelector('summary')?.focus({ preventScroll: true });
  });
}
