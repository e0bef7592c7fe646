// Every page, in every look.
import { readFile } from 'node:fs/promises';
import { PERSON, step } from '../place.js';
import { browser, tour } from './look.js';

const token = 'A'.repeat(43);
const ada = { email: PERSON.identifier, password: PERSON.password };
const admin = { email: process.env.ADMIN_EMAIL, password: process.env.ADMIN_PASSWORD };
const authorize = new URLSearchParams({
  response_type: 'code', client_id: 'shop', redirect_uri: process.env.REDIRECT_URI, scope: 'openid profile email',
  state: 'x', code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
});

const NOBODY = [
  ['sign-in', '/sign-in'],
  ['register', '/register'],
  ['forgotten-password', '/forgot-password'],
  ['reset-password', `/reset-password?token=${token}`],
  ['verify-email', `/verify-email?token=${token}`],
  ['confirm-email', `/confirm-email?token=${token}`],
  ['invitation', `/invitation?token=${token}`],
  ['setup', '/setup'],
  ['sign-in-to-an-application', `/oauth/authorize?${authorize}`],
  ['device', '/device'],
  ['nothing', '/nothing', 404],
  ['no-client', '/oauth/authorize?client_id=nobody', 400],
];
const PERSON_ONLY = [
  ['account', '/account'],
  ['password', '/account/password'],
  ['devices', '/account/devices'],
  ['apps', '/account/apps'],
  ['activity', '/account/activity'],
  ['sign-out', '/sign-out'],
  ['consent', `/oauth/authorize?${authorize}`],
  ['forbidden', '/console', 403],
];
// One line a page: its name and its path.
const console_ = (await readFile(new URL('console.txt', import.meta.url), 'utf8')).trim().split('\n');

await step('nobody', () => tour(NOBODY));
await step('a person', () => tour(PERSON_ONLY, ada));
await step('an administrator', () => tour(console_.map((line) => line.split(' ')), admin));
await browser.close();
