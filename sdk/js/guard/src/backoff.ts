const FIRST_MS = 100
const LONGEST_MS = 5000
/** Doublings until the longest is surely reached. */
const MOST = 6
/** How long the feed must be readable before what was malformed is forgotten, in milliseconds. */
const FORGIVEN_MS = 60_000

/** How long to wait before the next try: 100 ms, doubling to 5 s, with jitter. */
export class Backoff {
  readonly #now: () => number
  #failures = 0
  #malformed = 0
  #malformedAt = -Infinity

  constructor(now: () => number) {
    this.#now = now
  }

  next(): number {
    const doublings = Math.min(Math.max(this.#failures, this.#malformed), MOST)
    this.#failures += 1
    return Math.min(FIRST_MS * 2 ** doublings, LONGEST_MS) * (0.5 + Math.random() / 2)
  }

  /** Something good was heard. */
  reset(): void {
    this.#failures = 0
  }

  /** What is malformed brings on a whole snapshot, which is dear: good events between do not hide that it goes on. */
  malformed(): void {
    const now = this.#now()
    this.#malformed = now - this.#malformedAt > FORGIVEN_MS ? 0 : Math.min(this.#malformed + 1, MOST)
    this.#malformedAt = now
  }
}
