import type { MiddlewareHandler } from 'hono'

import type { Verified } from './checker.js'
import type { Demand } from './demands.js'
import type { Guard } from './guard.js'

/** What `protect` sets: `context.get('auth')` is the token. */
export interface GuardEnv {
  Variables: { auth: Verified }
}

/** Lets requests through whose token is good and meets every demand. */
export function protect(guard: Guard, ...demands: readonly Demand[]): MiddlewareHandler<GuardEnv> {
  return async (context, next) => {
    const { token, answer } = await guard.handle(context.req.raw, ...demands)
    if (answer) return answer
    context.set('auth', token)
    return next()
  }
}
