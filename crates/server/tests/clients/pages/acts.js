// What people do on the pages, one after another: with scripts, and without where SCRIPTS is `off`.
import assert from 'node:assert/strict';
import { PERSON, step } from '../place.js';
import { BASE, browser, fresh, look, signIn } from './look.js';

const javaScriptEnabled = process.env.SCRIPTS !== 'off';
const NEW_PASSWORD = 'copper-lantern orbit 9';
const admin = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };
const page = await fresh({ javaScriptEnabled, viewport: { width: 390, height: 844 } });

// Presses a button and waits for the page behind it.
async function press(name, within = page) {
  const button = within.getByRole('button', { name, exact: true }).last();
  await Promise.all([page.waitForNavigation(), button.click()]);
}
// Opens what asks, and agrees.
async function agree(question, answer = question, within = page) {
  await within.locator('summary', { hasText: question }).first().click();
  await press(answer, within);
}
const heading = () => page.locator('h1').innerText();
const said = (text) => page.getByRole('status').filter({ hasText: text }).waitFor();

await step('what is wrong is said beside the fields, and what was typed is kept', async () => {
  await page.goto(`${BASE}/register`);
  await page.fill('#email', 'grace@example.com');
  await page.fill('#name', 'Grace');
  await page.fill('#password', 'password');
  await press('Create the account');
  assert.equal(await page.inputValue('#email'), 'grace@example.com');
  assert.equal(await page.inputValue('#name'), 'Grace');
  assert.equal(await page.inputValue('#password'), '');
  assert.equal(await page.getAttribute('#password', 'aria-invalid'), 'true');
  const described = (await page.getAttribute('#password', 'aria-describedby')).split(' ').pop();
  assert.match(await page.locator(`#${described}`).innerText(), /common/);
  await look(page, 'register-faulty');
});

await step('an account is made, and its owner is signed in', async () => {
  await page.fill('#password', PERSON.password);
  await press('Create the account');
  assert.equal(new URL(page.url()).pathname, '/account');
});

await step('the profile', async () => {
  await page.fill('#username', 'grace');
  await press('Save');
  await said('saved');
  assert.equal(await page.inputValue('#username'), 'grace');
});

await step('a wrong password', async () => {
  await page.goto(`${BASE}/account/password`);
  await page.fill('#currentPassword', 'something else entirely');
  await page.fill('#newPassword', NEW_PASSWORD);
  await page.fill('#repeatedPassword', NEW_PASSWORD);
  await press('Change the password');
  await page.getByRole('alert').filter({ hasText: 'not your password' }).waitFor();
});

await step('another device is signed out', async () => {
  const other = await fresh();
  await signIn(other, 'grace', PERSON.password);
  await page.goto(`${BASE}/account/devices`);
  await look(page, 'devices-two');
  await agree('Sign out all others');
  await said('signed out');
  await other.goto(`${BASE}/account`);
  assert.match(other.url(), /sign-in/);
  await other.context().close();
});

await step('a password is changed', async () => {
  await page.goto(`${BASE}/account/password`);
  await page.fill('#currentPassword', PERSON.password);
  await page.fill('#newPassword', NEW_PASSWORD);
  await page.fill('#repeatedPassword', NEW_PASSWORD);
  await press('Change the password');
  await said('changed');
});

await step('a form is sent after the session ended: nothing is lost', async () => {
  await page.goto(`${BASE}/account`);
  await page.fill('#name', 'Grace Hopper');
  await page.context().clearCookies();
  await press('Save');
  assert.equal(await heading(), 'Sign in');
  await look(page, 'sign-in-again');
  await page.fill('#identifier', 'grace@example.com');
  await page.fill('#password', NEW_PASSWORD);
  await press('Sign in');
  await look(page, 'resume');
  await press('Send it now');
  await said('saved');
  assert.equal(await page.inputValue('#name'), 'Grace Hopper');
});

await step('the language', async () => {
  await page.goto(`${BASE}/account`);
  await page.selectOption('#lang', 'de');
  await press('Choose');
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  await page.context().addCookies([{ name: 'symbolon-language', value: 'en', url: BASE }]);
});

await step('the account is deleted', async () => {
  await page.goto(`${BASE}/account`);
  await page.locator('summary', { hasText: 'Delete the account' }).click();
  await page.fill('#delete-password', NEW_PASSWORD);
  await press('Delete my account for ever');
  assert.match(await heading(), /deleted/);
  await look(page, 'deleted');
});

await step('a client is made by the wizard, changed, disabled and deleted', async () => {
  await signIn(page, admin.email, admin.password);
  await page.goto(`${BASE}/console/clients/new`);
  await page.getByRole('link', { name: /Web application/ }).click();
  await page.fill('#name', 'Book store');
  await page.fill('#id', 'books');
  await page.fill('#redirectUris', 'not a URI');
  await press('Create the client');
  assert.equal(await page.inputValue('#name'), 'Book store');
  assert.equal(await page.getAttribute('#redirectUris', 'aria-invalid'), 'true');
  await page.fill('#redirectUris', 'https://books.example.com/callback');
  await page.check('input[value="fastapi"]');
  await press('Create the client');
  assert.match(await page.locator('#secret').innerText(), /^sbs_/);
  assert.match(await page.locator('#code').innerText(), /authlib[\s\S]*books\.example\.com/);
  await look(page, 'client-made');
  await page.goto(`${BASE}/console/client/books`);
  await page.fill('#name', 'Books');
  await press('Save');
  await said('saved');
  await press('Add a secret');
  assert.match(await page.locator('#secret').innerText(), /^sbs_/);
  await agree('Disable');
  await said('disabled');
  await press('Enable');
  await agree('Delete the client');
  await said('deleted');
});

await step('an account is made on the way to an application', async () => {
  const other = await fresh({ javaScriptEnabled });
  const callback = process.env.REDIRECT_URI;
  const asked = new URLSearchParams({
    response_type: 'code', client_id: 'own', redirect_uri: callback, scope: 'openid', state: 'x',
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
  });
  await other.goto(`${BASE}/oauth/authorize?${asked}`);
  await other.getByRole('link', { name: 'Create an account' }).click();
  await other.fill('#email', 'joan@example.com');
  await other.fill('#password', PERSON.password);
  const arrives = other.waitForRequest((request) => request.url().startsWith(callback));
  await other.press('#password', 'Enter');
  assert.ok(new URL((await arrives).url()).searchParams.get('code'));
  await other.context().close();
});

await step('signing out', async () => {
  await page.goto(`${BASE}/account`);
  await press('Sign out');
  assert.match(await heading(), /signed out/);
  await page.goto(`${BASE}/account`);
  assert.match(page.url(), /sign-in/);
});
await browser.close();
