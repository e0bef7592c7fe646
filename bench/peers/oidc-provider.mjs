// npm oidc-provider with its adapter in memory, and somebody who is signed in and has agreed: what the benchmarks of the
// sections `oauth` and `peers` measure ours beside. It prints where it listens; GET /bench/cookie tells the cookie.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [, , secret] = process.argv;
const callback = 'https://web.example/cb';
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const configuration = {
  clients: [
    { client_id: 'robot', client_secret: secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    { client_id: 'web', client_secret: secret, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], redirect_uris: [callback] },
  ],
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'bench' }] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: '', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
  // Each refresh token is used once, as ours.
  rotateRefreshToken: true,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  cookies: { keys: ['a key of a benchmark'] },
  ttl: { Interaction: 3600, Session: 3600, Grant: 3600, AccessToken: 900, AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, ClientCredentials: 900 },
};

const server = createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address();
const provider = new Provider(`http://127.0.0.1:${port}`, configuration);
const answer = provider.callback();
let cookie;
server.on('request', (request, response) => (request.url === '/bench/cookie' ? response.end(cookie) : answer(request, response)));

// Signs in and agrees, as a browser would.
const jar = new Map();
const visit = async (url, form) => {
  const body = form && new URLSearchParams(form);
  const headers = { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') };
  const got = await fetch(url, { method: body ? 'POST' : 'GET', body, headers, redirect: 'manual' });
  for (const set of got.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
    if (value) jar.set(name, value);
    else jar.delete(name);
  }
  return got.headers.get('location') ? new URL(got.headers.get('location'), url) : new URL(url);
};
const question = new URLSearchParams({
  client_id: 'web', response_type: 'code', scope: 'openid', redirect_uri: callback,
  code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', code_challenge_method: 'S256',
});
let at = await visit(`http://127.0.0.1:${port}/auth?${question}`);
const forms = [{ prompt: 'login', login: 'ada', password: 'x' }, { prompt: 'consent' }];
while (at.origin === `http://127.0.0.1:${port}`) {
  at = at.pathname.startsWith('/interaction/') ? await visit(at, forms.shift()) : await visit(at);
}
if (!at.searchParams.get('code')) throw new Error(`no code: ${at}`);
cookie = [...jar].filter(([name]) => name.startsWith('_session')).map(([name, value]) => `${name}=${value}`).join('; ');
console.log(`listening on http://127.0.0.1:${port}`);
