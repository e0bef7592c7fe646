import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

import { Backoff } from './backoff.js'
import type { Checker } from './checker.js'
import type { Clock } from './clock.js'
import { integer, readEntry, sequence } from './entry.js'
import { reason, type Report } from './events.js'
import type { Counters } from './metrics.js'
import type { Fetch } from './network.js'
import { RevocationSet } from './revocations.js'
import { readSnapshot } from './snapshot.js'
import { SseParser, type SseEvent } from './sse.js'
import { Malformed, parseObject, type JsonObject } from './strict.js'

export interface FollowerOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly checker: Checker
  readonly counters: Counters
  readonly report: Report
  /** The header `Authorization` of each connection. */
  readonly authorization: string | undefined
  /** How long a connection may say nothing, in milliseconds. */
  readonly silenceMs: number
  /** Called when something good was heard, with the server's time where it was told and when it came. */
  readonly heard: (serverNow?: number, at?: number) => void
  /** Called when an entry, not a snapshot, withdrew a key. */
  readonly keyWithdrawn: () => void
}

/** Where in the feed a reader is. */
interface Point {
  readonly epoch: string
  seq: number
}

/**
 * How far the server's clock may go back, in seconds: entries are kept that much longer than any token that they hit.
 */
const SET_BACK = 60

/** The server told of a number that this reader has not got to: something was lost on the way. */
class Gap extends Error {}

/** The server answered, and with no stream: to ask again alone does not mend it. */
class NoStream extends Error {}

/** Follows the revocation feed and never skips an entry: what it cannot read, it asks for again. */
export class Follower {
  readonly #options: FollowerOptions
  readonly #closed = new AbortController()
  readonly #backoff: Backoff
  #point: Point | undefined
  /** Whether the point may be resumed from. */
  #resumable = true
  /** Whether this connection has told how far the feed is, so that what follows is no backlog. */
  #inStep = false
  #serverTime = 0
  /** When the server was asked for this connection, in milliseconds of the monotonic clock. */
  #askedAt = 0
  /** The first time that the server told on it, in seconds since 1970. */
  #firstTold: number | undefined
  #failure = 'no connection yet'
  /** The refusal that was told last, until the issuer lets this guard in again. */
  #refusal = ''

  constructor(options: FollowerOptions) {
    this.#options = options
    this.#backoff = new Backoff(options.clock.monotonic)
  }

  get point(): Readonly<Point> | undefined {
    return this.#point
  }

  /** The highest time that the server told since the last snapshot, in seconds since 1970. */
  get serverTime(): number {
    return this.#serverTime
  }

  /** Why the last connection ended. */
  get failure(): string {
    return this.#failure
  }

  /** Connects again and again until closed. */
  async run(url: URL): Promise<void> {
    const { counters } = this.#options
    for (let first = true; !this.#closed.signal.aborted; first = false) {
      if (!first) counters.reconnects += 1
      await this.#connect(url).catch((error: unknown) => this.#lost(error))
      await sleep(this.#backoff.next(), undefined, { ref: false, signal: this.#closed.signal }).catch(() => undefined)
    }
  }

  close(): void {
    this.#closed.abort()
  }

  #lost(error: unknown): void {
    const { counters, report } = this.#options
    if (this.#closed.signal.aborted) return
    this.#failure = reason(error)
    if (error instanceof NoStream && this.#failure !== this.#refusal) {
      this.#refusal = this.#failure
      report({ type: 'feed_refused', level: 'warn', message: `the revocation feed is refused: ${this.#failure}` })
    }
    if (!(error instanceof Malformed)) return
    counters.malformed += 1
    this.#resumable = false
    this.#backoff.malformed()
    const message = `the revocation feed is malformed, taking a snapshot: ${this.#failure}`
    report({ type: 'feed_malformed', level: 'warn', message })
  }

  async #connect(url: URL): Promise<void> {
    this.#askedAt = this.#options.clock.monotonic()
    this.#firstTold = undefined
    const connection = new AbortController()
    const stop = (): void => connection.abort(new Error('closed'))
    this.#closed.signal.addEventListener('abort', stop, { once: true })
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
    try {
      const { signal } = connection
      const options = { headers: this.#headers(), signal, redirect: 'error', cache: 'no-store' } as const
      const response = await this.#heardFrom(this.#options.fetch(url, options), signal)
      reader = response.body?.getReader()
      const type = response.headers.get('content-type') ?? ''
      if (response.status !== 200 || !/^text\/event-stream\s*(;|$)/i.test(type) || !reader) {
        // It may not like the point: a snapshot it must have.
        const isForPoint = response.status === 400 && 'last-event-id' in options.headers
        if (isForPoint) this.#resumable = false
        const advice = response.status === 401 ? this.#advice() : ''
        const message = `${url.href} answered ${response.status} ${type}${advice}`
        const mayPass = isForPoint || response.status >= 500 || [408, 429].includes(response.status)
        throw mayPass ? new Error(message) : new NoStream(message)
      }
      this.#refusal = ''
      await this.#follow(reader, signal)
    } finally {
      this.#closed.signal.removeEventListener('abort', stop)
      connection.abort()
      // `fetch` may have forgotten its signal (see `readBounded`), and the connection would keep the process alive.
      void reader?.cancel().catch(() => undefined)
    }
  }

  #headers(): Record<string, string> {
    const { authorization } = this.#options
    const point = this.#resumable ? this.#point : undefined
    return {
      accept: 'text/event-stream',
      'accept-encoding': 'identity',
      ...(authorization && { authorization }),
      ...(point && { 'last-event-id': idOf(point) }),
    }
  }

  /** What a 401 asks for. */
  #advice(): string {
    return this.#options.authorization ? ': these feedCredentials are refused' : ': set feedCredentials'
  }

  /**
   * Reads until the connection ends, which it does by throwing. An event that the end cuts off is as if it had not come:
   * the next connection brings it. Were it malformed, a network that cuts often would cause snapshot after snapshot.
   */
  async #follow(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal): Promise<never> {
    const decoder = new TextDecoder('utf-8', { fatal: true })
    const parser = new SseParser()
    this.#inStep = false
    for (;;) {
      const { done, value } = await this.#heardFrom(reader.read(), signal)
      if (done) throw new Error('the server ended the connection')
      const at = this.#options.clock.wall()
      for (const event of parser.push(decode(decoder, value), at)) await this.#take(event)
    }
  }

  /** Waits for the server, but not longer than it may say nothing. */
  #heardFrom<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
    const { silenceMs } = this.#options
    return new Promise((resolve, reject) => {
      const silent = (): void => reject(new Error(`nothing was heard for ${silenceMs / 1000} s`))
      const timer = setTimeout(silent, silenceMs).unref()
      const stop = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', stop, { once: true })
      void work.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
      })
    })
  }

  async #take(event: SseEvent): Promise<void> {
    if (event.name === 'snapshot') await this.#snapshot(event)
    else if (event.name === 'revocation') this.#revocation(event)
    else if (event.name === 'heartbeat') this.#heartbeat(event)
    else return
    this.#backoff.reset()
  }

  async #snapshot(event: SseEvent): Promise<void> {
    const { checker, counters, heard } = this.#options
    const set = new RevocationSet()
    const reading = readSnapshot(event.data)
    let step = reading.next()
    for (; !step.done; step = reading.next()) {
      for (const raw of step.value) set.apply(readEntry(raw))
      // Requests get their turn between batches.
      await setImmediate()
    }
    const { epoch, seq, now } = step.value
    agrees(event, { epoch, seq })
    // Within an epoch nothing is taken back, though a snapshot of a server that lags may lack it.
    if (this.#point?.epoch === epoch) for (const _ of set.absorb(checker.revocations)) await setImmediate()
    checker.replace(set)
    this.#point = { epoch, seq }
    this.#resumable = true
    this.#inStep = true
    this.#serverTime = now
    this.#firstTold ??= now
    counters.snapshots += 1
    heard(now, event.begunAt)
  }

  #revocation(event: SseEvent): void {
    const { checker, counters, heard, keyWithdrawn } = this.#options
    const entry = readEntry(data(event))
    const point = this.#here()
    agrees(event, { epoch: point.epoch, seq: entry.seq })
    // Not higher than the last is an entry that was heard before.
    if (entry.seq > point.seq) {
      checker.revocations.apply(entry)
      if (entry.kind === 'key') keyWithdrawn()
      point.seq = entry.seq
      counters.applied += 1
    }
    if (this.#inStep) heard()
  }

  #heartbeat(event: SseEvent): void {
    const raw = data(event)
    const [now, seq] = [integer(raw['now'], 'now'), sequence(raw['seq'])]
    const own = this.#here().seq
    if (seq > own) throw new Gap(`the server is at ${seq}, this reader at ${own}`)
    // It was ahead, and what was dropped then may count after all.
    if (now < this.#serverTime - SET_BACK) throw new Malformed("the server's clock was set back")
    this.#inTime(now)
    this.#serverTime = Math.max(now, this.#serverTime)
    this.#inStep = true
    this.#options.heard(now, event.begunAt)
  }

  /**
   * Whether the server's time went on as fast as the time here since this connection was asked for. What somebody on the
   * way holds back would be heard late, and its times would turn the clock back.
   */
  #inTime(told: number): void {
    const { clock, silenceMs } = this.#options
    const there = Math.max(told - (this.#firstTold ??= told), 0) * 1000
    const late = clock.monotonic() - this.#askedAt - there
    // The server tells whole seconds.
    if (late > silenceMs + 1000) throw new Error(`what comes is ${late / 1000} s late`)
  }

  /** The point up to which nothing is missing. */
  #here(): Point {
    if (!this.#point || !this.#resumable) throw new Malformed('the feed does not begin with a snapshot')
    return this.#point
  }
}

function data(event: SseEvent): JsonObject {
  return parseObject(event.data.join('\n'))
}

function idOf({ epoch, seq }: Point): string {
  return `${epoch}:${seq}`
}

/** The id by which the server would resume is that of the data, where it gives one. */
function agrees({ id }: SseEvent, point: Point): void {
  if (id !== undefined && id !== idOf(point)) throw new Malformed('an id that is not that of its data')
}

function decode(decoder: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: true })
  } catch {
    throw new Malformed('not UTF-8')
  }
}
