// A session whose tokens are bound to a key of this client (DPoP, RFC 9449): see bound.ts.
import type { Userinfo } from './api.js'
import { authorizedFetch, page } from './authorized.js'
import { BoundSignIn } from './bound.js'
import { systemClock, type Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { platformFetch, type Fetch } from './http.js'
import { Prover } from './prover.js'
import { Session, type SessionState } from './session.js'
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
  scope?: string | undefined
  /** The APIs that the token is for (RFC 8707), which `fetch` sends it to, beside the page's own origin and the server's. */
  resources?: readonly string[] | undefined
  /** Where the key is; default: the browser's database, or in memory elsewhere. */
  store?: DpopStore | undefined
  /** How many seconds before its end a token is replaced; default 30, at most half its life. */
  refreshAhead?: number | undefined
  fetch?: Fetch | undefined
  clock?: Clock | undefined
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

const AHEAD_SECONDS = 30

export function createDpopClient(options: DpopClientOptions): DpopClient {
  const { clientId, redirectUri, scope = 'openid profile email', resources = [], refreshAhead = AHEAD_SECONDS } = options
  const issuer = options.issuer.replace(/\/$/, '')
  const name = `symbolon ${issuer} ${clientId}`
  const inBrowser = Boolean(page() && globalThis.indexedDB)
  const store = options.store ?? (inBrowser ? indexedDbStore(name) : memoryStore())
  const prover = new Prover(store, options.fetch ?? platformFetch, `${issuer}/oauth/token`)
  const clock = options.clock ?? systemClock
  const bound = new BoundSignIn({ issuer, clientId, redirectUri, scope, resources }, store, prover, clock)
  const session = new Session(bound, clock, name, inBrowser, refreshAhead * 1000)

  return {
    get state() {
      return session.state
    },
    onChange: (listener) => session.onChange(listener),
    restore: () => session.restore(),
    beginSignIn: (parameters = {}) => bound.begin(parameters),
    finishSignIn: async (url = page()) => {
      await session.signIn(() => bound.finish(new URL(url!).searchParams))
      const { state } = session
      if (state.status !== 'signedIn') throw new SymbolonError({ status: 401, code: 'no_token', detail: 'The person has signed out meanwhile.' })
      return state.user
    },
    logout: () => session.signOut(() => bound.logout(session.current)),
    fetch: authorizedFetch(session, prover, prover.fetch, issuer, resources),
    close: () => session.close(),
  }
}
