import type { FastifyReply, FastifyRequest } from 'fastify'

import { incoming } from './authorization.js'
import type { Verified } from './checker.js'
import type { Demand } from './demands.js'
import type { Guard } from './guard.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** The token of a protected route. */
    auth?: Verified
  }
}

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** A hook, best `onRequest`, that lets requests through whose token is good and meets every demand: `request.auth`. */
export function protect(guard: Guard, ...demands: readonly Demand[]): Hook {
  return async (request, reply) => {
    const { token, answer } = await guard.judge(incoming(request.raw, request.originalUrl), demands)
    // As bytes: to a text it would add a charset, which this media type does not have.
    if (answer) return reply.code(answer.status).headers(answer.headers).send(Buffer.from(answer.body))
    request.auth = token
    return undefined
  }
}
