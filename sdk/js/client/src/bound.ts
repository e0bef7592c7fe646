// The sign-in of an application, by the authorization code with PKCE (OAuth 2.1), with tokens that are bound to a key of its own
// (DPoP, RFC 9449).
//
// 1. `begin` keeps a verifier under a state, and names the page of the server to go to; the request names the key (RFC 9449
//    section 10).
// 2. The server sends the browser back. `finish` looks for the state and compares the issuer (RFC 9207), and exchanges the code
//    with a proof.
// 3. Each refresh has a proof of its own, and is sent again where the server wants a nonce in it (section 8).
import type { TokensBody, Userinfo } from './api.js'
import type { Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { call } from './http.js'
import { once, persist } from './persist.js'
import { digest, randomText, thumbprint } from './proof.js'
import type { Prover } from './prover.js'
import type { Protocol, Tokens } from './session.js'
import type { DpopStore } from './store.js'

/** Where the refresh token is kept. */
const REFRESH_TOKEN = 'refreshToken'

/** What the application is to the server. */
export interface Application {
  issuer: string
  clientId: string
  redirectUri: string
  scope: string
  resources: readonly string[]
}

export class BoundSignIn implements Protocol<Userinfo> {
  readonly ends = new Set(['no_refresh_token', 'invalid_grant'])
  readonly #application: Application
  readonly #store: DpopStore
  readonly #prover: Prover
  readonly #clock: Clock
  /** The refresh token of this session that was seen last. */
  #known: string | undefined

  constructor(application: Application, store: DpopStore, prover: Prover, clock: Clock) {
    this.#application = application
    this.#store = store
    this.#prover = prover
    this.#clock = clock
  }

  /** Step 1. */
  async begin(parameters: Record<string, string>): Promise<string> {
    const { issuer, clientId, redirectUri, scope, resources } = this.#application
    const [state, verifier] = [randomText(), randomText()]
    await this.#store.set(begun(state), verifier)
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      scope,
      state,
      code_challenge: await digest(verifier),
      code_challenge_method: 'S256',
      dpop_jkt: await thumbprint(await this.#prover.key()),
      ...parameters,
    })
    for (const resource of resources) query.append('resource', resource)
    return `${issuer}/oauth/authorize?${query}`
  }

  /** Step 2. */
  async finish(answer: URLSearchParams): Promise<Tokens> {
    const key = begun(answer.get('state') ?? '')
    const verifier = (await this.#store.get(key)) as string | undefined
    if (!verifier || answer.get('iss') !== this.#application.issuer) {
      throw new SymbolonError({ status: 400, code: 'invalid_request', detail: 'This is not the answer to a sign-in that was begun here.' })
    }
    await this.#store.delete(key)
    const refusal = answer.get('error')
    if (refusal) throw new SymbolonError({ status: 400, code: refusal, detail: answer.get('error_description') ?? 'The sign-in was refused.' })
    const code = answer.get('code') ?? ''
    const form = { grant_type: 'authorization_code', code, redirect_uri: this.#application.redirectUri, code_verifier: verifier }
    await this.#know()
    return this.#adopt(await once((signal) => this.#post<TokensBody>('/oauth/token', form, signal)))
  }

  /** Step 3. */
  async refresh(signal: AbortSignal): Promise<Tokens> {
    const sent = await this.#know()
    if (!sent) throw new SymbolonError({ status: 401, code: 'no_refresh_token', detail: 'Nobody is signed in.' })
    try {
      return await this.#adopt(await this.#post<TokensBody>('/oauth/token', { grant_type: 'refresh_token', refresh_token: sent }, signal))
    } catch (error) {
      // A tab that is not heard has overtaken this one.
      if (is(error, 'invalid_grant') && (await this.#know()) !== sent) return this.refresh(signal)
      throw error
    }
  }

  user(accessToken: string, signal: AbortSignal): Promise<Userinfo> {
    const url = `${this.#application.issuer}/oauth/userinfo`
    return withNonce(async () =>
      call(this.#prover.fetch, url, { signal, credentials: 'omit', headers: await this.#prover.headers(accessToken, 'GET', url) }),
    )
  }

  /** A refresh token takes its session along (RFC 7009). */
  async logout(accessToken: string | undefined): Promise<void> {
    const token = (await this.#know()) ?? accessToken
    if (token) await persist(this.#clock, (signal) => this.#post('/oauth/revoke', { token }, signal))
  }

  async forget(): Promise<void> {
    // Another tab may have signed in meanwhile.
    if ((await this.#store.get(REFRESH_TOKEN)) === this.#known) await this.#store.delete(REFRESH_TOKEN)
  }

  /** Looks which refresh token there is. */
  async #know(): Promise<string | undefined> {
    this.#known = (await this.#store.get(REFRESH_TOKEN)) as string | undefined
    return this.#known
  }

  /** Keeps what came for the token that is known. */
  async #adopt({ access_token, expires_in, refresh_token }: TokensBody): Promise<Tokens> {
    // Another tab may have been quicker, and keep a later one; or have signed out.
    const isNext = this.#known === (await this.#store.get(REFRESH_TOKEN))
    if (refresh_token && isNext) await this.#store.set(REFRESH_TOKEN, (this.#known = refresh_token))
    return { accessToken: access_token, expiresIn: expires_in }
  }

  #post<T>(path: string, form: Record<string, string>, signal: AbortSignal): Promise<T> {
    const { issuer, clientId } = this.#application
    return withNonce(async () =>
      call<T>(this.#prover.fetch, issuer + path, {
        method: 'POST',
        signal,
        credentials: 'omit',
        headers: await this.#prover.headers(undefined, 'POST', issuer + path),
        body: new URLSearchParams({ client_id: clientId, ...form }),
      }),
    )
  }
}

/** Again with the nonce that the answer has brought, if it was one that was missing. */
function withNonce<T>(send: () => Promise<T>): Promise<T> {
  return send().catch((error) => (is(error, 'use_dpop_nonce') ? send() : Promise.reject(error)))
}

/** Where the verifier of a sign-in is kept: several may have begun, in several tabs. */
function begun(state: string): string {
  return `pending ${state}`
}

function is(error: unknown, code: string): boolean {
  return error instanceof SymbolonError && error.code === code
}
