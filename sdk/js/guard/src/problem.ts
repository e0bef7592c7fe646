import { randomUUID } from 'node:crypto'

import type { Code, Rejection } from './rejection.js'

/** An answer in no framework's terms. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  503: 'Service Unavailable',
}

const DETAILS: Readonly<Partial<Record<Code, string>>> = {
  malformed_request: 'The header authorization is given more than once.',
  no_token: 'No token provided',
  forbidden: 'You are not allowed to do this.',
  insufficient_scope: "The token's scope does not allow this.",
  overloaded: 'The service is busy. Wait and try again.',
}

/** RFC 6750 section 3: without credentials no error is named. */
const ERRORS: Readonly<Partial<Record<Code, [error: string, description: string] | []>>> = {
  no_token: [],
  invalid_token: ['invalid_token', 'The access token is not valid'],
  token_expired: ['invalid_token', 'The access token expired'],
  token_revoked: ['invalid_token', 'The access token was revoked'],
  token_stale: ['invalid_token', 'The access token is stale'],
  insufficient_scope: ['insufficient_scope', "The token's scope does not allow this"],
}

/** Renders a refusal as `application/problem+json` (RFC 9457) with its challenge. */
export function render(rejection: Rejection, requestId: string | undefined, resourceMetadata?: string): Answer {
  const { code, status } = rejection
  const id = requestId !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(requestId) ? requestId : randomUUID()
  const type = `urn:symbolon:problem:${code}`
  const detail = DETAILS[code] ?? 'Invalid token'
  const challenge = challengeOf(rejection, resourceMetadata)
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(status === 503 && { 'Retry-After': '1' }),
    },
    body: JSON.stringify({ type, title: TITLES[status], status, detail, code, requestId: id }),
  }
}

/** The value of `WWW-Authenticate` (RFC 6750 section 3; RFC 9728 section 5.1), where there is one. */
export function challengeOf({ code, scope }: Rejection, resourceMetadata?: string): string | undefined {
  const named = ERRORS[code]
  if (!named) return undefined
  const [error, description] = named
  const parameters: [string, string | undefined][] = [
    ['resource_metadata', resourceMetadata],
    ['error', error],
    ['error_description', description],
    ['scope', scope],
  ]
  const written = parameters.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}="${value}"`)
  return ['Bearer', written.join(', ')].filter(Boolean).join(' ')
}
