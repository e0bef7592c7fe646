'use strict';
(() => {
  const each = (selector, then, within = document) => within.querySelectorAll(selector).forEach(then);

  // What is shown once can be copied by one press.
  each('[data-copies]', (button) => {
    button.hidden = false;
    const said = button.textContent;
    button.addEventListener('click', async () => {
      const shown = document.getElementById(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(shown.textContent);
      } catch {
        // Not allowed, or not by https: what is to be copied is marked.
        getSelection().selectAllChildren(shown);
        return;
      }
      button.textContent = document.body.dataset.copied;
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  });

  const tell = (name) => document.body.dispatchEvent(new Event(name));

  // Revocations as they come: by the feed, else by asking every five seconds.
  const live = document.querySelector('[data-live]');
  if (live?.dataset.live) {
    const say = (text, mood) => { if (live.textContent !== text) { live.textContent = text; live.className = `badge ${mood}`; } };
    let due = 0;
    const soon = () => { due ||= setTimeout(() => { due = 0; tell('revoked'); }, 300); };
    let asking = 0;
    const source = new EventSource(`${document.body.dataset.base}/api/revocations/stream?since=${encodeURIComponent(live.dataset.live)}`);
    source.addEventListener('open', () => { clearInterval(asking); asking = 0; say(live.dataset.on, 'good'); });
    for (const name of ['revocation', 'snapshot']) source.addEventListener(name, soon);
    source.addEventListener('heartbeat', () => tell('beat'));
    source.addEventListener('error', () => {
      say(live.dataset.off, 'care');
      asking ||= setInterval(() => { tell('revoked'); tell('beat'); }, 5000);
    });
    window.addEventListener('pagehide', () => source.close());
  }
})();
