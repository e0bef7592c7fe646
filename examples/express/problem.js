import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'

/** Answers as RFC 9457 says, in the form of the guard's own answers. */
export function problem(res, status, code, detail, more) {
  const requestId = randomUUID()
  const body = { type: `urn:symbolon:problem:${code}`, title: STATUS_CODES[status], status, detail, code, requestId, ...more }
  res.status(status).set({ 'X-Request-Id': requestId, 'Cache-Control': 'no-store' })
  res.type('application/problem+json').send(Buffer.from(JSON.stringify(body)))
}

export function invalid(pointer, expected) {
  return { pointer, code: 'invalid', detail: `Must be ${expected}.` }
}

/** The last handler: bodies that cannot be read, and faults, of which nothing is told. */
export function onError(error, req, res, next) {
  if (res.headersSent) return next(error)
  if (error.status === 413) return problem(res, 413, 'payload_too_large', 'The body is too large.')
  if (error.status >= 400 && error.status < 500) return problem(res, error.status, 'malformed_request', 'The body cannot be read.')
  console.error(error)
  return problem(res, 500, 'internal_error', 'Something went wrong here.')
}
