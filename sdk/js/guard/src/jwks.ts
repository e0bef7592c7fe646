import type { Checker } from './checker.js'
import type { Clock } from './clock.js'
import { reason, type Report } from './events.js'
import { KeySet } from './keys.js'
import type { Counters } from './metrics.js'
import { fetchDocument, type Fetch } from './network.js'

/** How often keys are read without cause. */
const PERIOD_MS = 300_000
/** How often they are read for a token of an unknown key, unless the feed tells of a withdrawal, and after a failure. */
const COOL_DOWN_MS = 10_000

export interface KeySourceOptions {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly checker: Checker
  readonly counters: Counters
  readonly report: Report
}

/** Keeps the checker's keys as the issuer publishes them. The old ones stay while it cannot be asked. */
export class KeySource {
  readonly #options: KeySourceOptions
  readonly #closed = new AbortController()
  #url: URL | undefined
  #underWay: Promise<void> | undefined
  #askedAt = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(options: KeySourceOptions) {
    this.#options = options
  }

  /** Reads the keys for the first time; rejects if that fails. */
  async start(url: URL): Promise<void> {
    this.#url = url
    await this.#read(url)
  }

  /** For a token of an unknown key: however many ask at once, the issuer is asked once, and not too often. */
  readonly ask = async (): Promise<void> => {
    const now = this.#options.clock.monotonic()
    if (!this.#url) return
    if (!this.#underWay) {
      if (now - this.#askedAt < COOL_DOWN_MS) return
      this.#askedAt = now
    }
    // The failure is counted and told; the tokens of keys known before are as good as ever.
    await this.#read(this.#url).catch(() => undefined)
  }

  /** A key was withdrawn, and what follows is signed with another: the next token of an unknown key need not wait. */
  readonly withdrawn = (): void => {
    this.#askedAt = -Infinity
  }

  close(): void {
    this.#closed.abort()
    clearTimeout(this.#timer)
  }

  #read(url: URL): Promise<void> {
    this.#underWay ??= this.#readNow(url).finally(() => {
      this.#underWay = undefined
    })
    return this.#underWay
  }

  async #readNow(url: URL): Promise<void> {
    const { fetch, checker, counters, report } = this.#options
    let again = PERIOD_MS
    counters.keyFetches += 1
    try {
      const document = await fetchDocument(fetch, url, this.#closed.signal)
      checker.setKeys(await (checker.keys ?? new KeySet()).next(document))
    } catch (error) {
      again = COOL_DOWN_MS
      counters.keyFailures += 1
      if (!this.#closed.signal.aborted) {
        report({ type: 'keys_failed', level: 'warn', message: `the issuer's keys could not be read: ${reason(error)}` })
      }
      throw error
    } finally {
      this.#later(url, again)
    }
  }

  #later(url: URL, ms: number): void {
    clearTimeout(this.#timer)
    if (this.#closed.signal.aborted) return
    this.#timer = setTimeout(() => void this.#read(url).catch(() => undefined), ms).unref()
  }
}
