import type { Clock } from './clock.js'
import { NetworkError, SymbolonError } from './errors.js'

/** How long one request may take, in milliseconds. */
const ATTEMPT_MS = 10_000
/** The same for the first two attempts: both fit into the 10 s in which a server takes a refresh again whatever happened. */
const FIRST_MS = 4_000
/** How long all attempts together may take, in milliseconds. */
const PATIENCE_MS = 30_000
const MOST_ATTEMPTS = 8
const FIRST_WAIT_MS = 200
const LONGEST_WAIT_MS = 5000

/** True for what may be otherwise a moment later: no answer, overload, a fault. */
export function isPassing(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof SymbolonError && (error.status === 429 || error.status >= 500))
}

/** One call, bounded in time. */
export function once<T>(attempt: (signal: AbortSignal) => Promise<T>, patience = ATTEMPT_MS): Promise<T> {
  return attempt(AbortSignal.timeout(patience))
}

/**
 * Calls until there is an answer that counts, with growing waits and jitter, as `Retry-After` says where there is one; at
 * most 8 times in 30 s. Only for what may be said twice.
 */
export async function persist<T>(clock: Clock, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const deadline = clock.now() + PATIENCE_MS
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await once(attempt, attempts <= 2 ? FIRST_MS : ATTEMPT_MS)
    } catch (error) {
      const backoff = Math.min(FIRST_WAIT_MS * 2 ** (attempts - 1), LONGEST_WAIT_MS) * (0.5 + Math.random() / 2)
      const wait = (error instanceof SymbolonError && error.retryAfterMs) || backoff
      if (!isPassing(error) || attempts >= MOST_ATTEMPTS || clock.now() + wait > deadline) throw error
      await clock.sleep(wait)
    }
  }
}
