// npm openid-client and jose: a client that is told, server to server, that somebody has signed out.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as jose from 'jose';
import * as client from 'openid-client';
import { Browser } from './browser.js';
import { CLIENT_ID, ISSUER, PERSON, REDIRECT_URI, step } from './place.js';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

// Fails the first time, as a client that is being restarted.
const posts = [];
const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  posts.push({ method: request.method, type: request.headers['content-type'], body: Buffer.concat(chunks).toString() });
  response.writeHead(posts.length === 1 ? 503 : 200, { 'cache-control': 'no-store' }).end();
  server.emit('told');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

// Whoever started this makes the client once it knows where it is told.
console.log(`http://127.0.0.1:${server.address().port}/backchannel-logout`);
await once(process.stdin, 'data');
process.stdin.unref?.();

const browser = new Browser();
const config = await step('discovery', () =>
  client.discovery(ISSUER, CLIENT_ID, undefined, client.None(), { execute: [client.allowInsecureRequests] }));

const claims = await step('sign in', async () => {
  const verifier = client.randomPKCECodeVerifier();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'openid',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const passed = await browser.pass(url, [REDIRECT_URI], PERSON, 'allow');
  const tokens = await client.authorizationCodeGrant(config, passed.url, { pkceCodeVerifier: verifier, idTokenExpected: true });
  return { ...tokens.claims(), hint: tokens.id_token };
});

await step('sign out', async () => {
  assert.equal(config.serverMetadata().backchannel_logout_supported, true);
  assert.equal(config.serverMetadata().backchannel_logout_session_supported, true);
  assert.equal(posts.length, 0);
  const passed = await browser.pass(client.buildEndSessionUrl(config, { id_token_hint: claims.hint }), [], PERSON);
  assert.equal(passed.status, 200, passed.page);
});

// OpenID Connect Back-Channel Logout 1.0 section 2.6.
async function validated({ method, type, body }) {
  assert.equal(method, 'POST');
  assert.equal(type, 'application/x-www-form-urlencoded');
  const form = new URLSearchParams(body);
  assert.deepEqual([...form.keys()], ['logout_token']);
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
  const { payload } = await jose.jwtVerify(form.get('logout_token'), keys, {
    issuer: config.serverMetadata().issuer,
    audience: CLIENT_ID,
    typ: 'logout+jwt',
    algorithms: config.serverMetadata().id_token_signing_alg_values_supported,
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events', 'sub', 'sid'],
    maxTokenAge: '2 minutes',
  });
  assert.deepEqual(payload.events, { [EVENT]: {} });
  assert.ok(!('nonce' in payload));
  assert.ok(payload.exp - payload.iat <= 120);
  assert.equal(payload.sid, claims.sid);
  assert.equal(payload.sub, claims.sub);
  return payload;
}

await step('told, and told again', async () => {
  while (posts.length < 2) await once(server, 'told', { signal: AbortSignal.timeout(60_000) });
  const [first, second] = [await validated(posts[0]), await validated(posts[1])];
  assert.notEqual(first.jti, second.jti);
});

server.close();
server.closeAllConnections();
