// npm oidc-client-ts in Chromium: a public client that is a page, whose calls are cross-origin ones.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { CLIENT_ID, ISSUER, PERSON, step } from './place.js';

const here = (name) => new URL(name, import.meta.url);
const script = await readFile(here('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js'));
const template = await readFile(here('oidc-client-ts.html'), 'utf8');
const server = createServer((request, response) => {
  const isScript = request.url.endsWith('.js');
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
  response.end(isScript ? script : html);
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${server.address().port}`;
const settings = {
  authority: ISSUER.href.replace(/\/$/, ''),
  client_id: CLIENT_ID,
  redirect_uri: `${origin}/callback`,
  popup_redirect_uri: `${origin}/callback`,
  post_logout_redirect_uri: `${origin}/goodbye`,
  scope: 'openid profile email offline_access',
  loadUserInfo: true,
  automaticSilentRenew: false,
};
const html = template.replace('SETTINGS', encodeURIComponent(JSON.stringify(settings)));

// Whoever started this makes the client once it knows the origin.
console.log(origin);
await once(process.stdin, 'data');
process.stdin.unref?.();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const context = await browser.newContext({ locale: 'en-GB' });
const page = await context.newPage();
const said = [];
context.on('console', (message) => said.push(message.text()));
context.on('requestfailed', (request) => said.push(`${request.method()} ${request.url()}: ${request.failure()?.errorText}`));

// A page at loopback is asked about each time: any program could be there (RFC 8252 section 8.6).
async function passes(where) {
  await where.getByLabel('E-mail address or username').fill(PERSON.identifier);
  await where.getByLabel('Password').fill(PERSON.password);
  await where.getByRole('button', { name: 'Sign in' }).click();
  await where.getByRole('button', { name: 'Allow', exact: true }).click();
}

const acts = {
  'sign in': async () => {
    await page.goto(origin);
    await page.evaluate(() => { void window.app.signinRedirect(); });
    await passes(page);
    await page.waitForURL((url) => url.href.startsWith(settings.redirect_uri));
    const user = await page.evaluate(() => window.app.signinCallback());
    assert.equal(user.profile.email, PERSON.identifier);
    assert.ok(user.refresh_token && user.access_token);
  },
  refresh: async () => {
    const [before, after] = await page.evaluate(async () => {
      const before = await window.app.getUser();
      return [before, await window.app.signinSilent()];
    });
    assert.equal(after.profile.sub, before.profile.sub);
    assert.notEqual(after.access_token, before.access_token);
    assert.notEqual(after.refresh_token, before.refresh_token);
  },
  'sign in again, in a window of its own': async () => {
    const opened = page.waitForEvent('popup');
    const done = page.evaluate(() => window.app.signinPopup({ prompt: 'login' }));
    const popup = await opened;
    await passes(popup);
    await popup.waitForURL((url) => url.href.startsWith(settings.redirect_uri));
    await popup.evaluate(() => { void window.app.signinPopupCallback(); });
    const user = await done;
    assert.equal(user.profile.email, PERSON.identifier);
  },
  revocation: async () => {
    const user = await page.evaluate(async () => {
      const user = await window.app.getUser();
      await window.app.revokeTokens(['access_token', 'refresh_token']);
      return user;
    });
    const status = await page.evaluate(async ([url, token]) => {
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      return response.status;
    }, [`${settings.authority}/oauth/userinfo`, user.access_token]);
    assert.equal(status, 401);
  },
  logout: async () => {
    await page.evaluate(() => { void window.app.signoutRedirect(); });
    await page.waitForURL((url) => url.href.startsWith(settings.post_logout_redirect_uri));
    assert.equal(await page.evaluate(() => window.app.getUser()), null);
  },
};

for (const [name, act] of Object.entries(acts)) {
  await step(name, async () => {
    try {
      await act();
    } catch (error) {
      const pages = await Promise.all(context.pages().map(async (one) => `${one.url()}\n${await one.content()}`));
      console.error(said.join('\n'), pages.join('\n'));
      throw error;
    }
  });
}
await browser.close();
server.close();
