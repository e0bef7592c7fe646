// The other server: npm oidc-provider with its in-memory adapter, on loopback, with the clients that Symbolon has.
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider, { errors } from 'oidc-provider';
import { CALLBACK, GOODBYE, RESOURCE } from './side.js';

const SECRET = 'a-secret-of-a-test-that-is-long-enough';
const common = { redirect_uris: [CALLBACK], post_logout_redirect_uris: [GOODBYE] };
const code = { ...common, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] };
const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] };

const clients = [
  { client_id: 'app', token_endpoint_auth_method: 'none', ...code },
  { client_id: 'web', client_secret: SECRET, ...code },
  { client_id: 'post', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post', ...code },
  { client_id: 'robot', client_secret: SECRET, ...machine },
  { client_id: 'tv', token_endpoint_auth_method: 'none', grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'], response_types: [], redirect_uris: [] },
];

const configuration = {
  clients,
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  features: {
    claimsParameter: { enabled: true },
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
    introspection: { enabled: true },
    registration: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => {
        if (resource !== RESOURCE) throw new errors.InvalidTarget();
        return { scope: 'openid email', audience: resource };
      },
    },
  },
  pkce: { required: () => true },
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  enableHttpPostMethods: true,
  responseTypes: ['code'],
  cookies: { keys: ['a key of a test'], long: { sameSite: 'none' } },
  ttl: { Interaction: 600, Session: 600, Grant: 600 },
};

// Where it is, and the secrets of its clients.
export async function start() {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'test' };
  const provider = new Provider(issuer, { ...configuration, jwks: { keys: [jwk] } });
  server.on('request', provider.callback());
  return { issuer, secrets: { web: SECRET, post: SECRET, robot: SECRET }, stop: () => server.close() };
}
