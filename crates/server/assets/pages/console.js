'use strict';
(() => {
  const each = (selector, then, within = document) => within.querySelectorAll(selector).forEach(then);

  // What is shown once can be copied by one press.
  each('[data-copies]', (button) => {
    button.hidden = false;
    const said = button.textContent;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = '✓';
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  });
})();
