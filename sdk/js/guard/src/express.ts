import type { IncomingMessage, ServerResponse } from 'node:http'

import { incoming } from './authorization.js'
import type { Verified } from './checker.js'
import type { Demand } from './demands.js'
import type { Guard } from './guard.js'
import type { Answer } from './problem.js'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** The token of a protected route. */
      auth?: Verified
    }
  }
}

type Next = (error?: unknown) => void
type Incoming = IncomingMessage & { auth?: Verified; originalUrl?: string }
type Middleware = (request: Incoming, response: ServerResponse, next: Next) => void

/** Lets requests through whose token is good and meets every demand; it is then `request.auth`. */
export function protect(guard: Guard, ...demands: readonly Demand[]): Middleware {
  return (request, response, next) => {
    guard.judge(incoming(request, request.originalUrl ?? request.url), demands).then(({ token, answer }) => {
      if (answer) return send(response, answer)
      request.auth = token
      next()
    }).catch(next)
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
}
