// The same malformed requests to Symbolon and to node-oidc-provider (npm oidc-provider): status and error are compared, and
// every difference is one that docs/differences.md lists and argues for.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { AUTHORIZE, LOGOUT } from './differential/browser_requests.js';
import { DEVICE, INTROSPECT, PAR, REGISTER, REVOKE, USERINFO } from './differential/back_requests.js';
import { start } from './differential/other.js';
import { Side } from './differential/side.js';
import { CLIENTS, CODES, OTHERS, REQUESTS } from './differential/token_requests.js';
import { ISSUER, PERSON, step } from './place.js';

const DOCUMENT = new URL('../../../../docs/differences.md', import.meta.url);
const SECTIONS = {
  authorize: AUTHORIZE,
  token: REQUESTS,
  'client authentication': CLIENTS,
  code: CODES,
  'other grants': OTHERS,
  introspect: INTROSPECT,
  revoke: REVOKE,
  userinfo: USERINFO,
  par: PAR,
  device: DEVICE,
  register: REGISTER,
  logout: LOGOUT,
};

// The rows of the document: `section: case` | ours | theirs | why.
function listed() {
  const rows = readFileSync(DOCUMENT, 'utf8').split('\n').filter((line) => line.startsWith('| `'));
  return new Map(rows.map((row) => {
    const [, name, ours, theirs, why] = row.split('|').map((cell) => cell.trim());
    assert.ok(why, `no argument: ${row}`);
    return [name.slice(1, -1), `${ours} | ${theirs}`];
  }));
}

const other = await start();
const [ours, theirs] = await step('discovery', () => Promise.all([
  Side.discover({ issuer: ISSUER.href.replace(/\/$/, ''), secrets: JSON.parse(process.env.SECRETS) }, PERSON),
  Side.discover(other, { ...PERSON, login: 'ada' }),
]));

const found = new Map();
let compared = 0;
for (const [section, cases] of Object.entries(SECTIONS)) {
  for (const [name, ask] of Object.entries(cases)) {
    const whole = `${section}: ${name}`;
    const [our, their] = await step(whole, async () => [await ask(ours), await ask(theirs)]);
    compared += 1;
    if (our !== their) found.set(whole, `${our} | ${their}`);
  }
}
other.stop();

const known = listed();
const wrong = [];
for (const [name, words] of found) if (known.get(name) !== words) wrong.push(`| \`${name}\` | ${words} | listed: ${known.get(name)} |`);
for (const [name, words] of known) if (!found.has(name)) wrong.push(`no difference any more: \`${name}\` ${words}`);
await step('every difference is listed', () => {
  assert.ok(compared >= 80, `${compared} requests`);
  assert.deepEqual(wrong, [], wrong.join('\n'));
});
console.log(`${compared} requests, ${found.size} differences`);
process.exit(0);
