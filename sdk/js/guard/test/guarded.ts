import type { TestContext } from 'node:test'

import { createGuard, Rejection, type Guard, type GuardEvent, type GuardOptions } from '@symbolon/guard'

import { AUDIENCE, TestIssuer } from './issuer.js'

/** A clock that the test moves. */
export class TestClock {
  offset = 0
  readonly wall = (): number => Date.now() + this.offset
  readonly monotonic = (): number => performance.now() + this.offset
}

export interface Guarded {
  issuer: TestIssuer
  guard: Guard
  clock: TestClock
  events: GuardEvent[]
  /** The code of the refusal of a token, or null. */
  verdict: (token: string) => Promise<string | null>
}

/** An issuer and a guard that follows it, both gone when the test ends. */
export async function guarded(t: TestContext, options: Partial<GuardOptions> = {}, prepare?: (issuer: TestIssuer) => void): Promise<Guarded> {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  prepare?.(issuer)
  const clock = new TestClock()
  const events: GuardEvent[] = []
  const guard = await createGuard({ issuer: issuer.url, audience: AUDIENCE, clock, onEvent: (event) => events.push(event), ...options })
  t.after(() => guard.close())
  return { issuer, guard, clock, events, verdict: (token) => verdict(guard, token) }
}

export async function verdict(guard: Guard, token: string): Promise<string | null> {
  try {
    await guard.verify(token)
    return null
  } catch (error) {
    if (error instanceof Rejection) return error.code
    throw error
  }
}
