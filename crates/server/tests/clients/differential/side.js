// One of the two servers, as a client sees it: requests go out, and come back as a few words that can be compared.
import { createHash, randomBytes } from 'node:crypto';
import { Browser } from '../browser.js';

export const CALLBACK = 'https://app.example.com/callback';
export const GOODBYE = 'https://app.example.com/goodbye';
export const RESOURCE = 'https://api.example.com/';
const MOST_HOPS = 5;
const FORM = 'application/x-www-form-urlencoded';

export const VERIFIER = 'a-verifier-of-a-test-that-is-long-enough-for-rfc-7636';
export const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

// A form from an object; a list gives a parameter twice, nothing leaves it out.
export function form(parameters) {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  return new URLSearchParams(pairs.filter(([, value]) => value !== undefined));
}

export class Side {
  constructor(metadata, secrets, person) {
    this.metadata = metadata;
    this.secrets = secrets;
    this.person = person;
    this.browser = new Browser();
  }

  static async discover({ issuer, secrets }, person) {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`);
    return new Side(await response.json(), secrets, person);
  }

  basic(id, secret = this.secrets[id]) {
    const both = [id, secret].map(encodeURIComponent).join(':');
    return { authorization: `Basic ${Buffer.from(both).toString('base64')}` };
  }

  // Sends to an endpoint of the metadata; what came back in words.
  async send(endpoint, init = {}, query = '') {
    const response = await this.raw(endpoint, init, query);
    return this.words(response);
  }

  raw(endpoint, init = {}, query = '') {
    return fetch(`${this.metadata[endpoint]}${query}`, { redirect: 'manual', ...init });
  }

  // A form by POST.
  post(endpoint, parameters, headers = {}) {
    const body = parameters instanceof URLSearchParams ? parameters : form(parameters);
    return this.send(endpoint, { method: 'POST', body: body.toString(), headers: { 'content-type': FORM, ...headers } });
  }

  async json(endpoint, parameters, headers = {}) {
    const init = { method: 'POST', body: form(parameters), headers };
    return (await this.raw(endpoint, init)).json();
  }

  // A request that is good, with a change.
  request(change = {}) {
    return form({
      client_id: 'app',
      redirect_uri: CALLBACK,
      response_type: 'code',
      scope: 'openid',
      state: 'state',
      nonce: 'nonce',
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      ...change,
    });
  }

  // Goes there as a browser whose person is not signed in, and tells where that ends.
  async authorize(change = {}, { raw = '', ...init } = {}) {
    const parameters = `${this.request(change)}${raw}`;
    if (init.method === 'POST') {
      const headers = { 'content-type': FORM, ...init.headers };
      return this.visit(this.metadata.authorization_endpoint, { body: parameters, ...init, headers });
    }
    return this.visit(`${this.metadata.authorization_endpoint}?${parameters}`, init);
  }

  async visit(url, init = {}) {
    let response = await fetch(url, { redirect: 'manual', ...init });
    for (let hops = 0; hops < MOST_HOPS; hops += 1) {
      const next = response.headers.get('location') && new URL(response.headers.get('location'), url);
      if (!next || next.origin !== new URL(this.metadata.issuer).origin) break;
      const cookie = response.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ');
      response = await fetch(next, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    }
    return this.words(response);
  }

  // A code of the person, who has agreed.
  async code(client = 'app', change = {}) {
    const url = `${this.metadata.authorization_endpoint}?${this.request({ client_id: client, ...change })}`;
    const passed = await this.browser.pass(url, [CALLBACK], this.person);
    const code = passed.url.searchParams.get('code');
    if (!code) throw new Error(`no code: ${passed.url} ${passed.page ?? ''}`);
    return code;
  }

  // What a code is exchanged with.
  exchange(code, change = {}) {
    return { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: VERIFIER, client_id: 'app', ...change };
  }

  async tokens(client = 'app', scope = 'openid') {
    const nonce = scope.includes('openid') ? 'nonce' : undefined;
    const code = await this.code(client, { scope, nonce });
    const known = this.secrets[client] ? this.basic(client) : {};
    const change = client === 'app' ? {} : { client_id: undefined };
    const tokens = await this.json('token_endpoint', this.exchange(code, change), known);
    if (!tokens.access_token) throw new Error(`no tokens: ${JSON.stringify(tokens)}`);
    return tokens;
  }

  async machine() {
    const tokens = await this.json('token_endpoint', { grant_type: 'client_credentials' }, this.basic('robot'));
    return tokens.access_token;
  }

  // The status, where it leads, and the error.
  async words(response) {
    const { status, headers } = response;
    const location = headers.get('location');
    if (location) {
      const to = new URL(location, this.metadata.issuer);
      const answer = new URLSearchParams(to.search || to.hash.slice(1));
      const own = to.origin === new URL(this.metadata.issuer).origin;
      return own ? `${status} page` : `${status} client ${answer.get('error') ?? 'answer'}`;
    }
    const text = await response.text();
    const type = (headers.get('content-type') ?? '').split(';')[0];
    if (type === 'text/html') return this.#page(status, text);
    const told = type.endsWith('json') ? JSON.parse(text) : {};
    if (typeof told.active === 'boolean') return `${status} ${told.active ? 'active' : 'inactive'}`;
    const challenged = headers.get('www-authenticate')?.match(/error="([^"]*)"/)?.[1];
    return [status, told.error ?? challenged].filter(Boolean).join(' ');
  }

  // Pages are for people: of an error the status counts. A form that goes to the client is an answer.
  #page(status, text) {
    if (text.replaceAll('&#x2f;', '/').includes(`action="${CALLBACK}"`)) {
      return `${status} form ${text.match(/name="error" value="([^"]*)"/)?.[1] ?? 'answer'}`;
    }
    if (status >= 400) return `${status} page`;
    return text.includes('name="password"') ? 'sign-in' : `${status} page`;
  }
}

export const noise = (length) => randomBytes(length).toString('hex').slice(0, length);
