/* Lets the browser make or use a passkey, and sends what it answers with the form of the page. */
(() => {
  'use strict';
  const isAddress = /^[\d.]+$|:/.test(location.hostname); // passkeys are bound to a name
  const able = !isAddress && window.PublicKeyCredential?.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;
  const ask = {
    get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
    create: (options) => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  };

  async function options(form) {
    const headers = { 'X-CSRFToken': form.elements.csrf_token.value };
    const answer = await fetch(form.dataset.options, { method: 'POST', headers });
    if (answer.redirected) return new Promise(() => location.assign(answer.url)); // to sign in again
    if (!answer.ok) throw new Error('The server does not answer now; wait a moment and try again.');
    return answer.json();
  }
  async function fill(form) {
    const said = form.querySelector('[data-passkey-said]');
    said.textContent = '';
    try {
      const credential = await ask[form.dataset.passkey](await options(form));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch (fault) {
      if (fault.name === 'InvalidStateError') said.textContent = 'This device has a passkey for your account already.';
      else if (fault instanceof DOMException) said.textContent = 'No passkey was used.';
      else said.textContent = fault.message;
    }
  }

  for (const hidden of document.querySelectorAll('[data-passkey], [data-passkey-only]')) hidden.hidden = !able;
  for (const form of document.querySelectorAll('[data-passkey]')) {
    form.addEventListener('submit', (event) => { event.preventDefault(); fill(form); });
  }
})();
