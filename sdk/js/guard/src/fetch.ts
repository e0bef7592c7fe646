import type { Verified } from './checker.js'
import type { Demand } from './demands.js'
import type { Guard } from './guard.js'

type Handler<R extends unknown[]> = (request: Request, token: Verified, ...rest: R) => Response | Promise<Response>

/** A handler of fetch API requests that hands on those whose token is good and meets every demand. */
export function protect<R extends unknown[]>(
  guard: Guard,
  handler: Handler<R>,
  ...demands: readonly Demand[]
): (request: Request, ...rest: R) => Promise<Response> {
  return async (request, ...rest) => {
    const { token, answer } = await guard.handle(request, ...demands)
    return answer ?? handler(request, token, ...rest)
  }
}
