import type { LoginBody, RegisterBody, Registered, User } from './api.js'
import { authorizedFetch, page } from './authorized.js'
import { systemClock, type Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { call, platformFetch, type Fetch } from './http.js'
import { persist } from './persist.js'
import { OwnSignIn } from './own.js'
import { Session, type SessionState } from './session.js'
import { memoryStorage, type RefreshTokenStorage } from './storage.js'

export interface ClientOptions {
  /** The server as it names itself, such as `https://id.example.com`. */
  issuer: string
  /** The origins of your APIs, such as `https://api.example.com`, which `fetch` sends the token to, beside the page's own and the server's. */
  resources?: readonly string[] | undefined
  /** How the refresh token travels: in a cookie that no script sees (default in a browser), or in the body (default elsewhere). */
  transport?: 'cookie' | 'body' | undefined
  /** Where it is kept with `body`; default: in memory. */
  storage?: RefreshTokenStorage | undefined
  /** How many seconds before its end a token is replaced; default 30, at most half its life. */
  refreshAhead?: number | undefined
  /** Whether tabs (of one origin, with one issuer) share the session; default: with `cookie`, which they share anyway. */
  shared?: boolean | undefined
  fetch?: Fetch | undefined
  clock?: Clock | undefined
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
  getAccessToken(options?: { signal?: AbortSignal | undefined }): Promise<string>
  /** `fetch` with the access token: see `docs/client.md`. */
  readonly fetch: Fetch
  /** Listens to other tabs no more. */
  close(): void
}

const AHEAD_SECONDS = 30

export function createClient(options: ClientOptions): SymbolonClient {
  const { fetch = platformFetch, clock = systemClock, refreshAhead = AHEAD_SECONDS } = options
  const issuer = options.issuer.replace(/\/$/, '')
  const isCookie = (options.transport ?? (page() ? 'cookie' : 'body')) === 'cookie'
  const own = new OwnSignIn(issuer, fetch, clock, isCookie ? undefined : (options.storage ?? memoryStorage()))
  const session = new Session(own, clock, `symbolon ${issuer}`, options.shared ?? isCookie, refreshAhead * 1000)
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
        const tokens = await own.login(credentials)
        user = tokens.user
        return tokens
      })
      return user
    },
    register: (account) => own.register(account),
    logout: () => session.signOut(() => own.logout(session.current)),
    logoutEverywhere: async () => {
      try {
        await persist(clock, (signal) => call(authorized, `${issuer}/api/logout/all`, { method: 'POST', signal }))
      } catch (error) {
        // If only the answer was lost, the next try hears that the session is over.
        if (!(error instanceof SymbolonError && own.ends.has(error.code))) throw error
      }
      await session.signOut(() => own.know())
    },
    getAccessToken: ({ signal } = {}) => session.accessToken(undefined, signal),
    fetch: authorized,
    close: () => session.close(),
  }
}
