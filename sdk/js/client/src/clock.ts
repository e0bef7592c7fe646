/** Time as the client sees it. Only differences count: it is never compared with the server's. */
export interface Clock {
  /** Milliseconds since whenever. */
  now(): number
  /** Resolves after so many milliseconds. */
  sleep(ms: number): Promise<void>
}

const began = Date.now() - performance.now()

/** The monotonic clock; and the wall clock where that is ahead, because the other one may stand still while a machine sleeps. */
export const systemClock: Clock = {
  now: () => Math.max(performance.now(), Date.now() - began),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}
