// A session whose tokens are bound to a key of this client (DPoP, RFC 9449), got as an application gets them: by the
// authorization code with PKCE (OAuth 2.1).
//
// 1. `beginSignIn` keeps a state and a verifier, and names the page of the server to go to; the request names the key
//    (RFC 9449 section 10).
// 2. The server sends the browser back. `finishSignIn` compares state and issuer (RFC 9207), and exchanges the code with a proof.
// 3. Each refresh and each request has a proof of its own; a server that wants a nonce in it gets the request again.
import type { TokensBody, Userinfo } from './api.js'
import { authorizedFetch, page, type Carrier } from './authorized.js'
import { systemClock, type Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { call, platformFetch, type Fetch } from './http.js'
import { once, persist } from './persist.js'
import { digest, newKey, proof, randomText, thumbprint } from './proof.js'
import { Session, type Protocol, type SessionState, type Tokens } from './session.js'
import { indexedDbStore, memoryStore, type DpopStore } from './store.js'

export type { Userinfo } from './api.js'
export { indexedDbStore, memoryStore, type DpopStore } from './store.js'

export interface DpopClientOptions {
  /** The server as it names itself, such as `https://id.example.com`. */
  issuer: string
  /** A public client of the server, with the grants `authorization_code` and `refresh_token`. */
  clientId: string
  /** Where the browser comes back to, as the client has registered it. */
  redirectUri: string
  /** What to ask for, separated by spaces; default `openid profile email`. `openid` must be among it. */
  scope?: string
  /** The APIs that the token is for (RFC 8707), which `fetch` sends it to, beside the page's own origin and the server's. */
  resources?: readonly string[]
  /** Where the key is; default: the browser's database, or in memory elsewhere. */
  store?: DpopStore
  /** How many seconds before its end a token is replaced; default 30, at most half its life. */
  refreshAhead?: number
  fetch?: Fetch
  clock?: Clock
}

/** A person's session whose tokens nobody else can use. */
export interface DpopClient {
  readonly state: SessionState<Userinfo>
  onChange(listener: (state: SessionState<Userinfo>) => void): () => void
  restore(): Promise<SessionState<Userinfo>>
  /** The address at the server to go to, with more parameters of the request, such as `{ login_hint: 'ada' }`. */
  beginSignIn(parameters?: Record<string, string>): Promise<string>
  /** Ends what `beginSignIn` began, with the address that the browser came back to; default: the page's. */
  finishSignIn(url?: string): Promise<Userinfo>
  /** Ends this session. When it resolves, it is over; when it rejects, the person is still signed in. */
  logout(): Promise<void>
  /** `fetch` with the access token and a proof for this request. */
  readonly fetch: Fetch
  close(): void
}

const ENDS = new Set(['no_refresh_token', 'invalid_grant'])
const AHEAD_SECONDS = 30

export function createDpopClient(options: DpopClientOptions): DpopClient {
  const { clientId, redirectUri, scope = 'openid profile email', resources = [], clock = systemClock } = options
  const issuer = options.issuer.replace(/\/$/, '')
  const name = `symbolon ${issuer} ${clientId}`
  const inBrowser = Boolean(page() && globalThis.indexedDB)
  const store = options.store ?? (inBrowser ? indexedDbStore(name) : memoryStore())
  const prover = new Prover(store, options.fetch ?? platformFetch, `${issuer}/oauth/token`)

  const post = async <T>(path: string, form: Record<string, string>, signal: AbortSignal): Promise<T> => {
    const send = async (): Promise<T> =>
      call(prover.fetch, issuer + path, {
        method: 'POST',
        signal,
        credentials: 'omit',
        headers: await prover.headers(undefined, 'POST', issuer + path),
        body: new URLSearchParams({ client_id: clientId, ...form }),
      })
    return send().catch((error) => (isCode(error, 'use_dpop_nonce') ? send() : Promise.reject(error)))
  }
  const adopt = async (answer: TokensBody, before: unknown): Promise<Tokens> => {
    // Another tab may have been quicker, and keep a later one; or have signed out.
    if (answer.refresh_token && (await store.get('refreshToken')) === before) await store.set('refreshToken', answer.refresh_token)
    return { accessToken: answer.access_token, expiresIn: answer.expires_in }
  }
  const refresh = async (signal: AbortSignal): Promise<Tokens> => {
    const sent = (await store.get('refreshToken')) as string | undefined
    if (!sent) throw new SymbolonError({ status: 401, code: 'no_refresh_token', detail: 'Nobody is signed in.' })
    try {
      return await adopt(await post<TokensBody>('/oauth/token', { grant_type: 'refresh_token', refresh_token: sent }, signal), sent)
    } catch (error) {
      const isOld = isCode(error, 'invalid_grant') && (await store.get('refreshToken')) !== sent
      if (!isOld) throw error
      return refresh(signal)
    }
  }
  const authorized: Protocol<Userinfo> = {
    ends: ENDS,
    refresh,
    user: async (accessToken, signal) => {
      const url = `${issuer}/oauth/userinfo`
      const send = async (): Promise<Userinfo> =>
        call(prover.fetch, url, { signal, credentials: 'omit', headers: await prover.headers(accessToken, 'GET', url) })
      return send().catch((error) => (isCode(error, 'use_dpop_nonce') ? send() : Promise.reject(error)))
    },
    forget: () => store.delete('refreshToken'),
  }
  const session = new Session(authorized, clock, name, inBrowser, (options.refreshAhead ?? AHEAD_SECONDS) * 1000)

  return {
    get state() {
      return session.state
    },
    onChange: (listener) => session.onChange(listener),
    restore: () => session.restore(),
    beginSignIn: async (parameters = {}) => {
      const [state, verifier] = [randomText(), randomText()]
      await store.set(pending(state), verifier)
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirectUri,
        scope,
        state,
        code_challenge: await digest(verifier),
        code_challenge_method: 'S256',
        dpop_jkt: await thumbprint(await prover.key()),
        ...parameters,
      })
      for (const resource of resources) query.append('resource', resource)
      return `${issuer}/oauth/authorize?${query}`
    },
    finishSignIn: async (url = page()) => {
      const verifier = await returned(url!, issuer, store)
      await session.signIn(async () => {
        const code = new URL(url!).searchParams.get('code')!
        const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier }
        const before = await store.get('refreshToken')
        return adopt(await once((signal) => post<TokensBody>('/oauth/token', form, signal)), before)
      })
      const { state } = session
      if (state.status !== 'signedIn') throw new SymbolonError({ status: 401, code: 'no_token', detail: 'The person has signed out meanwhile.' })
      return state.user
    },
    logout: () =>
      session.signOut(async () => {
        const token = ((await store.get('refreshToken')) as string | undefined) ?? session.current
        if (token) await persist(clock, (signal) => post('/oauth/revoke', { token }, signal))
      }),
    fetch: authorizedFetch(session, prover, prover.fetch, issuer, resources),
    close: () => session.close(),
  }
}

/** The verifier of the sign-in that this is the answer to (RFC 6749 section 4.1.2, RFC 9207). It is good once. */
async function returned(url: string, issuer: string, store: DpopStore): Promise<string> {
  const answer = new URL(url).searchParams
  const begun = pending(answer.get('state') ?? '')
  const verifier = (await store.get(begun)) as string | undefined
  if (!verifier || answer.get('iss') !== issuer) {
    throw new SymbolonError({ status: 400, code: 'invalid_request', detail: 'This is not the answer to a sign-in that was begun here.' })
  }
  await store.delete(begun)
  const code = answer.get('error')
  if (code) throw new SymbolonError({ status: 400, code, detail: answer.get('error_description') ?? 'The sign-in was refused.' })
  return verifier
}

/** Where the verifier of a sign-in is kept: several may have begun, in several tabs. */
function pending(state: string): string {
  return `pending ${state}`
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof SymbolonError && error.code === code
}

/** Makes the proofs: knows the key, the last nonce of each server, and what time it is there. */
class Prover implements Carrier {
  readonly #store: DpopStore
  readonly #fetch: Fetch
  readonly #tokenUrl: string
  readonly #nonces = new Map<string, string>()
  #key: Promise<CryptoKeyPair> | undefined
  #aheadSeconds = 0

  constructor(store: DpopStore, fetch: Fetch, tokenUrl: string) {
    this.#store = store
    this.#fetch = fetch
    this.#tokenUrl = tokenUrl
  }

  key(): Promise<CryptoKeyPair> {
    this.#key ??= this.#loaded().catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async headers(accessToken: string | undefined, method: string, url: string): Promise<Record<string, string>> {
    const iat = Math.floor(Date.now() / 1000) + this.#aheadSeconds
    const nonce = this.#nonces.get(new URL(url).origin)
    const dpop = await proof(await this.key(), { method, url, iat, accessToken, nonce })
    return accessToken ? { dpop, authorization: `DPoP ${accessToken}` } : { dpop }
  }

  /** Sends, and keeps what the answer says of nonces and time. */
  fetch: Fetch = async (input, init) => {
    const response = await this.#fetch(input, init)
    const nonce = response.headers.get('dpop-nonce')
    if (nonce && response.url) this.#nonces.set(new URL(response.url).origin, nonce)
    // Of an answer that no cache keeps.
    const date = response.url === this.#tokenUrl ? Date.parse(response.headers.get('date') ?? '') : NaN
    if (date) this.#aheadSeconds = Math.round((date - Date.now()) / 1000)
    return response
  }

  isAgain(response: Response): boolean {
    // The challenge says so, where a page of another origin may read it.
    const challenge = response.headers.get('www-authenticate') ?? 'use_dpop_nonce'
    return response.status === 401 && response.headers.has('dpop-nonce') && challenge.includes('use_dpop_nonce')
  }

  async #loaded(): Promise<CryptoKeyPair> {
    return ((await this.#store.get('key')) ?? (await this.#store.add('key', await newKey()))) as CryptoKeyPair
  }
}
