import { setImmediate } from 'node:timers/promises'

import { credential, joinedLines, type Credential } from './authorization.js'
import { Checker, type Verified } from './checker.js'
import { JudgedTime } from './clock.js'
import type { Demand } from './demands.js'
import { Refused, discover, type Endpoints } from './discovery.js'
import { Follower } from './feed.js'
import { Freshness } from './freshness.js'
import { Introspection } from './introspection.js'
import { KeySource } from './jwks.js'
import { newCounters, type Counters, type Metrics } from './metrics.js'
import { settle, type GuardOptions, type Settings } from './options.js'
import { PROOF_ALGORITHMS, render, type Answer } from './problem.js'
import { Proofs, type Presented } from './proofs.js'
import { Rejection } from './rejection.js'
import { startUp, type Step } from './start.js'

/** How often dead entries are dropped. */
const SWEEP_MS = 60_000

/** What of a request is judged. */
export interface Incoming {
  /** Every line of the header `Authorization`. */
  readonly authorization: readonly string[]
  /** The header `X-Request-Id`. */
  readonly requestId: string | undefined
  /** Every line of the header `DPoP`. */
  readonly proofs?: readonly string[]
  /** The method, as it was sent. */
  readonly method?: string | undefined
  /** The path, as it was sent; a query is ignored. */
  readonly path?: string | undefined
  /** The header `Host`. */
  readonly host?: string | undefined
  /** The framework's request: what is judged again, by another route's demands, needs no other proof. */
  readonly source?: object
}

/** The verdict on a request: its token, or the answer that refuses it. */
export type Verdict<A> =
  | { readonly token: Verified; readonly answer?: undefined }
  | { readonly token?: undefined; readonly answer: A }

/** The document that tells clients whom to ask for tokens (RFC 9728 section 2). */
export interface ResourceMetadata {
  readonly resource: string
  readonly authorization_servers: readonly string[]
  readonly bearer_methods_supported: readonly string[]
  readonly scopes_supported: readonly string[]
  /** Where the guard judges proofs of possession. */
  readonly dpop_signing_alg_values_supported?: readonly string[]
}

/**
 * Makes a guard and waits until it knows the issuer's keys and revocations. Rejects with a `StartError` that says which
 * step failed and why, and throws a `TypeError` or `RangeError` for an option that makes no sense.
 */
export async function createGuard(options: GuardOptions): Promise<Guard> {
  const guard = new Guard(settle(options))
  await guard.start()
  return guard
}

/** Verifies access tokens and keeps itself up to date. Made by `createGuard`. */
export class Guard {
  readonly #settings: Settings
  readonly #counters: Counters = newCounters()
  readonly #closed = new AbortController()
  readonly #time: JudgedTime
  readonly #checker: Checker
  readonly #keys: KeySource
  readonly #follower: Follower
  readonly #freshness: Freshness
  readonly #introspection: Introspection
  readonly #proofs: Proofs
  /** The bound token of each request whose proof was good. */
  readonly #proven = new WeakMap<object, string>()
  #sweeper: NodeJS.Timeout | undefined
  #firstSnapshot: () => void = () => undefined

  /** @internal */
  constructor(settings: Settings) {
    const { clock, fetch, onEvent: report, silenceMs, stalenessBoundMs, feedAuthorization: authorization } = settings
    const counters = this.#counters
    this.#settings = settings
    this.#time = new JudgedTime(clock, report)
    const checker = new Checker({ ...settings, now: this.#time.now, findKeys: () => this.#keys.ask() })
    this.#checker = checker
    this.#keys = new KeySource({ fetch, clock, checker, counters, report })
    this.#freshness = new Freshness(stalenessBoundMs, clock, report)
    this.#introspection = new Introspection(fetch, counters)
    this.#proofs = new Proofs({ ...settings.proofs, now: this.#time.now })
    const follow = { heard: this.#heard, keyWithdrawn: this.#keys.withdrawn }
    this.#follower = new Follower({ fetch, clock, checker, counters, report, authorization, silenceMs, ...follow })
  }

  /** @internal */
  async start(): Promise<void> {
    const { clock, onEvent: report, start, startTimeoutMs } = this.#settings
    const closed = this.#closed.signal
    this.#sweeper = setInterval(() => void this.#sweep(), SWEEP_MS).unref()
    const timeoutMs = start === 'wait' ? startTimeoutMs : undefined
    const started = startUp(this.#steps(), { clock, report, closed, timeoutMs })
    if (start === 'background') return
    try {
      await started
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * The token, if it is good and meets every demand. Throws a `Rejection` otherwise.
   *
   * It asks nobody, save for a token that names an unknown key, or where it must introspect. A token that is bound to a
   * key is refused, for its proof is of a whole request: see `judge`.
   */
  async verify(token: string, ...demands: readonly Demand[]): Promise<Verified> {
    try {
      return this.#accepted(await this.#decide(bearer(token), demands))
    } catch (error) {
      this.#refused(error)
      throw error
    }
  }

  /** Judges a request of any framework. */
  async judge(incoming: Incoming, demands: readonly Demand[] = []): Promise<Verdict<Answer>> {
    try {
      const presented = this.#presented(credential(incoming.authorization), incoming)
      return { token: this.#accepted(await this.#decide(presented, demands)) }
    } catch (error) {
      this.#refused(error)
      if (!(error instanceof Rejection)) throw error
      const { resourceMetadata, challengeScope: scope, address } = this.#settings
      const looks = { resourceMetadata, scope, proofs: address !== undefined, nonce: this.#proofs.nonce }
      return { answer: render(error, incoming.requestId, looks) }
    }
  }

  /** Judges a fetch API request: its token, or the response that refuses it. */
  async handle(request: Request, ...demands: readonly Demand[]): Promise<Verdict<Response>> {
    const authorization = joinedLines(request.headers, 'authorization')
    const requestId = request.headers.get('x-request-id') ?? undefined
    const { host, pathname: path } = new URL(request.url)
    const proofs = joinedLines(request.headers, 'dpop')
    const named = { method: request.method, path, host: request.headers.get('host') ?? host, source: request }
    const { token, answer } = await this.judge({ authorization, requestId, proofs, ...named }, demands)
    return token ? { token } : { answer: new Response(answer.body, answer) }
  }

  /** To be served at `/.well-known/oauth-protected-resource`; nothing where no resource is named. */
  resourceMetadata(): ResourceMetadata | undefined {
    const { resource, issuer, scopes, address } = this.#settings
    if (resource === undefined) return undefined
    return {
      resource,
      authorization_servers: [issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: scopes,
      ...(address && { dpop_signing_alg_values_supported: PROOF_ALGORITHMS }),
    }
  }

  metrics(): Metrics {
    const point = this.#follower.point
    const since = this.#freshness.sinceHeardMs
    return {
      ...this.#counters,
      rejected: { ...this.#counters.rejected },
      fresh: this.#freshness.isFresh,
      secondsSinceHeard: since === undefined ? null : since / 1000,
      entries: this.#checker.revocations.size,
      epoch: point?.epoch ?? null,
      seq: point?.seq ?? 0,
      skew: this.#time.skew,
    }
  }

  /** Ends the connection of the feed, which would keep the process alive. The guard is then stale before long. */
  close(): void {
    this.#closed.abort()
    this.#follower.close()
    this.#keys.close()
    this.#freshness.close()
    clearInterval(this.#sweeper)
  }

  #accepted(token: Verified): Verified {
    this.#counters.accepted += 1
    return token
  }

  #refused(error: unknown): void {
    if (!(error instanceof Rejection)) return
    const { rejected } = this.#counters
    rejected[error.code] = (rejected[error.code] ?? 0) + 1
  }

  /** What is judged of a request. The header `Host` counts only where the owner says so, and no other header does. */
  #presented({ scheme, token }: Credential, { proofs = [], method = '', path, host, source }: Incoming): Presented {
    if (scheme === 'bearer') return bearer(token)
    const { address } = this.#settings
    // Nobody could tell what its proof must be about: the answer names what would work.
    if (!address) throw new Rejection('no_token')
    const base = address(host)
    const uri = base !== undefined && path?.startsWith('/') ? base + path : undefined
    return { scheme, token, proofs, method, uri, source }
  }

  /** A token that was seen before is judged without waiting: a promise for each step would cost more than the steps. */
  #decide(presented: Presented, demands: readonly Demand[]): Verified | Promise<Verified> {
    const known = this.#checker.seen(presented.token)
    return known ? this.#heed(presented, known, demands) : this.#decideNew(presented, demands)
  }

  async #decideNew(presented: Presented, demands: readonly Demand[]): Promise<Verified> {
    return this.#heed(presented, await this.#checker.verify(presented.token), demands)
  }

  #heed(presented: Presented, token: Verified, demands: readonly Demand[]): Verified | Promise<Verified> {
    const { staleness } = this.#settings
    const { isFresh } = this.#freshness
    if (!isFresh && staleness === 'fail_closed') throw new Rejection('overloaded')
    // What is revoked stays revoked, whoever is asked.
    this.#checker.heed(token)
    const { cnf } = token.claims
    // RFC 9449 section 7.2: a bound token that came without its proof may be stolen.
    if ((presented.scheme === 'dpop') !== (cnf !== undefined)) throw new Rejection('invalid_token')
    const mustAsk = !isFresh && staleness === 'introspect'
    if (cnf) {
      // The issuer would want a proof of its own, which only the client can make.
      if (mustAsk) throw new Rejection('overloaded')
      const { source } = presented
      if (source && this.#proven.get(source) === presented.token) return this.#meeting(token, demands)
      return this.#proofs.check(presented, cnf.jkt).then(() => {
        if (source) this.#proven.set(source, presented.token)
        return this.#meeting(token, demands)
      })
    }
    if (!mustAsk) return this.#meeting(token, demands)
    return this.#introspection.ask(presented.token).then(() => this.#meeting(token, demands))
  }

  #meeting(token: Verified, demands: readonly Demand[]): Verified {
    if (demands.length === 0) return token
    const moment = { now: this.#time.now(), leeway: this.#settings.leeway }
    for (const demand of demands) {
      const refusal = demand(token, moment)
      if (refusal) throw refusal
    }
    return token
  }

  #steps(): Step[] {
    const { fetch, issuer, staleness } = this.#settings
    let endpoints: Endpoints
    const findEndpoints = async (): Promise<void> => {
      endpoints = await discover(fetch, issuer, this.#closed.signal)
      if (endpoints.verification) this.#introspection.start(endpoints.verification)
      else if (staleness === 'introspect') throw new Refused('the metadata has no verification_uri')
    }
    const takeSnapshot = async (): Promise<void> => {
      const taken = new Promise<void>((resolve) => {
        this.#firstSnapshot = resolve
      })
      void this.#follower.run(endpoints.stream)
      await taken
    }
    return [
      { name: 'reading the metadata of the issuer', run: findEndpoints },
      { name: 'reading the keys of the issuer', run: () => this.#keys.start(endpoints.jwks) },
      { name: 'taking a snapshot of the revocation feed', run: takeSnapshot, waitingFor: () => this.#follower.failure },
    ]
  }

  readonly #heard = (serverNow?: number, at?: number): void => {
    if (serverNow !== undefined && at !== undefined) this.#time.hear(serverNow, at)
    this.#freshness.heard()
    this.#firstSnapshot()
  }

  async #sweep(): Promise<void> {
    // Never by this machine's clock: one that is ahead for a while would drop what still counts afterwards.
    for (const _ of this.#checker.expire(this.#follower.serverTime)) await setImmediate()
  }
}

function bearer(token: string): Presented {
  return { scheme: 'bearer', token, proofs: [], method: '', uri: undefined }
}
