// npm @modelcontextprotocol/sdk: a client that is told the URL of an MCP server and finds out the rest, with the SDK's own
// way to sign in. Told of a certificate, it describes itself in a document; otherwise it registers.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { UnauthorizedError, auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Browser } from './browser.js';
import { ISSUER, PERSON, refused, step } from './place.js';

const SERVER = new URL(process.env.MCP_URL);
const { CERTIFICATE, KEY } = process.env;
const MOST_TRIES = 10_000;
const browser = new Browser();

const metadata = {
  client_name: 'Agent',
  redirect_uris: ['http://localhost/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
};

// The document is at the URL that it names as its client_id.
async function describe() {
  const server = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, (request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ client_id: url, ...metadata }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  server.unref();
  const url = `https://127.0.0.1:${server.address().port}/client.json`;
  return url;
}

// What the SDK asks of an application: to keep things, and to show a page to the person.
class Application {
  redirectUrl = 'http://localhost:49152/callback';
  clientMetadata = metadata;
  kept = {};
  seen = [];

  constructor(clientMetadataUrl) {
    this.clientMetadataUrl = clientMetadataUrl;
  }

  state = () => (this.kept.state = randomUUID());
  clientInformation = () => this.kept.client;
  saveClientInformation = (client) => void (this.kept.client = client);
  tokens = () => this.kept.tokens;
  saveTokens = (tokens) => void (this.kept.tokens = tokens);
  codeVerifier = () => this.kept.verifier;
  saveCodeVerifier = (verifier) => void (this.kept.verifier = verifier);
  discoveryState = () => this.kept.discovery;
  saveDiscoveryState = (discovery) => void (this.kept.discovery = discovery);
  redirectToAuthorization = (url) => void (this.kept.page = url);
  invalidateCredentials = (which) => void (which === 'tokens' && delete this.kept.tokens);

  // The person goes through the page; the code that comes back. RFC 9207: from whom.
  async code() {
    const passed = await browser.pass(this.kept.page, [this.redirectUrl], PERSON);
    const answer = passed.url.searchParams;
    assert.equal(answer.get('state'), this.kept.state, passed.page ?? String(passed.url));
    assert.equal(answer.get('iss'), this.kept.discovery.authorizationServerMetadata.issuer);
    assert.equal(answer.get('error'), null, String(passed.url));
    this.seen = passed.seen;
    return answer.get('code');
  }
}

const application = new Application(CERTIFICATE && (await describe()));
const transport = () => new StreamableHTTPClientTransport(SERVER, { authProvider: application });
const client = () => new Client({ name: 'test', version: '1.0.0' });
const call = async (to, name, args = {}) => (await to.callTool({ name, arguments: args })).content[0].text;

await step('nobody: 401, and from there to the page to sign in', async () => {
  const error = await refused(client().connect(transport()));
  assert.ok(error instanceof UnauthorizedError, String(error));
  const { client: known, discovery, page } = application.kept;
  assert.equal(discovery.resourceMetadata.resource, SERVER.href);
  assert.equal(`${new URL(discovery.authorizationServerUrl)}`, ISSUER.href);
  assert.deepEqual(discovery.resourceMetadata.scopes_supported, ['notes:read', 'notes:write']);
  assert.equal(known.client_id, application.clientMetadataUrl ?? known.client_id);
  assert.equal(discovery.authorizationServerMetadata.client_id_metadata_document_supported, true);
  assert.equal(page.searchParams.get('client_id'), known.client_id);
  assert.equal(page.searchParams.get('resource'), SERVER.href);
  assert.equal(page.searchParams.get('scope'), 'notes:read', 'what the challenge names');
  assert.equal(page.searchParams.get('code_challenge_method'), 'S256');
});

const connected = client();
await step('sign in, agree, and call a tool', async () => {
  const first = transport();
  await first.finishAuth(await application.code());
  assert.equal(application.seen.length, 2, `sign-in and consent: ${application.seen}`);
  await connected.connect(transport());
  const { tools } = await connected.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ['list_notes', 'write_note']);
  assert.equal(await call(connected, 'list_notes'), '[]');
});

await step('the token is for that server', () => {
  const claims = JSON.parse(Buffer.from(application.kept.tokens.access_token.split('.')[1], 'base64url'));
  assert.deepEqual([claims.aud].flat(), [SERVER.href]);
  assert.equal(claims.scope, 'notes:read');
});

await step('a tool that needs more', async () => {
  const error = await refused(call(connected, 'write_note', { note: 'amphora' }));
  assert.equal(error.code, 403, String(error));
  const answer = await raw(application.kept.tokens.access_token, 'write_note');
  const challenge = answer.headers.get('www-authenticate');
  assert.match(challenge, /^Bearer resource_metadata="[^"]+", error="insufficient_scope",.* scope="notes:write"/);
  delete application.kept.tokens;
  // The SDK registers for the scopes that it knows of by then (RFC 7591 section 2).
  if (!CERTIFICATE) delete application.kept.client;
  const scope = 'notes:read notes:write';
  assert.equal(await auth(application, { serverUrl: SERVER, scope }), 'REDIRECT');
  const code = await application.code();
  assert.equal(application.seen.length, 1, `consent alone: ${application.seen}`);
  assert.equal(await auth(application, { serverUrl: SERVER, authorizationCode: code }), 'AUTHORIZED');
  assert.equal(await call(connected, 'write_note', { note: 'amphora' }), 'Noted.');
  assert.equal(await call(connected, 'list_notes'), '["amphora"]');
});

await step('a token that is good no more is refreshed on the way', async () => {
  const before = application.kept.tokens;
  application.kept.tokens = { ...before, access_token: 'worn.out.token' };
  assert.equal(await call(connected, 'list_notes'), '["amphora"]');
  assert.notEqual(application.kept.tokens.refresh_token, before.refresh_token);
});

// A call without the SDK.
function raw(token, name) {
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
  return fetch(SERVER, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify(body),
  });
}

await step('a token for another audience', async () => {
  const login = await fetch(new URL('/api/login', ISSUER), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...PERSON, transport: 'body' }),
  });
  const { accessToken } = await login.json();
  const answer = await raw(accessToken, 'list_notes');
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /error="invalid_token".* scope="notes:read"/);
});

await step('revocation', async () => {
  const { tokens, client: known, discovery } = application.kept;
  const { revocation_endpoint: endpoint } = discovery.authorizationServerMetadata;
  assert.equal((await raw(tokens.access_token, 'list_notes')).status, 200);
  const form = new URLSearchParams({ token: tokens.refresh_token, client_id: known.client_id });
  assert.equal((await fetch(endpoint, { method: 'POST', body: form })).status, 200);
  // The guard hears of it within milliseconds, and not at the same moment.
  let answer;
  for (let tries = 0; tries < MOST_TRIES && answer?.status !== 401; tries += 1) {
    answer = await raw(tokens.access_token, 'list_notes');
    await answer.arrayBuffer();
  }
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /error_description="The access token was revoked"/);
  const error = await refused(call(connected, 'list_notes'));
  assert.ok(error instanceof UnauthorizedError, String(error));
  assert.equal(application.kept.tokens, undefined, 'the refresh was refused');
});

await connected.close();
