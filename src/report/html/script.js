'use strict';
(() => {
  const page = document.documentElement;
  page.classList.add('js');
  const box = document.getElementById('box');
  const shown = document.getElementById('shown');
  const keys = document.getElementById('keys');
  const buttons = [...document.querySelectorAll('#levels button')];
  // A row is what is filtered and what the cursor stands on.
  const rows = [...document.querySelectorAll('.card, .row[id]')];
  const words = new Map();
  let at = null;

  const text = row => {
    if (!words.has(row)) words.set(row, row.textContent.toLowerCase());
    return words.get(row);
  };

  const filter = () => {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const levels = buttons.filter(b => b.getAttribute('aria-pressed') === 'true').map(b => b.dataset.level);
    const all = {card: 0, row: 0};
    const left = {card: 0, row: 0};
    for (const row of rows) {
      const kind = row.classList.contains('row') ? 'row' : 'card';
      const fits = (levels.length === 0 || levels.includes(row.dataset.level))
        && (wanted.length === 0 || wanted.every(word => text(row).includes(word)));
      row.hidden = !fits;
      all[kind] += 1;
      left[kind] += fits ? 1 : 0;
    }
    for (const group of document.querySelectorAll('.block, .alike')) {
      group.hidden = !group.querySelector('.row:not([hidden]), .card:not([hidden])');
    }
    // A match among folded remarks would not be seen.
    const remarks = document.querySelector('#remarks details');
    if (remarks && (wanted.length > 0 || levels.length > 0)) {
      remarks.open = remarks.querySelector('.card:not([hidden])') !== null;
    }
    const said = [];
    const count = (of, name) => {
      if (all[of] > 0) said.push(left[of].toLocaleString('en') + ' of ' + all[of].toLocaleString('en') + name);
    };
    count('card', ' cards');
    count('row', ' sessions');
    shown.textContent = said.join(', ');
    if (at && at.hidden) stand(null);
  };

  const stand = row => {
    if (at) at.classList.remove('at');
    at = row;
    if (!row) return;
    for (let up = row.parentElement; up; up = up.parentElement) {
      if (up.tagName === 'DETAILS') up.open = true;
    }
    row.classList.add('at');
    row.scrollIntoView({block: 'nearest'});
  };

  const isSeen = row => !row.hidden && !row.closest('[hidden], details:not([open]) > *:not(summary)');

  const move = by => {
    let place = at ? rows.indexOf(at) : (by > 0 ? -1 : rows.length);
    do place += by; while (rows[place] && !isSeen(rows[place]));
    if (rows[place]) stand(rows[place]);
  };

  const go = hash => {
    const goal = hash.length > 1 ? document.getElementById(decodeURIComponent(hash.slice(1))) : null;
    if (!goal) return;
    if (goal.tagName === 'DETAILS') goal.open = true;
    const row = goal.closest('.card, .row');
    if (row && row.hidden) {
      box.value = '';
      for (const b of buttons) b.setAttribute('aria-pressed', 'false');
      filter();
    }
    stand(row);
    goal.scrollIntoView({block: 'start'});
  };

  const open = row => {
    if (!row) return;
    if (row.tagName === 'DETAILS') {
      row.open = !row.open;
      return;
    }
    const link = row.querySelector('a');
    if (link) {
      location.hash = link.hash;
      go(link.hash);
    } else {
      row.classList.toggle('open');
    }
  };

  const theme = () => {
    const dark = page.dataset.theme
      ? page.dataset.theme === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches;
    page.dataset.theme = dark ? 'light' : 'dark';
  };

  const fold = () => {
    const all = [...document.querySelectorAll('details')];
    const some = all.some(one => !one.open);
    for (const one of all) one.open = some;
  };

  let waiting = 0;
  box.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(filter, 80);
  });
  for (const button of buttons) {
    button.addEventListener('click', () => {
      const pressed = button.getAttribute('aria-pressed') === 'true';
      button.setAttribute('aria-pressed', String(!pressed));
      filter();
    });
  }
  document.getElementById('theme').addEventListener('click', theme);
  document.getElementById('ask').addEventListener('click', () => keys.showModal());
  keys.addEventListener('click', () => keys.close());
  document.addEventListener('click', event => {
    const row = event.target.closest('.row[id]');
    if (row && !event.target.closest('a')) {
      stand(row);
      row.classList.toggle('open');
    }
  });
  addEventListener('hashchange', () => go(location.hash));

  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
    if (event.target === box) {
      if (event.key === 'Escape') {
        if (box.value === '') box.blur();
        box.value = '';
        filter();
      } else if (event.key === 'Enter' || event.key === 'ArrowDown') {
        event.preventDefault();
        filter();
        box.blur();
        move(1);
      }
      return;
    }
    const own = event.target.closest('button, a, summary');
    switch (event.key) {
      case '/': box.focus(); box.select(); break;
      case 'j': case 'ArrowDown': move(1); break;
      case 'k': case 'ArrowUp': move(-1); break;
      case 'Enter': if (own || !at) return; open(at); break;
      case 'Escape':
        stand(null);
        if (box.value !== '') { box.value = ''; filter(); }
        break;
      case 'e': fold(); break;
      case 't': theme(); break;
      case '?': keys.showModal(); break;
      default: return;
    }
    event.preventDefault();
  });

  // On paper nothing can be opened, so everything is.
  let folded = [];
  addEventListener('beforeprint', () => {
    folded = [...document.querySelectorAll('details:not([open])')];
    for (const one of folded) one.open = true;
  });
  addEventListener('afterprint', () => {
    for (const one of folded) one.open = false;
  });

  filter();
  go(location.hash);
})();
