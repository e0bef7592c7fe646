import type { IncomingMessage, ServerResponse } from 'node:http'

import { headerLines } from './authorization.js'
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
type Middleware = (request: IncomingMessage & { auth?: Verified }, response: ServerResponse, next: Next) => void

/** Lets requests through whose token is good and meets every demand; it is then `request.auth`. */
export function protect(guard: Guard, ...demands: readonly Demand[]): Middleware {
  return (request, response, next) => {
    const authorization = headerLines(request.rawHeaders, 'authorization')
    const [requestId] = headerLines(request.rawHeaders, 'x-request-id')
    guard.judge({ authorization, requestId }, demands).then(({ token, answer }) => {
      if (answer) return send(response, answer)
      request.auth = token
      next()
    }).catch(next)
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body)
}
