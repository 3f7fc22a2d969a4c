/* Takes a JWT apart on the page that loads it. It sends nothing, keeps nothing and checks no signature. */
(() => {
  'use strict';
  const root = document.querySelector('[data-jwt]');
  const part = (name) => root.querySelector(`[data-jwt-${name}]`);
  const TIMES = ['exp', 'iat', 'nbf', 'auth_time'];
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

  function decoded(segment) {
    const bytes = Uint8Array.from(atob(segment.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));
    const found = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (found === null || typeof found !== 'object' || Array.isArray(found)) throw new TypeError();
    return found;
  }
  function inWords(name, value) {
    const moment = new Date(value * 1000);
    if (!TIMES.includes(name) || typeof value !== 'number' || Number.isNaN(moment.valueOf())) return '';
    return ` (${full.format(moment)})`;
  }
  function list(target, members) {
    target.replaceChildren(...Object.entries(members).flatMap(([name, value]) => {
      const term = document.createElement('dt'), text = document.createElement('dd');
      term.textContent = name;
      text.textContent = (typeof value === 'string' ? value : JSON.stringify(value)) + inWords(name, value);
      return [term, text];
    }));
  }
  function verdict({ exp, nbf }) {
    const now = Date.now() / 1000;
    if (typeof nbf === 'number' && nbf > now) return 'It does not count yet.';
    if (typeof exp !== 'number') return 'It names no end.';
    return exp > now ? 'It has not expired.' : 'It has expired.';
  }
  function read() {
    const typed = part('input').value.trim().replace(/^Bearer\s+/i, ''), pieces = typed.split('.');
    part('found').hidden = true;
    part('status').textContent = '';
    if (!typed) return;
    try {
      if (pieces.length !== 3) throw new TypeError();
      const header = decoded(pieces[0]), claims = decoded(pieces[1]);
      list(part('header'), header);
      list(part('claims'), claims);
      part('found').hidden = false;
      part('status').textContent = `${verdict(claims)} Its signature was not checked.`;
    } catch {
      part('status').textContent = 'This is not a JWT: three parts with dots between them, the first two of JSON. Refresh tokens and codes of this server are none.';
    }
  }
  part('input').addEventListener('input', read);
  read();
})();
