import type { Clock } from './clock.js'
import type { Report } from './events.js'

/** Whether the revocations known can be relied on: the feed was heard within the bound. */
export class Freshness {
  readonly #boundMs: number
  readonly #clock: Clock
  readonly #report: Report
  #heardAt: number | undefined
  #timer: NodeJS.Timeout | undefined
  #told: 'nothing' | 'stale' | 'fresh' = 'nothing'

  constructor(boundMs: number, clock: Clock, report: Report) {
    this.#boundMs = boundMs
    this.#clock = clock
    this.#report = report
  }

  /** Milliseconds since the feed was heard; nothing before the first snapshot. */
  get sinceHeardMs(): number | undefined {
    return this.#heardAt === undefined ? undefined : this.#clock.monotonic() - this.#heardAt
  }

  get isFresh(): boolean {
    const since = this.sinceHeardMs
    return since !== undefined && since <= this.#boundMs
  }

  /** A snapshot was taken, or something was heard after one. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic()
    if (this.#told === 'stale') {
      this.#report({ type: 'fresh', level: 'info', message: 'the revocation feed is heard again' })
    }
    this.#told = 'fresh'
    this.#timer ??= this.#watch(this.#boundMs)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #watch(ms: number): NodeJS.Timeout {
    // A little later, so that the bound has surely passed.
    return setTimeout(() => this.#look(), ms + 10).unref()
  }

  #look(): void {
    this.#timer = undefined
    if (this.isFresh) {
      this.#timer = this.#watch(this.#boundMs - (this.sinceHeardMs ?? 0))
    } else {
      this.#told = 'stale'
      const message = `the revocation feed was not heard for ${this.#boundMs / 1000} s`
      this.#report({ type: 'stale', level: 'warn', message })
    }
  }
}
