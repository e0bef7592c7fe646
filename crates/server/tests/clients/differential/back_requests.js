// The endpoints that clients call themselves, apart from the token endpoint.
import { CALLBACK, RESOURCE, form } from './side.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const asks = (endpoint) => (parameters, headers) => (side) => side.post(endpoint, parameters, headers?.(side));
const bare = (endpoint) => (init, query) => (side) => side.send(endpoint, init, query);
const as = (id, secret) => (side) => side.basic(id, secret);

const introspects = asks('introspection_endpoint');
export const INTROSPECT = {
  'a good token': async (side) => side.post('introspection_endpoint', { token: await side.machine() }, side.basic('robot')),
  'token missing': introspects({}, as('robot')),
  'token empty': introspects({ token: '' }, as('robot')),
  'token unknown': introspects({ token: 'nonsense' }, as('robot')),
  'token twice': introspects({ token: ['a', 'b'] }, as('robot')),
  'token_type_hint unknown': introspects({ token: 'nonsense', token_type_hint: 'pigeon' }, as('robot')),
  'nobody': introspects({ token: 'nonsense' }),
  'a public client': introspects({ token: 'nonsense', client_id: 'app' }),
  'a wrong secret': introspects({ token: 'nonsense' }, as('robot', 'wrong')),
  'a token of another client': async (side) => side.post('introspection_endpoint', { token: await side.machine() }, side.basic('web')),
  'an ID token': async (side) => side.post('introspection_endpoint', { token: (await side.tokens('web')).id_token }, side.basic('web')),
  'as JSON': bare('introspection_endpoint')({ method: 'POST', body: '{"token":"x"}', headers: JSON_TYPE }),
  'by GET': bare('introspection_endpoint')({}, '?token=x'),
};

const revokes = asks('revocation_endpoint');
export const REVOKE = {
  'a good token': async (side) => side.post('revocation_endpoint', { token: await side.machine() }, side.basic('robot')),
  'token missing': revokes({}, as('robot')),
  'token unknown': revokes({ token: 'nonsense' }, as('robot')),
  'token twice': revokes({ token: ['a', 'b'] }, as('robot')),
  'token_type_hint unknown': revokes({ token: 'nonsense', token_type_hint: 'pigeon' }, as('robot')),
  'nobody': revokes({ token: 'nonsense' }),
  'a public client': revokes({ token: 'nonsense', client_id: 'app' }),
  'a wrong secret': revokes({ token: 'nonsense' }, as('robot', 'wrong')),
  'a token of another client': async (side) => side.post('revocation_endpoint', { token: await side.machine() }, side.basic('web')),
  'a token of another client, by a public one': async (side) => side.post('revocation_endpoint', { token: await side.machine(), client_id: 'app' }),
  'as JSON': bare('revocation_endpoint')({ method: 'POST', body: '{"token":"x"}', headers: JSON_TYPE }),
  'by GET': bare('revocation_endpoint')({}, '?token=x'),
};

const looks = (headers, init = {}, query = '') => (side) => side.send('userinfo_endpoint', { headers, ...init }, query);
export const USERINFO = {
  'a good token': async (side) => looks({ authorization: `Bearer ${(await side.tokens()).access_token}` })(side),
  'a good token by POST': async (side) => looks({ authorization: `Bearer ${(await side.tokens()).access_token}` }, { method: 'POST' })(side),
  'a good token in the body': async (side) => side.post('userinfo_endpoint', { access_token: (await side.tokens()).access_token }),
  'a good token in the query': async (side) => looks({}, {}, `?access_token=${(await side.tokens()).access_token}`)(side),
  'a good token in header and body': async (side) => {
    const { access_token: token } = await side.tokens();
    return side.post('userinfo_endpoint', { access_token: token }, { authorization: `Bearer ${token}` });
  },
  'no token': looks({}),
  'a token that is none': looks({ authorization: 'Bearer nonsense' }),
  'an empty token': looks({ authorization: 'Bearer ' }),
  'Basic': looks({ authorization: 'Basic eDp5' }),
  'two spaces': async (side) => looks({ authorization: `Bearer  ${(await side.tokens()).access_token}` })(side),
  'an ID token': async (side) => looks({ authorization: `Bearer ${(await side.tokens()).id_token}` })(side),
  'a token of a client for itself': async (side) => looks({ authorization: `Bearer ${await side.machine()}` })(side),
  'a token without openid': async (side) => looks({ authorization: `Bearer ${(await side.tokens('app', 'email')).access_token}` })(side),
  'DPoP with a token that is not bound': async (side) => looks({ authorization: `DPoP ${(await side.tokens()).access_token}` })(side),
  'a token that was revoked': async (side) => {
    const { access_token: token } = await side.tokens();
    await side.post('revocation_endpoint', { token, client_id: 'app' });
    return looks({ authorization: `Bearer ${token}` })(side);
  },
  'by PUT': looks({}, { method: 'PUT' }),
};

const pushes = (change, headers) => (side) => side.post('pushed_authorization_request_endpoint', side.request(change), headers?.(side));
export const PAR = {
  'a good request': pushes({}),
  'a good request with a secret': pushes({ client_id: 'web' }, as('web')),
  'nobody': pushes({ client_id: undefined }),
  'client_id unknown': pushes({ client_id: 'nobody' }),
  'a wrong secret': pushes({ client_id: 'web' }, as('web', 'wrong')),
  'another client_id than in the header': pushes({ client_id: 'app' }, as('web')),
  'request_uri in it': pushes({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }),
  'request in it': pushes({ request: 'eyJhbGciOiJub25lIn0.e30.' }),
  'redirect_uri not registered': pushes({ redirect_uri: 'https://evil.example.com/' }),
  'redirect_uri missing': pushes({ redirect_uri: undefined }),
  'response_type missing': pushes({ response_type: undefined }),
  'response_type token': pushes({ response_type: 'token' }),
  'code_challenge missing': pushes({ code_challenge: undefined, code_challenge_method: undefined }),
  'scope unknown': pushes({ scope: 'openid nonsense:read' }),
  'resource unknown': pushes({ resource: 'https://other.example.com/' }),
  'prompt unknown': pushes({ prompt: 'nonsense' }),
  'a parameter twice': pushes({ scope: ['openid', 'email'] }),
  'a client without this grant': pushes({ client_id: 'robot' }, as('robot')),
  'as JSON': bare('pushed_authorization_request_endpoint')({ method: 'POST', body: '{}', headers: JSON_TYPE }),
  'by GET': bare('pushed_authorization_request_endpoint')({}, '?client_id=app'),
  'used by another client': async (side) => {
    const { request_uri: uri } = await side.json('pushed_authorization_request_endpoint', Object.fromEntries(side.request()));
    return side.visit(`${side.metadata.authorization_endpoint}?${form({ client_id: 'web', request_uri: uri })}`);
  },
};

const begins = asks('device_authorization_endpoint');
export const DEVICE = {
  'a good request': begins({ client_id: 'tv' }),
  'nobody': begins({}),
  'client_id unknown': begins({ client_id: 'nobody' }),
  'client_id twice': begins({ client_id: ['tv', 'tv'] }),
  'a client without this grant': begins({ client_id: 'app' }),
  'a client with a secret that sends none': begins({ client_id: 'web' }),
  'scope unknown': begins({ client_id: 'tv', scope: 'nonsense:read' }),
  'scope with a quote': begins({ client_id: 'tv', scope: '"' }),
  'resource unknown': begins({ client_id: 'tv', resource: 'https://other.example.com/' }),
  'resource known': begins({ client_id: 'tv', resource: RESOURCE }),
  'as JSON': bare('device_authorization_endpoint')({ method: 'POST', body: '{}', headers: JSON_TYPE }),
  'by GET': bare('device_authorization_endpoint')({}, '?client_id=tv'),
};

const registers = (metadata) => (side) =>
  side.send('registration_endpoint', { method: 'POST', body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata), headers: JSON_TYPE });
const client = (change) => registers({ redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', ...change });
export const REGISTER = {
  'a good request': client({}),
  'nothing': registers({}),
  'no JSON': registers('{'),
  'a list': registers('[]'),
  'a text': registers('"x"'),
  'no body': registers(''),
  'as a form': bare('registration_endpoint')({ method: 'POST', body: 'redirect_uris=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
  'redirect_uris empty': client({ redirect_uris: [] }),
  'redirect_uris a text': client({ redirect_uris: CALLBACK }),
  'redirect_uris with a fragment': client({ redirect_uris: [`${CALLBACK}#x`] }),
  'redirect_uris relative': client({ redirect_uris: ['/callback'] }),
  'redirect_uris http elsewhere': client({ redirect_uris: ['http://app.example.com/callback'] }),
  'redirect_uris a script': client({ redirect_uris: ['javascript:alert(1)'] }),
  'redirect_uris with a wildcard': client({ redirect_uris: ['https://*.example.com/callback'] }),
  'token_endpoint_auth_method unknown': client({ token_endpoint_auth_method: 'pigeon' }),
  'grant_types unknown': client({ grant_types: ['pigeon'] }),
  'grant_types implicit': client({ grant_types: ['implicit'], response_types: ['id_token'] }),
  'grant_types that do not fit': client({ grant_types: ['refresh_token'], response_types: ['code'] }),
  'response_types unknown': client({ response_types: ['pigeon'] }),
  'subject_type unknown': client({ subject_type: 'pigeon' }),
  'id_token_signed_response_alg none': client({ id_token_signed_response_alg: 'none' }),
  'jwks and jwks_uri': client({ jwks: { keys: [] }, jwks_uri: 'https://app.example.com/jwks.json' }),
  'jwks_uri by http': client({ jwks_uri: 'http://app.example.com/jwks.json' }),
  'jwks with a secret key': client({ jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } }),
  'client_name a number': client({ client_name: 7 }),
  'post_logout_redirect_uris a script': client({ post_logout_redirect_uris: ['javascript:alert(1)'] }),
  'scope a list': client({ scope: ['openid'] }),
  'by GET': bare('registration_endpoint')(),
};
