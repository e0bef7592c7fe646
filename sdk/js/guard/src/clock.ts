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
  #last: number | undefined

  constructor(clock: Clock, report: Report) {
    this.#clock = clock
    this.#report = report
  }

  /** Seconds since 1970. */
  readonly now = (): number => seconds(this.#clock.wall()) + this.skew

  /** Seconds by which the server's clock is ahead, as last heard, where it counts; else 0. */
  get skew(): number {
    return Math.abs(this.#skew) >= TOLERATED ? this.#skew : 0
  }

  /**
   * Heeds the server's time, in seconds, which arrived when our clock showed `at`, in milliseconds. What was delayed on
   * its way, or by a busy process, makes the server's clock seem slow, so of the last two the higher counts.
   */
  hear(serverNow: number, at: number): void {
    const before = this.skew
    const heard = serverNow - seconds(at)
    this.#skew = Math.max(heard, this.#last ?? heard)
    this.#last = heard
    if ((this.skew === 0) === (before === 0)) return
    if (before) {
      this.#report({ type: 'clock_right', level: 'info', message: 'the clock agrees with that of the server again' })
    } else {
      const message = `the clock differs by ${Math.abs(this.skew)} s from that of the server, which counts`
      this.#report({ type: 'clock_skewed', level: 'warn', message })
    }
  }
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
