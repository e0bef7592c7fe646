import { setImmediate } from 'node:timers/promises'

import { credential, joinedLines } from './authorization.js'
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
import { render, type Answer } from './problem.js'
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
  #sweeper: NodeJS.Timeout | undefined
  #firstSnapshot: () => void = () => undefined

  /** @internal */
  constructor(settings: Settings) {
    const { clock, fetch, onEvent: report, silenceMs, stalenessBoundMs } = settings
    const counters = this.#counters
    this.#settings = settings
    this.#time = new JudgedTime(clock, report)
    const checker = new Checker({ ...settings, now: this.#time.now, findKeys: () => this.#keys.ask() })
    this.#checker = checker
    this.#keys = new KeySource({ fetch, clock, checker, counters, report })
    this.#freshness = new Freshness(stalenessBoundMs, clock, report)
    this.#introspection = new Introspection(fetch, counters)
    const follow = { heard: this.#heard, keyWithdrawn: this.#keys.withdrawn }
    this.#follower = new Follower({ fetch, clock, checker, counters, report, silenceMs, ...follow })
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
   * It asks nobody, save for a token that names an unknown key, or where it must introspect.
   */
  async verify(token: string, ...demands: readonly Demand[]): Promise<Verified> {
    try {
      return this.#accepted(await this.#decide(token, demands))
    } catch (error) {
      this.#refused(error)
      throw error
    }
  }

  /** Judges a request of any framework. */
  async judge({ authorization, requestId }: Incoming, demands: readonly Demand[] = []): Promise<Verdict<Answer>> {
    try {
      return { token: this.#accepted(await this.#decide(credential(authorization), demands)) }
    } catch (error) {
      this.#refused(error)
      if (!(error instanceof Rejection)) throw error
      return { answer: render(error, requestId, this.#settings.resourceMetadata) }
    }
  }

  /** Judges a fetch API request: its token, or the response that refuses it. */
  async handle(request: Request, ...demands: readonly Demand[]): Promise<Verdict<Response>> {
    const authorization = joinedLines(request.headers, 'authorization')
    const requestId = request.headers.get('x-request-id') ?? undefined
    const { token, answer } = await this.judge({ authorization, requestId }, demands)
    return token ? { token } : { answer: new Response(answer.body, answer) }
  }

  /** To be served at `/.well-known/oauth-protected-resource`; nothing where no resource is named. */
  resourceMetadata(): ResourceMetadata | undefined {
    const { resource, issuer, scopes } = this.#settings
    if (resource === undefined) return undefined
    return { resource, authorization_servers: [issuer], bearer_methods_supported: ['header'], scopes_supported: scopes }
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

  /** A token that was seen before is judged without waiting: a promise for each step would cost more than the steps. */
  #decide(text: string, demands: readonly Demand[]): Verified | Promise<Verified> {
    const known = this.#checker.seen(text)
    return known ? this.#heed(text, known, demands) : this.#decideNew(text, demands)
  }

  async #decideNew(text: string, demands: readonly Demand[]): Promise<Verified> {
    return this.#heed(text, await this.#checker.verify(text), demands)
  }

  #heed(text: string, token: Verified, demands: readonly Demand[]): Verified | Promise<Verified> {
    const { staleness } = this.#settings
    const { isFresh } = this.#freshness
    if (!isFresh && staleness === 'fail_closed') throw new Rejection('overloaded')
    // What is revoked stays revoked, whoever is asked.
    this.#checker.heed(token)
    if (isFresh || staleness === 'fail_open') return meeting(token, demands)
    return this.#introspection.ask(text).then(() => meeting(token, demands))
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

function meeting(token: Verified, demands: readonly Demand[]): Verified {
  for (const demand of demands) {
    const refusal = demand(token)
    if (refusal) throw refusal
  }
  return token
}
