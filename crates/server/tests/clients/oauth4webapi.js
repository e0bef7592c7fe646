// npm oauth4webapi: a public client that pushes its requests and binds its tokens to a key (DPoP).
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { Browser } from './browser.js';
import { CLIENT_ID, ISSUER, PERSON, POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, refused, step } from './place.js';

const plain = { [oauth.allowInsecureRequests]: true };
const client = { client_id: CLIENT_ID };
const none = oauth.None();
const browser = new Browser();

const as = await step('discovery', async () => {
  const one = await oauth.discoveryRequest(ISSUER, { algorithm: 'oauth2', ...plain });
  const other = await oauth.discoveryRequest(ISSUER, { algorithm: 'oidc', ...plain });
  const [oauth2, oidc] = [await oauth.processDiscoveryResponse(ISSUER, one), await oauth.processDiscoveryResponse(ISSUER, other)];
  assert.equal(oauth2.token_endpoint, oidc.token_endpoint);
  assert.ok(oidc.pushed_authorization_request_endpoint && oidc.dpop_signing_alg_values_supported.includes('ES256'));
  assert.deepEqual(oidc.code_challenge_methods_supported, ['S256']);
  return oidc;
});
const key = await oauth.generateKeyPair('ES256');
const DPoP = oauth.DPoP(client, key);
const bound = { DPoP, ...plain };

// A server that wants a nonce in proofs says so once.
async function answered(send, read) {
  const response = await send();
  try {
    return await read(response);
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return read(await send());
  }
}

const tokens = await step('pushed request, sign in, code', async () => {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const parameters = new URLSearchParams({
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'openid email offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
  });
  const pushed = await answered(
    () => oauth.pushedAuthorizationRequest(as, client, none, parameters, bound),
    (response) => oauth.processPushedAuthorizationResponse(as, client, response),
  );
  const url = new URL(as.authorization_endpoint);
  url.searchParams.set('client_id', CLIENT_ID);
  url.searchParams.set('request_uri', pushed.request_uri);
  const passed = await browser.pass(url, [REDIRECT_URI], PERSON);
  const callback = oauth.validateAuthResponse(as, client, passed.url, state);
  return answered(
    () => oauth.authorizationCodeGrantRequest(as, client, none, callback, REDIRECT_URI, verifier, bound),
    (response) => oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true }),
  );
});
const claims = oauth.getValidatedIdTokenClaims(tokens);

await step('the tokens are bound', () => {
  assert.equal(tokens.token_type, 'dpop');
  assert.ok(JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url')).cnf.jkt);
});

await step('userinfo', async () => {
  const person = await answered(
    () => oauth.userInfoRequest(as, client, tokens.access_token, bound),
    (response) => oauth.processUserInfoResponse(as, client, claims.sub, response),
  );
  assert.equal(person.email, PERSON.identifier);
});

await step('a bound token is no bearer token', async () => {
  const response = await oauth.userInfoRequest(as, client, tokens.access_token, plain);
  const error = await refused(oauth.processUserInfoResponse(as, client, claims.sub, response));
  assert.equal(error.status ?? response.status, 401);
});

const next = await step('refresh', () => answered(
  () => oauth.refreshTokenGrantRequest(as, client, none, tokens.refresh_token, bound),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
));

await step('a refresh by another key', async () => {
  const thief = { DPoP: oauth.DPoP(client, await oauth.generateKeyPair('ES256')), ...plain };
  const error = await refused(answered(
    () => oauth.refreshTokenGrantRequest(as, client, none, next.refresh_token, thief),
    (response) => oauth.processRefreshTokenResponse(as, client, response),
  ));
  assert.ok(['invalid_grant', 'invalid_dpop_proof'].includes(error.error), error.error);
});

await step('revocation', async () => {
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, none, next.refresh_token, plain));
  const response = await oauth.userInfoRequest(as, client, next.access_token, bound);
  assert.equal(response.status, 401);
});

await step('logout', async () => {
  const url = new URL(as.end_session_endpoint);
  url.searchParams.set('id_token_hint', tokens.id_token);
  url.searchParams.set('post_logout_redirect_uri', POST_LOGOUT_REDIRECT_URI);
  const passed = await browser.pass(url, [POST_LOGOUT_REDIRECT_URI], PERSON);
  assert.equal(passed.url.href, POST_LOGOUT_REDIRECT_URI, passed.page);
});
