import type { Report } from './events.js'

/** The sources of time, to be exchanged in tests. */
export interface Clock {
  /** Milliseconds since 1970, as the machine believes. */
  readonly wall: () => number
  /** Milliseconds since whenever, never set back. */
  readonly monotonic: () => number
}

export const systemClock: Clock = { wall: () => Date.now(), monotonic: () => performance.now() }

/** Seconds by which the clocks may differ before it counts: less is the time on the way. */
const TOLERATED = 2

/** The time that tokens are judged by: the machine's, put right by what the server says of its own. */
export class JudgedTime {
  readonly #clock: Clock
  readonly #report: Report
  #skew = 0

  constructor(clock: Clock, report: Report) {
    this.#clock = clock
    this.#report = report
  }

  /** Seconds since 1970. */
  readonly now = (): number => seconds(this.#clock.wall()) + (this.#isSkewed() ? this.#skew : 0)

  /** The server's clock less ours, in seconds, as last heard. */
  get skew(): number {
    return this.#skew
  }

  /** Heeds the server's time, in seconds, which arrived when our clock showed `at`, in milliseconds. */
  hear(serverNow: number, at: number): void {
    const before = this.#isSkewed()
    this.#skew = serverNow - seconds(at)
    if (this.#isSkewed() === before) return
    if (before) this.#report({ type: 'clock_right', level: 'info', message: 'the clock agrees with the server again' })
    else this.#report({ type: 'clock_skewed', level: 'warn', message: `the clock is ${-this.#skew} s ahead of the server's; the server's counts` })
  }

  #isSkewed(): boolean {
    return Math.abs(this.#skew) >= TOLERATED
  }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
