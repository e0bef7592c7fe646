// By keyboard alone: what has the focus is seen, comes in the order of the page, and can be used.
import assert from 'node:assert/strict';
import { PERSON, step } from '../place.js';
import { BASE, browser, fresh } from './look.js';

const page = await fresh();
const focused = () => page.evaluate(() => {
  const it = document.activeElement;
  const style = getComputedStyle(it);
  const box = it.getBoundingClientRect();
  return {
    name: it.id || it.name || it.innerText || it.value,
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0,
  };
});
// Goes on until what is wanted has the focus.
async function to(wanted) {
  for (let steps = 0; steps < 40; steps += 1) {
    const it = await focused();
    if (wanted.test(it.name ?? '')) return it;
    await page.keyboard.press('Tab');
    const next = await focused();
    assert.ok(next.seen || next.name === undefined || next.name === '', `the focus is not seen at ${next.name}`);
  }
  throw new Error(`${wanted} is not reached`);
}

await step('signing in', async () => {
  await page.goto(`${BASE}/sign-in`);
  await to(/^identifier$/);
  await page.keyboard.type(PERSON.identifier);
  await to(/^password$/);
  await page.keyboard.type(PERSON.password);
  await to(/^remember$/);
  await page.keyboard.press('Space');
  await to(/^Sign in$/);
  await Promise.all([page.waitForURL('**/account*'), page.keyboard.press('Enter')]);
});

await step('the first stop skips what stands on every page', async () => {
  await page.keyboard.press('Tab');
  assert.match((await focused()).name, /Skip/);
  await page.keyboard.press('Enter');
  assert.equal(new URL(page.url()).hash, '#main');
});

await step('something that asks', async () => {
  await page.goto(`${BASE}/account`);
  await to(/^Delete the account$/);
  await page.keyboard.press('Enter');
  await to(/^delete-password$/);
  await page.keyboard.type('wrong');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  await page.getByRole('alert').first().waitFor();
});
await browser.close();
