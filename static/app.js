/* Gatewright's only script. Every page works without it; it narrows, copies, guards and shortens.
   No element is built from text: nothing here ever parses markup. */
(() => {
  'use strict';
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, selector, act) => document.addEventListener(type, (event) => {
    const hit = event.target.closest?.(selector);
    if (hit) act(hit, event);
  });
  const say = (text) => { const live = $('#live'); if (live) { live.textContent = ''; setTimeout(() => { live.textContent = text; }, 50); } };

  /* htmx: the CSRF header; a failed request is said aloud; a poll that gets another page becomes that page. */
  document.addEventListener('htmx:config:request', ({ detail: { ctx } }) => {
    const token = $('meta[name="csrf-token"]')?.content;
    if (token && ctx.request.method !== 'GET') ctx.request.headers['X-CSRFToken'] = token;
  });
  document.addEventListener('htmx:after:request', (event) => {
    const { ctx } = event.detail;
    if (!ctx.sourceElement.closest('[data-poll]') || (ctx.response.status === 200 && ctx.text.includes('data-waiting'))) return;
    event.preventDefault();
    if (ctx.response.status < 500) location.reload();
  });
  document.addEventListener('htmx:error', () => say('The server could not be reached. Nothing was changed.'));
  document.addEventListener('htmx:after:swap', () => { tellTimes(); countSelected(); });

  /* Copying. */
  on('click', '[data-copy]', async (button) => {
    try { await navigator.clipboard.writeText(button.dataset.copy); } catch { say('Copying is not allowed here.'); return; }
    say(button.dataset.copied || 'Copied');
    button.classList.add('done');
    const use = $('use', button), was = use.getAttribute('href');
    use.setAttribute('href', was.replace('#copy', '#check'));
    setTimeout(() => { button.classList.remove('done'); use.setAttribute('href', was.replace('#check', '#copy')); }, 1600);
  });
  on('click', '[data-save]', (button) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([button.dataset.text], { type: 'text/plain' }));
    link.download = button.dataset.save;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    say(`${button.dataset.save} is saved`);
  });
  on('click', '[data-dismiss]', (button) => button.closest('.notice').remove());
  on('click', '[data-close]', (button) => button.closest('dialog').close());
  on('click', '[data-open]', (button) => document.getElementById(button.dataset.open).showModal());
  on('click', '[data-show]', (button) => {
    const input = document.getElementById(button.dataset.show), shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    button.textContent = shown ? 'Hide' : 'Show';
    button.setAttribute('aria-pressed', String(shown));
  });

  /* The setup link carries its token after "#": into the field, and out of the address bar. */
  const tokenField = $('[data-from-fragment]');
  if (tokenField && location.hash.length > 1) {
    const token = new URLSearchParams(location.hash.slice(1)).get(tokenField.dataset.fromFragment);
    if (token) { tokenField.value = token; history.replaceState(null, '', location.pathname + location.search); }
  }

  /* Times: "3 hours ago" in the text, the exact instant in the title. */
  const steps = [['second', 60], ['minute', 60], ['hour', 24], ['day', 30], ['month', 12], ['year', Infinity]];
  const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'long' });
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
  function relative(instant) {
    let amount = (instant - Date.now()) / 1000;
    if (Math.abs(amount) < 45) return 'just now';
    for (const [unit, size] of steps) {
      if (Math.abs(amount) < size) return words.format(Math.round(amount), unit);
      amount /= size;
    }
  }
  function tellTimes() {
    for (const time of $$('time[datetime]')) {
      const instant = new Date(time.dateTime);
      if (Number.isNaN(instant.valueOf())) continue;
      time.title = `${full.format(instant)} (${instant.toISOString().replace('.000', '')})`;
      time.textContent = 'absolute' in time.dataset ? day.format(instant) : relative(instant);
    }
  }
  tellTimes();
  setInterval(tellTimes, 30000);

  /* Selecting rows. */
  function countSelected() {
    for (const output of $$('[data-count]')) {
      const form = output.closest('form'), whole = $('[data-matching]:checked', form);
      output.textContent = `${whole ? whole.dataset.matching : $$('[data-select]:checked', form).length} selected`;
    }
  }
  document.addEventListener('change', ({ target }) => {
    const form = target.closest('form');
    if (!form) return;
    if (target.matches('[data-select-all]')) for (const box of $$('[data-select]', form)) box.checked = target.checked;
    if (target.matches('[data-select]')) {
      const all = $('[data-select-all]', form), boxes = $$('[data-select]', form), chosen = boxes.filter((box) => box.checked).length;
      if (all) { all.checked = chosen === boxes.length; all.indeterminate = chosen > 0 && !all.checked; }
    }
    const whole = $('[data-matching]', form);
    if (whole && !target.checked && target.matches('[data-select-all], [data-select]')) whole.checked = false;
    if (target.matches('[data-select-all], [data-select], [data-matching]')) countSelected();
    if (target.matches('[data-keys-switch]')) store(target.checked);
  });

  /* Asking first. The capture phase comes before htmx and the browser. */
  const confirmDialog = $('#confirm');
  let asked = null;
  document.addEventListener('submit', (event) => {
    const form = event.target, button = event.submitter;
    const whole = $('[data-matching]:checked', form) && button?.dataset.confirmMatching;
    const source = whole || button?.dataset.confirm ? button : form;
    const question = whole || source.dataset.confirm;
    if (!question || !confirmDialog || form === asked?.agreed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const name = source.dataset.confirmName, field = $('[data-confirm-field]', confirmDialog), input = $('#confirm-name');
    asked = { form, button, name };
    $('[data-confirm-text]', confirmDialog).textContent = question;
    $('[data-confirm-ok]', confirmDialog).textContent = source.dataset.confirmLabel || button?.textContent.trim() || 'Confirm';
    $('[data-confirm-wanted]', confirmDialog).textContent = name || '';
    field.hidden = !name;
    input.value = '';
    $('[data-confirm-ok]', confirmDialog).disabled = Boolean(name);
    confirmDialog.returnValue = '';
    confirmDialog.showModal();
  }, true);
  $('#confirm-name')?.addEventListener('input', ({ target }) => { $('[data-confirm-ok]').disabled = target.value.trim() !== asked.name.trim(); });
  confirmDialog?.addEventListener('close', () => {
    if (confirmDialog.returnValue !== 'ok') { asked = null; return; }
    const { form, button, name } = asked;
    if (name) {
      const sent = $('input[type="hidden"][name="confirm_name"]', form) || form.appendChild(Object.assign(document.createElement('input'), { type: 'hidden', name: 'confirm_name' }));
      sent.value = name;
    }
    asked = { agreed: form };
    form.requestSubmit(button);
    asked = null;
  });

  /* Unsaved changes. */
  const unsaved = new Set();
  document.addEventListener('input', ({ target }) => { const form = target.closest('form[data-guard]'); if (form) unsaved.add(form); });
  document.addEventListener('submit', ({ target }) => unsaved.delete(target));
  addEventListener('beforeunload', (event) => { if ([...unsaved].some((form) => form.isConnected)) event.preventDefault(); });

  /* Keys. Single letters never fire while typing, with a modifier, in a dialog, or when switched off. */
  const keySwitch = $('[data-keys-switch]');
  const store = (yes) => { try { localStorage.setItem('gatewright.keys', yes ? 'on' : 'off'); } catch { /* private mode */ } };
  try { if (keySwitch) keySwitch.checked = localStorage.getItem('gatewright.keys') !== 'off'; } catch { /* private mode */ }
  let going = 0;
  const rows = () => $$('.table tbody tr').filter((row) => $('a', row));
  function step(by) {
    const all = rows(), at = all.findIndex((row) => row.classList.contains('at'));
    const next = all[Math.max(0, Math.min(all.length - 1, at + by))];
    if (!next) return;
    all[at]?.classList.remove('at');
    next.classList.add('at');
    ($('a.row-link', next) || $('a', next)).focus();
  }
  const keys = {
    '/': () => $('[data-search]')?.focus(),
    '?': () => $('#help').showModal(),
    j: () => step(1),
    k: () => step(-1),
    x: () => $('tr.at [data-select]')?.click(),
    n: () => $('[data-new]')?.click(),
    g: () => { going = Date.now(); },
    Escape: () => $('tr.at')?.classList.remove('at'),
  };
  if (keySwitch) document.addEventListener('keydown', (event) => {
    if (!keySwitch.checked || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $('dialog[open]')) return;
    if (event.target.closest('input:not([type="checkbox"]), textarea, select, [contenteditable]')) return;
    const place = Date.now() - going < 1200 && $$('[data-go]').find((link) => link.dataset.go === event.key);
    const act = place ? () => place.click() : keys[event.key];
    going = 0;
    if (!act) return;
    if (event.key !== 'Escape') event.preventDefault();
    act();
  });
})();
