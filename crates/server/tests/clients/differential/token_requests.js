// The token endpoint.
import { CALLBACK, RESOURCE, VERIFIER, noise } from './side.js';

const TOKEN = 'token_endpoint';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const asks = (parameters, headers) => (side) => side.post(TOKEN, parameters, headers?.(side));
const as = (id, secret) => (side) => side.basic(id, secret);
const written = (authorization) => () => ({ authorization });
const bare = (init, query) => (side) => side.send(TOKEN, init, query);
const base64 = (text) => Buffer.from(text).toString('base64');
const JSON_TYPE = { 'content-type': 'application/json' };

// With a fresh code of the public client.
const exchanges = (change, headers) => async (side) => side.post(TOKEN, side.exchange(await side.code(), change), headers?.(side));
// With a fresh refresh token of the public client.
const refreshes = (change) => async (side) => {
  const { refresh_token: token } = await side.tokens();
  return side.post(TOKEN, { grant_type: 'refresh_token', refresh_token: token, client_id: 'app', ...change });
};
const machine = (change, headers = as('robot')) => asks({ grant_type: 'client_credentials', ...change }, headers);

export const REQUESTS = {
  'no body': asks({}),
  'no body, a client': asks({}, as('web')),
  'grant_type missing': asks({ code: 'x', client_id: 'app' }),
  'grant_type empty': asks({ grant_type: '', client_id: 'app' }),
  'grant_type unknown': asks({ grant_type: 'pigeon', client_id: 'app' }),
  'grant_type twice': asks({ grant_type: ['refresh_token', 'refresh_token'], client_id: 'app' }),
  'grant_type password': asks({ grant_type: 'password', username: 'a', password: 'b', client_id: 'app' }),
  'grant_type implicit': asks({ grant_type: 'implicit', client_id: 'app' }),
  'token exchange': asks({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }, as('web')),
  'grant_type that the client has not': asks({ grant_type: 'client_credentials' }, as('web')),
  'as JSON': bare({ method: 'POST', body: '{"grant_type":"client_credentials"}', headers: JSON_TYPE }),
  'as text': bare({ method: 'POST', body: 'grant_type=client_credentials', headers: { 'content-type': 'text/plain' } }),
  'by GET': bare({}, '?grant_type=client_credentials'),
  'by PUT': bare({ method: 'PUT' }),
  'a body of 200,000 bytes': asks({ grant_type: 'refresh_token', client_id: 'app', refresh_token: 'x', pigeon: noise(200_000) }),
};

export const CLIENTS = {
  'nobody': asks({ grant_type: 'client_credentials' }),
  'client_id unknown': asks({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'nobody' }),
  'client_id empty': asks({ grant_type: 'refresh_token', refresh_token: 'x', client_id: '' }),
  'client_id twice': asks({ grant_type: 'refresh_token', refresh_token: 'x', client_id: ['app', 'app'] }),
  'a wrong secret in the header': machine({}, as('robot', 'wrong')),
  'a wrong secret in the body': machine({ client_id: 'post', client_secret: 'wrong' }, () => ({})),
  'an empty secret': machine({}, as('robot', '')),
  'a secret in the body of a client of the header': (side) => machine({ client_id: 'robot', client_secret: side.secrets.robot }, () => ({}))(side),
  'a secret in the header of a client of the body': (side) => side.post(TOKEN, { grant_type: 'refresh_token', refresh_token: 'x' }, side.basic('post')),
  'a secret in both': (side) => machine({ client_id: 'robot', client_secret: side.secrets.robot })(side),
  'another client_id in the body': machine({ client_id: 'web' }),
  'the same client_id in the body': machine({ client_id: 'robot' }),
  'a secret in the query': (side) => side.send(TOKEN, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials' }) }, `?client_id=post&client_secret=${side.secrets.post}`),
  'a public client with a secret': asks({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'app', client_secret: 'x' }),
  'a client with a secret that sends none': machine({ client_id: 'robot' }, () => ({})),
  'Basic that is no base64': machine({}, written('Basic @@@')),
  'Basic without a colon': machine({}, written(`Basic ${base64('robot')}`)),
  'Basic without anything': machine({}, written('Basic ')),
  'Bearer instead': machine({}, written('Bearer x')),
  'a scheme that nobody knows': machine({}, written('Pigeon x')),
  'client_assertion of no type': machine({ client_assertion: 'x' }, () => ({})),
  'client_assertion of an unknown type': machine({ client_assertion: 'x', client_assertion_type: 'pigeon', client_id: 'robot' }, () => ({})),
  'client_assertion that is no JWT': machine({ client_assertion: 'x', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_id: 'robot' }, () => ({})),
};

export const CODES = {
  'code missing': asks({ grant_type: 'authorization_code', redirect_uri: CALLBACK, code_verifier: VERIFIER, client_id: 'app' }),
  'code unknown': (side) => side.post(TOKEN, side.exchange('nonsense')),
  'code twice in a request': (side) => side.post(TOKEN, side.exchange(['a', 'b'])),
  'a good code': exchanges({}),
  'a code a second time': async (side) => {
    const request = side.exchange(await side.code());
    await side.post(TOKEN, request);
    return side.post(TOKEN, request);
  },
  'a code of another client': exchanges({ client_id: undefined }, as('web')),
  'redirect_uri missing': exchanges({ redirect_uri: undefined }),
  'redirect_uri wrong': exchanges({ redirect_uri: 'https://evil.example.com/' }),
  'code_verifier missing': exchanges({ code_verifier: undefined }),
  'code_verifier wrong': exchanges({ code_verifier: `${VERIFIER}x` }),
  'code_verifier too short': exchanges({ code_verifier: 'short' }),
  'code_verifier with a space': exchanges({ code_verifier: `${VERIFIER} x` }),
  'code_verifier twice': exchanges({ code_verifier: [VERIFIER, VERIFIER] }),
  'a wrong verifier, then the right one': async (side) => {
    const code = await side.code();
    await side.post(TOKEN, side.exchange(code, { code_verifier: `${VERIFIER}x` }));
    return side.post(TOKEN, side.exchange(code));
  },
  'resource unknown': exchanges({ resource: 'https://other.example.com/' }),
  'resource that was not agreed to': exchanges({ resource: RESOURCE }),
  'a proof of possession that is none': exchanges({}, () => ({ dpop: 'nonsense' })),
};

export const OTHERS = {
  'refresh_token missing': asks({ grant_type: 'refresh_token', client_id: 'app' }),
  'refresh_token unknown': asks({ grant_type: 'refresh_token', refresh_token: 'nonsense', client_id: 'app' }),
  'refresh_token empty': asks({ grant_type: 'refresh_token', refresh_token: '', client_id: 'app' }),
  'a good refresh_token': refreshes({}),
  'a refresh_token of another client': async (side) => {
    const { refresh_token: token } = await side.tokens();
    return side.post(TOKEN, { grant_type: 'refresh_token', refresh_token: token }, side.basic('web'));
  },
  'a refresh with a scope more': refreshes({ scope: 'openid email' }),
  'a refresh with a scope that is none': refreshes({ scope: '"' }),
  'a refresh with an unknown resource': refreshes({ resource: 'https://other.example.com/' }),
  'an access token as refresh_token': async (side) => {
    const { access_token: token } = await side.tokens();
    return side.post(TOKEN, { grant_type: 'refresh_token', refresh_token: token, client_id: 'app' });
  },
  'a refresh_token a second time, at once': async (side) => {
    const { refresh_token: token } = await side.tokens();
    const request = { grant_type: 'refresh_token', refresh_token: token, client_id: 'app' };
    await side.post(TOKEN, request);
    return side.post(TOKEN, request);
  },
  'a client for itself': machine({}),
  'a client for itself, scope openid': machine({ scope: 'openid' }),
  'a client for itself, scope unknown': machine({ scope: 'nonsense:read' }),
  'a client for itself, resource unknown': machine({ resource: 'https://other.example.com/' }),
  'a public client for itself': machine({ client_id: 'app' }, () => ({})),
  'device_code missing': asks({ grant_type: DEVICE, client_id: 'tv' }),
  'device_code unknown': asks({ grant_type: DEVICE, device_code: 'nonsense', client_id: 'tv' }),
  'device_code that waits': async (side) => {
    const { device_code: code } = await side.json('device_authorization_endpoint', { client_id: 'tv' });
    return side.post(TOKEN, { grant_type: DEVICE, device_code: code, client_id: 'tv' });
  },
  'device_code of another client': async (side) => {
    const { device_code: code } = await side.json('device_authorization_endpoint', { client_id: 'tv' });
    return side.post(TOKEN, { grant_type: DEVICE, device_code: code, client_id: 'app' });
  },
};
