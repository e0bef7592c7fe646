import { systemClock, type Clock } from './clock.js'
import { logEvent, safely, type Report } from './events.js'
import type { Algorithm } from './keys.js'
import type { Fetch } from './network.js'
import { newNonceSecret, type ProofSettings } from './proofs.js'
import { isWord } from './token.js'

/** What to do with good tokens while the revocation feed cannot be heard. */
export type Staleness = 'fail_closed' | 'introspect' | 'fail_open'

/** How proofs of possession are judged (RFC 9449). */
export interface ProofOptions {
  /** How old one may be, in seconds, 1 to 300; default 60. */
  maxAge?: number | undefined
  /** How many are remembered, about; default 1,000,000. More within their life are answered with 503. */
  capacity?: number | undefined
  /** Whether they need a nonce of this guard; a secret of 32 bytes is for guards that share theirs. Default: no. */
  nonces?: boolean | Uint8Array | undefined
}

/** What an OAuth client of the server shows. */
export interface FeedCredentials {
  readonly clientId: string
  readonly clientSecret: string
}

export interface GuardOptions {
  /** The issuer, byte for byte as the server names itself, such as `https://auth.example`. */
  issuer: string
  /** What the claim `aud` must be or hold. */
  audience: string
  /** This API's identifier, a URL (RFC 9728): challenges then name its metadata. */
  resource?: string | undefined
  /** Where the metadata is, if not at the well-known place of `resource`. */
  resourceMetadata?: string | undefined
  /** The scopes that the metadata lists. */
  scopes?: readonly string[] | undefined
  /** The scopes to begin with, which 401 challenges name (RFC 6750 section 3; MCP clients ask for these). Default: none. */
  challengeScopes?: readonly string[] | undefined
  /**
   * Where clients reach this API, which the proofs of bound tokens name (RFC 9449): `https://api.example`, or
   * `https://api.example/v1` behind a proxy that takes `/v1` away. Default: the origin of `resource`. `{ host: 'https' }`
   * believes the header `Host`: only where nothing but its own names reaches it. Without an address bound tokens are
   * refused.
   */
  address?: string | { readonly host: 'https' | 'http' } | undefined
  /** How proofs of bound tokens are judged. */
  proofs?: ProofOptions | undefined
  /** For a server whose setting `feed.access` is `clients`: sent to the revocation feed, and nowhere else. */
  feedCredentials?: FeedCredentials | undefined
  /** `fail_closed` (default): 503. `introspect`: ask the server each time. `fail_open`: go on with what is known. */
  staleness?: Staleness | undefined
  /** How long the feed may be unheard, in milliseconds; default 15,000. */
  stalenessBoundMs?: number | undefined
  /** How long a connection of the feed may say nothing, in milliseconds; default 15,000, three heartbeats. */
  silenceMs?: number | undefined
  /** Seconds by which clocks may differ, 0 to 60; default 5. */
  leeway?: number | undefined
  /** Default: every one that a public key can have. */
  algorithms?: readonly Algorithm[] | undefined
  /** How many verified tokens are kept; default 10,000. */
  cacheCapacity?: number | undefined
  /** `wait` (default): until it can judge, or reject. `background`: answer 503 until then. */
  start?: 'wait' | 'background' | undefined
  /** How long to wait for the start, in milliseconds; default 10,000. */
  startTimeoutMs?: number | undefined
  /** Told what an owner should know; default: one line on the console. */
  onEvent?: Report | undefined
  /** For tests. */
  clock?: Clock | undefined
  fetch?: Fetch | undefined
}

/** Options with every default filled in, known to make sense. */
export interface Settings {
  readonly issuer: string
  readonly audience: string
  readonly resource: string | undefined
  readonly resourceMetadata: string | undefined
  readonly scopes: readonly string[]
  /** As challenges name them, separated by spaces. */
  readonly challengeScope: string | undefined
  /** What stands before the path of a request, given its header `Host`; nothing where proofs cannot be judged. */
  readonly address: ((host: string | undefined) => string | undefined) | undefined
  readonly proofs: Omit<ProofSettings, 'now'>
  /** The header `Authorization` for the feed. */
  readonly feedAuthorization: string | undefined
  readonly staleness: Staleness
  readonly stalenessBoundMs: number
  readonly silenceMs: number
  readonly leeway: number
  readonly algorithms: readonly Algorithm[]
  readonly cacheCapacity: number
  readonly start: 'wait' | 'background'
  readonly startTimeoutMs: number
  readonly onEvent: Report
  readonly clock: Clock
  readonly fetch: Fetch
}

const ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const
/** The longest time that a timer takes. */
const MAX_MS = 2 ** 31 - 1

/** Throws `TypeError` or `RangeError`, naming the option. */
export function settle(options: GuardOptions): Settings {
  const { issuer, audience, resource, scopes = [], challengeScopes = [], algorithms = ALGORITHMS } = options
  const { search, hash } = url('issuer', issuer)
  // RFC 8414 section 2.
  if (search || hash || /[?#]/.test(issuer)) throw new TypeError('issuer: has a query or a fragment')
  if (typeof audience !== 'string' || audience === '') throw new TypeError('audience: missing')
  if (algorithms.length === 0) throw new TypeError('algorithms: none')
  if (!challengeScopes.every(isWord)) throw new TypeError('challengeScopes: not a scope')
  for (const algorithm of algorithms) oneOf('algorithms', algorithm, ALGORITHMS)
  const metadata = options.resourceMetadata ?? (resource === undefined ? undefined : metadataUrl(resource))
  return {
    issuer,
    audience,
    resource,
    // Written anew by the URL parser, so that it has no quote that would end the challenge's parameter.
    resourceMetadata: metadata === undefined ? undefined : url('resourceMetadata', metadata).href,
    scopes,
    challengeScope: challengeScopes.length === 0 ? undefined : challengeScopes.join(' '),
    address: address(options.address ?? (resource === undefined ? undefined : url('resource', resource).origin)),
    proofs: proofs(options.proofs ?? {}),
    feedAuthorization: basic(options.feedCredentials),
    algorithms,
    staleness: oneOf('staleness', options.staleness ?? 'fail_closed', ['fail_closed', 'introspect', 'fail_open']),
    stalenessBoundMs: within('stalenessBoundMs', options.stalenessBoundMs ?? 15_000, 1, MAX_MS),
    silenceMs: within('silenceMs', options.silenceMs ?? 15_000, 1, MAX_MS),
    leeway: within('leeway', options.leeway ?? 5, 0, 60),
    cacheCapacity: within('cacheCapacity', options.cacheCapacity ?? 10_000, 0, 10_000_000),
    start: oneOf('start', options.start ?? 'wait', ['wait', 'background']),
    startTimeoutMs: within('startTimeoutMs', options.startTimeoutMs ?? 10_000, 1, MAX_MS),
    onEvent: safely(options.onEvent ?? logEvent),
    clock: options.clock ?? systemClock,
    fetch: options.fetch ?? globalThis.fetch,
  }
}

function address(given: GuardOptions['address']): Settings['address'] {
  if (given === undefined) return undefined
  if (typeof given === 'object') {
    const scheme = oneOf('address', given.host, ['https', 'http'])
    // A name and a port, and nothing that begins a path.
    return (host) => (host !== undefined && /^[A-Za-z0-9._:[\]-]+$/.test(host) ? `${scheme}://${host}` : undefined)
  }
  const { href, search, hash, username, password } = url('address', given)
  if (search || hash || username || password) throw new TypeError('address: more than an origin and a path')
  const base = href.replace(/\/+$/, '')
  return () => base
}

function proofs({ maxAge = 60, capacity = 1_000_000, nonces = false }: ProofOptions): Settings['proofs'] {
  if (typeof nonces !== 'boolean' && nonces.length !== 32) throw new RangeError('proofs.nonces: not 32 bytes')
  return {
    maxAge: within('proofs.maxAge', maxAge, 1, 300),
    capacity: within('proofs.capacity', capacity, 1, 100_000_000),
    nonceSecret: nonces === true ? newNonceSecret() : nonces || undefined,
  }
}

/** Each part is encoded as in a form, so that a colon parts them (RFC 6749 section 2.3.1). No error shows them. */
function basic(credentials: FeedCredentials | undefined): string | undefined {
  if (credentials === undefined) return undefined
  const parts = (['clientId', 'clientSecret'] as const).map((name) => {
    const value: unknown = credentials?.[name]
    if (typeof value !== 'string' || value === '') throw new TypeError(`feedCredentials.${name}: missing`)
    return new URLSearchParams({ '': value }).toString().slice(1)
  })
  return `Basic ${btoa(parts.join(':'))}`
}

/** The well-known part goes between the host and the path (RFC 9728 section 3.1). */
function metadataUrl(resource: string): string {
  const { origin, pathname, search } = url('resource', resource)
  return `${origin}/.well-known/oauth-protected-resource${pathname.replace(/\/$/, '')}${search}`
}

function url(name: string, value: string): URL {
  if (typeof value !== 'string' || !URL.canParse(value)) throw new TypeError(`${name}: not a URL`)
  const parsed = new URL(value)
  if (!/^https?:$/.test(parsed.protocol)) throw new TypeError(`${name}: neither http nor https`)
  return parsed
}

function within(name: string, value: number, least: number, most: number): number {
  const isWithin = Number.isInteger(value) && value >= least && value <= most
  if (!isWithin) throw new RangeError(`${name}: from ${least} to ${most}`)
  return value
}

function oneOf<T extends string>(name: string, value: T, known: readonly T[]): T {
  if (!known.includes(value)) throw new TypeError(`${name}: one of ${known.join(', ')}`)
  return value
}
