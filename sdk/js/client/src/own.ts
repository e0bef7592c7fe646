import type { LoginBody, RefreshBody, RefreshedBody, RegisterBody, Registered, SignedInBody, User } from './api.js'
import type { Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { call, type Fetch } from './http.js'
import { once, persist } from './persist.js'
import type { Protocol } from './session.js'
import type { RefreshTokenStorage } from './storage.js'

/** How often other programs on one storage may be quicker before a refresh is given up. */
const MOST_OVERTAKEN = 10

/** The server's own sign-in: the refresh token is in a cookie, or in a storage where there is one. */
export class OwnSignIn implements Protocol<User> {
  readonly ends = new Set([
    'no_refresh_token',
    'invalid_refresh_token',
    'refresh_token_expired',
    'refresh_token_reused',
    'session_revoked',
    'token_revoked',
    'account_disabled',
  ])
  readonly #issuer: string
  readonly #fetch: Fetch
  readonly #clock: Clock
  readonly #storage: RefreshTokenStorage | undefined
  /** The refresh token of this session that was seen last. */
  #known: string | null | undefined

  constructor(issuer: string, fetch: Fetch, clock: Clock, storage: RefreshTokenStorage | undefined) {
    this.#issuer = issuer
    this.#fetch = fetch
    this.#clock = clock
    this.#storage = storage
  }

  async login(credentials: Omit<LoginBody, 'transport'>): Promise<SignedInBody> {
    const body = { ...credentials, transport: this.#storage ? 'body' : 'cookie' }
    const tokens = await once((signal) => this.#send<SignedInBody>('POST', '/api/login', signal, body))
    await this.#keep(tokens)
    return tokens
  }

  register(account: RegisterBody): Promise<Registered> {
    return once((signal) => this.#send('POST', '/api/register', signal, account))
  }

  async refresh(signal: AbortSignal): Promise<RefreshedBody> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#refreshOnce(signal)
      } catch (error) {
        // What came too late may have been overtaken by a tab that is not heard, or by other programs: the token that
        // there is now is newer.
        const sent = this.#known
        if (!(error instanceof SymbolonError && error.code === 'invalid_refresh_token')) throw error
        await this.know()
        if (tries >= (this.#known === sent ? 2 : MOST_OVERTAKEN)) throw error
      }
    }
  }

  user(accessToken: string, signal: AbortSignal): Promise<User> {
    return this.#send('GET', '/api/user/profile', signal, undefined, accessToken)
  }

  /** By the access token, or if there is none that is good, by the refresh token. */
  async logout(accessToken: string | undefined): Promise<void> {
    await this.know()
    if (accessToken) {
      try {
        return await persist(this.#clock, (signal) => this.#send('POST', '/api/logout', signal, undefined, accessToken))
      } catch (error) {
        if (!(error instanceof SymbolonError && error.status === 401)) throw error
      }
    }
    await persist(this.#clock, (signal) => this.#send('DELETE', '/api/refresh', signal, this.#shown()))
  }

  /** Looks which refresh token there is. */
  async know(): Promise<void> {
    this.#known = await this.#storage?.get()
  }

  async forget(): Promise<void> {
    // Another program may have signed in meanwhile.
    if (this.#storage && (await this.#storage.get()) === this.#known) await this.#storage.clear()
  }

  async #refreshOnce(signal: AbortSignal): Promise<RefreshedBody> {
    await this.#knowOne()
    const sent = this.#known
    const tokens = await this.#send<RefreshedBody>('POST', '/api/refresh', signal, this.#shown())
    await this.#knowOne()
    // Another program may have been quicker, and keep a later one.
    if (this.#known === sent) await this.#keep(tokens)
    return tokens
  }

  /** The same; refuses where there is none, as the server does where there is no cookie. */
  async #knowOne(): Promise<void> {
    await this.know()
    if (this.#storage && !this.#known) throw new SymbolonError({ status: 401, code: 'no_refresh_token', detail: 'Nobody is signed in.' })
  }

  async #keep({ refreshToken }: RefreshBody): Promise<void> {
    if (this.#storage) await this.#storage.set((this.#known = refreshToken!))
  }

  #shown(): RefreshBody | undefined {
    return this.#known ? { refreshToken: this.#known } : undefined
  }

  #send<T>(method: string, path: string, signal: AbortSignal, body?: unknown, accessToken?: string): Promise<T> {
    return call(this.#fetch, this.#issuer + path, {
      method,
      signal,
      credentials: this.#storage ? 'omit' : 'include',
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}),
      },
      body: body ? JSON.stringify(body) : null,
    })
  }
}
