import type { LoginBody, RefreshedBody, RegisterBody, Registered, SignedInBody, User } from './api.js'
import { authorizedFetch, page } from './authorized.js'
import { systemClock, type Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { call, platformFetch, type Fetch } from './http.js'
import { once, persist } from './persist.js'
import { Session, type Protocol, type SessionState } from './session.js'
import { memoryStorage, type RefreshTokenStorage } from './storage.js'

export interface ClientOptions {
  /** The server as it names itself, such as `https://id.example.com`. */
  issuer: string
  /** The origins of your APIs, such as `https://api.example.com`, which `fetch` sends the token to, beside the page's own and the server's. */
  resources?: readonly string[]
  /** How the refresh token travels: in a cookie that no script sees (default in a browser), or in the body (default elsewhere). */
  transport?: 'cookie' | 'body'
  /** Where it is kept with `body`; default: in memory. */
  storage?: RefreshTokenStorage
  /** How many seconds before its end a token is replaced; default 30, at most half its life. */
  refreshAhead?: number
  /** Whether tabs (of one origin, with one issuer) share the session; default: with `cookie`, which they share anyway. */
  shared?: boolean
  fetch?: Fetch
  clock?: Clock
}

/** A person's session at a Symbolon server. Its functions may be taken off it. */
export interface SymbolonClient {
  /** What listeners were told last. */
  readonly state: SessionState<User>
  /** Tells of every change, in all tabs; call what it returns to hear no more. */
  onChange(listener: (state: SessionState<User>) => void): () => void
  /** Finds out whether somebody is signed in. Rejects only if the server could not be asked. */
  restore(): Promise<SessionState<User>>
  login(credentials: Omit<LoginBody, 'transport'>): Promise<User>
  /** Makes an account; does not sign in. */
  register(account: RegisterBody): Promise<Registered>
  /** Ends this session. When it resolves, it is over; when it rejects, the person is still signed in. */
  logout(): Promise<void>
  /** Ends every session of the person. */
  logoutEverywhere(): Promise<void>
  /** An access token that is good for a while yet. Rejects with a `SymbolonError` if nobody is signed in. */
  getAccessToken(options?: { signal?: AbortSignal }): Promise<string>
  /** `fetch` with the access token: see `docs/client.md`. */
  readonly fetch: Fetch
  /** Listens to other tabs no more. */
  close(): void
}

/** The codes of an answer to a refresh that mean that the session is over. */
const ENDS = new Set([
  'no_refresh_token',
  'invalid_refresh_token',
  'refresh_token_expired',
  'refresh_token_reused',
  'session_revoked',
  'token_revoked',
  'account_disabled',
])
const AHEAD_SECONDS = 30

export function createClient(options: ClientOptions): SymbolonClient {
  const { fetch = platformFetch, clock = systemClock } = options
  const issuer = options.issuer.replace(/\/$/, '')
  const isCookie = (options.transport ?? (page() ? 'cookie' : 'body')) === 'cookie'
  const kept = isCookie ? undefined : (options.storage ?? memoryStorage())

  const send = <T>(method: string, path: string, signal: AbortSignal, body?: unknown, accessToken?: string): Promise<T> =>
    call<T>(fetch, issuer + path, {
      method,
      signal,
      credentials: isCookie ? 'include' : 'omit',
      headers: {
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(accessToken ? { authorization: `Bearer ${accessToken}` } : {}),
      },
      body: body ? JSON.stringify(body) : null,
    })
  const refreshToken = async (): Promise<string> => {
    const found = await kept?.get()
    if (!found) throw new SymbolonError({ status: 401, code: 'no_refresh_token', detail: 'Nobody is signed in.' })
    return found
  }

  const refresh = async (signal: AbortSignal): Promise<RefreshedBody> => {
    const sent = kept && (await refreshToken())
    const tokens = await send<RefreshedBody>('POST', '/api/refresh', signal, sent && { refreshToken: sent })
    // Another program may have been quicker, and keep a later one; or have signed out.
    if (kept && (await refreshToken()) === sent) await kept.set(tokens.refreshToken!)
    return tokens
  }
  const protocol: Protocol<User> = {
    ends: ENDS,
    // What came too late for a tab that is alone was too late once: the token that there is now may be a newer one.
    refresh: (signal) =>
      refresh(signal).catch((error) => {
        if (error instanceof SymbolonError && error.code === 'invalid_refresh_token') return refresh(signal)
        throw error
      }),
    user: (accessToken, signal) => send('GET', '/api/user/profile', signal, undefined, accessToken),
    forget: async () => kept?.clear(),
  }

  const name = `symbolon ${issuer}`
  const session = new Session(protocol, clock, name, options.shared ?? isCookie, (options.refreshAhead ?? AHEAD_SECONDS) * 1000)
  const carrier = { headers: (accessToken: string) => ({ authorization: `Bearer ${accessToken}` }) }
  const authorized = authorizedFetch(session, carrier, fetch, issuer, options.resources)

  return {
    get state() {
      return session.state
    },
    onChange: (listener) => session.onChange(listener),
    restore: () => session.restore(),
    login: async (credentials) => {
      let user!: User
      await session.signIn(async () => {
        const body = { ...credentials, transport: isCookie ? 'cookie' : 'body' }
        const tokens = await once((signal) => send<SignedInBody>('POST', '/api/login', signal, body))
        await kept?.set(tokens.refreshToken!)
        user = tokens.user
        return tokens
      })
      return user
    },
    register: (account) => once((signal) => send('POST', '/api/register', signal, account)),
    logout: () =>
      session.signOut(async () => {
        const accessToken = session.current
        const sent = kept && (await kept.get())
        const bySecret = (): Promise<void> => persist(clock, (signal) => send('DELETE', '/api/refresh', signal, sent && { refreshToken: sent }))
        if (!accessToken) return bySecret()
        await persist(clock, (signal) => send('POST', '/api/logout', signal, undefined, accessToken)).catch((error) => {
          if (error instanceof SymbolonError && error.status === 401) return bySecret()
          throw error
        })
      }),
    logoutEverywhere: async () => {
      try {
        await persist(clock, (signal) => call(authorized, `${issuer}/api/logout/all`, { method: 'POST', signal }))
      } catch (error) {
        // If only the answer was lost, the next try hears that the session is over.
        if (!(error instanceof SymbolonError && ENDS.has(error.code))) throw error
      }
      await session.signOut(async () => {})
    },
    getAccessToken: ({ signal } = {}) => session.accessToken(undefined, signal),
    fetch: authorized,
    close: () => session.close(),
  }
}
