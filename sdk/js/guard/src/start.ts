import { setTimeout as sleep } from 'node:timers/promises'

import { Backoff } from './backoff.js'
import type { Clock } from './clock.js'
import { Refused } from './discovery.js'
import { reason, type Report } from './events.js'

/** A guard could not start. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

export interface Step {
  readonly name: string
  readonly run: () => Promise<void>
  /** Why it is not done yet, where it does not end by itself. */
  readonly waitingFor?: () => string
}

export interface StartOptions {
  readonly clock: Clock
  readonly report: Report
  readonly closed: AbortSignal
  /** In milliseconds; nothing: tries for ever. */
  readonly timeoutMs: number | undefined
}

/** Does the steps in turn, each until it succeeds. Rejects with a `StartError` that names the step and the reason. */
export async function startUp(steps: readonly Step[], options: StartOptions): Promise<void> {
  const { timeoutMs, closed } = options
  const progress: Progress = { step: '', reason: 'no answer yet' }
  const work = inTurn(steps, options, progress)
  if (timeoutMs === undefined) return work
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    // This timer keeps the process alive: while it waits for its guard, there may be nothing else that does.
    timer = setTimeout(() => {
      const why = steps.find(({ name }) => name === progress.step)?.waitingFor?.() ?? progress.reason
      reject(new StartError(`${progress.step}, not done within ${timeoutMs / 1000} s: ${why}`))
    }, timeoutMs)
    closed.addEventListener('abort', () => reject(new StartError('closed')), { once: true })
  })
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}

interface Progress {
  step: string
  reason: string
}

async function inTurn(steps: readonly Step[], options: StartOptions, progress: Progress): Promise<void> {
  const { clock, report, closed, timeoutMs } = options
  for (const { name, run } of steps) {
    const backoff = new Backoff(clock.monotonic)
    Object.assign(progress, { step: name, reason: 'no answer yet' })
    while (!closed.aborted) {
      try {
        await run()
        break
      } catch (error) {
        const why = reason(error)
        // Who waits is told by the error; who does not, once for each new reason.
        if (timeoutMs === undefined && why !== progress.reason) {
          report({ type: 'start_failed', level: 'warn', message: `${name}: ${why}` })
        }
        progress.reason = why
        if (timeoutMs !== undefined && error instanceof Refused) {
          throw new StartError(`${name}: ${why}`, { cause: error })
        }
        await sleep(backoff.next(), undefined, { ref: false, signal: closed }).catch(() => undefined)
      }
    }
  }
}
