// What every page gains where scripts run. Nothing depends on it.
'use strict';
(() => {
  const each = (selector, then, within = document) => within.querySelectorAll(selector).forEach(then);
  const language = document.documentElement.lang || 'en';

  // Times in the words and the zone of the person.
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const localize = (within) => each('time[datetime]:not([title])', (time) => {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) return;
    time.title = time.textContent;
    time.textContent = format.format(at);
  }, within);
  localize(document);
  document.addEventListener('htmx:load', (event) => localize(event.target));

  // A password can be looked at.
  each('[data-shows]', (button) => {
    const input = document.getElementById(button.dataset.shows);
    button.hidden = false;
    button.addEventListener('click', () => {
      const shown = input.type === 'text';
      input.type = shown ? 'password' : 'text';
      button.setAttribute('aria-pressed', String(!shown));
      input.focus();
    });
  });

  // A connection that is lost is said, and what was to be sent is sent when it is back.
  const base = document.querySelector('link[rel=icon]').getAttribute('href').split('/assets/')[0];
  const lost = document.getElementById('lost');
  const say = (text) => { if (lost) { lost.textContent = text; lost.hidden = !text; } };
  // Any answer is one: whoever hides that path is there all the same.
  const answers = () => fetch(`${base}/healthz`, { cache: 'no-store', signal: AbortSignal.timeout(5000) }).then(() => true, () => false);
  // After some tries the browser says itself what is wrong.
  const back = async () => {
    for (let wait = 1000, tries = 0; tries < 8 && !(await answers()); wait = Math.min(wait * 2, 15000), tries += 1) {
      say(lost?.dataset.lost ?? '');
      await new Promise((resolve) => { setTimeout(resolve, wait); window.addEventListener('online', resolve, { once: true }); });
    }
    say('');
  };
  document.addEventListener('htmx:sendError', () => { say(lost?.dataset.lost ?? ''); back(); });
  const again = (form) => {
    delete form.dataset.sent;
    delete form.dataset.ready;
    each('[aria-busy]', (button) => button.removeAttribute('aria-busy'), form);
  };
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === 'dialog' || form.hasAttribute('hx-post') || form.hasAttribute('hx-get')) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    const button = event.submitter;
    form.dataset.sent = 'yes';
    button?.setAttribute('aria-busy', 'true');
    // A download, or an answer without a page, leaves the form where it is.
    setTimeout(() => again(form), 10000);
    if (form.dataset.ready) return;
    event.preventDefault();
    back().then(() => { delete form.dataset.sent; form.dataset.ready = 'yes'; form.requestSubmit(button); });
  });
  window.addEventListener('pageshow', () => each('form', again));
})();
