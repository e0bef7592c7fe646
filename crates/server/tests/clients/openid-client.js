// npm openid-client: a confidential client, from discovery to logout.
import assert from 'node:assert/strict';
import * as client from 'openid-client';
import { Browser } from './browser.js';
import { CLIENT_ID, ISSUER, PERSON, POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, refused, secret, step } from './place.js';

const METHODS = { basic: client.ClientSecretBasic, post: client.ClientSecretPost };
const method = METHODS[process.env.METHOD ?? 'basic'];
const SCOPE = 'openid profile email offline_access';
const browser = new Browser();

const config = await step('discovery', () =>
  client.discovery(ISSUER, CLIENT_ID, undefined, method(secret()), { execute: [client.allowInsecureRequests] }));

async function signIn(more = {}, decision = 'allow') {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...more,
  });
  const passed = await browser.pass(url, [REDIRECT_URI], PERSON, decision);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const posted = () => new Request(REDIRECT_URI, { method: 'POST', body: new URLSearchParams(passed.form) });
  const tokens = () => client.authorizationCodeGrant(config, passed.form ? posted() : passed.url, checks);
  return { ...passed, tokens };
}

const first = await step('sign in', async () => {
  const passed = await signIn();
  assert.equal(passed.url.searchParams.get('iss'), ISSUER.href.replace(/\/$/, ''), String(passed.url));
  assert.equal(passed.seen.length, 2, `sign-in and consent: ${passed.seen}`);
  return passed.tokens();
});
const claims = first.claims();

await step('the ID token', () => {
  assert.equal(claims.aud, CLIENT_ID);
  assert.equal(typeof claims.auth_time, 'number');
  assert.equal(typeof claims.sid, 'string');
  assert.equal(first.token_type, 'bearer');
  assert.ok(first.expires_in > 0 && first.refresh_token && first.scope.split(' ').includes('openid'));
});

await step('userinfo', async () => {
  const person = await client.fetchUserInfo(config, first.access_token, claims.sub);
  assert.equal(person.email, PERSON.identifier);
});

await step('single sign-on, without a page', async () => {
  const passed = await signIn({ prompt: 'none' });
  assert.deepEqual(passed.seen, []);
  const again = await passed.tokens();
  assert.equal(again.claims().sub, claims.sub);
});

await step('an answer as a form', async () => {
  const passed = await signIn({ prompt: 'none', response_mode: 'form_post' });
  assert.equal(passed.seen.length, 1, 'the page that sends itself off');
  const again = await passed.tokens();
  assert.equal(again.claims().sub, claims.sub);
});

await step('asked again, and denied', async () => {
  const passed = await signIn({ prompt: 'consent' }, 'deny');
  assert.equal(passed.seen.length, 1, String(passed.seen));
  const error = await refused(passed.tokens());
  assert.equal(error.error, 'access_denied');
});

await step('a sign-in that is too old', async () => {
  const passed = await signIn({ max_age: '0' });
  assert.ok(passed.seen.length >= 1, 'the password is asked for again');
  const again = await passed.tokens();
  assert.ok(again.claims().auth_time >= claims.auth_time);
});

await step('a code is good once', async () => {
  const passed = await signIn({ prompt: 'none' });
  const tokens = await passed.tokens();
  const error = await refused(passed.tokens());
  assert.equal(error.error, 'invalid_grant');
  const dead = await refused(client.fetchUserInfo(config, tokens.access_token, claims.sub));
  assert.equal(dead.status ?? dead.cause?.status ?? dead.response?.status, 401, 'its tokens died');
});

const second = await step('refresh', async () => {
  const tokens = await client.refreshTokenGrant(config, first.refresh_token);
  assert.ok(tokens.refresh_token !== first.refresh_token && tokens.access_token !== first.access_token);
  assert.equal(tokens.claims()?.sub ?? claims.sub, claims.sub);
  return tokens;
});

await step('introspection', async () => {
  const active = await client.tokenIntrospection(config, second.access_token);
  assert.equal(active.active, true);
  assert.equal(active.client_id, CLIENT_ID);
  assert.deepEqual(await client.tokenIntrospection(config, 'nonsense'), { active: false });
});

await step('client credentials', async () => {
  const own = await client.clientCredentialsGrant(config, {});
  assert.equal(own.refresh_token, undefined);
  const introspected = await client.tokenIntrospection(config, own.access_token);
  assert.equal(introspected.sub, CLIENT_ID);
});

await step('a device', async () => {
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid' });
  const polling = client.pollDeviceAuthorizationGrant(config, device);
  const passed = await browser.pass(device.verification_uri_complete ?? device.verification_uri, [], PERSON);
  assert.equal(passed.status, 200, passed.page);
  const tokens = await polling;
  assert.ok(tokens.access_token);
});

await step('revocation', async () => {
  await client.tokenRevocation(config, second.refresh_token, { token_type_hint: 'refresh_token' });
  const error = await refused(client.refreshTokenGrant(config, second.refresh_token));
  assert.equal(error.error, 'invalid_grant');
  await refused(client.fetchUserInfo(config, second.access_token, claims.sub));
  assert.deepEqual(await client.tokenIntrospection(config, second.access_token), { active: false });
});

await step('logout', async () => {
  const url = client.buildEndSessionUrl(config, {
    id_token_hint: first.id_token,
    post_logout_redirect_uri: POST_LOGOUT_REDIRECT_URI,
    state: 'bye',
  });
  const passed = await browser.pass(url, [POST_LOGOUT_REDIRECT_URI], PERSON);
  assert.equal(passed.url.href, `${POST_LOGOUT_REDIRECT_URI}?state=bye`, passed.page);
  const after = await signIn({ prompt: 'none' });
  assert.equal(after.url.searchParams.get('error'), 'login_required', String(after.url));
});
