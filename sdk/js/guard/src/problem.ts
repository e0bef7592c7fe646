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
  invalid_dpop_proof: 'Invalid proof',
  use_dpop_nonce: 'The proof needs a nonce',
  insufficient_user_authentication: 'You must sign in again for this.',
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
  insufficient_user_authentication: ['insufficient_user_authentication', 'The person must sign in again'],
  insufficient_scope: ['insufficient_scope', "The token's scope does not allow this"],
}

/** RFC 9449 sections 7.1 and 9: what is said of the scheme `DPoP` only. */
const PROOF_ERRORS: typeof ERRORS = {
  invalid_dpop_proof: ['invalid_dpop_proof', 'The proof is not valid'],
  use_dpop_nonce: ['use_dpop_nonce', 'The proof needs the nonce of this answer'],
}

/** The algorithms of proofs, as challenges and metadata list them. */
export const PROOF_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'PS256'] as const

/** What of the guard goes into its answers. */
export interface Looks {
  readonly resourceMetadata?: string | undefined
  /** The scopes to begin with, which answers with 401 name. */
  readonly scope?: string | undefined
  /** Whether it judges proofs of possession. */
  readonly proofs?: boolean
  /** The nonce that proofs need, if they do. */
  readonly nonce?: string | undefined
}

/** Renders a refusal as `application/problem+json` (RFC 9457) with its challenge. */
export function render(rejection: Rejection, requestId: string | undefined, looks: Looks = {}): Answer {
  const { code, status } = rejection
  const id = requestId !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(requestId) ? requestId : randomUUID()
  const type = `urn:symbolon:problem:${code}`
  const detail = DETAILS[code] ?? 'Invalid token'
  const challenge = challengeOf(rejection, looks)
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json',
      'Cache-Control': 'no-store',
      'X-Request-Id': id,
      ...(challenge !== undefined && { 'WWW-Authenticate': challenge }),
      ...(code === 'use_dpop_nonce' && looks.nonce !== undefined && { 'DPoP-Nonce': looks.nonce }),
      ...(status === 503 && { 'Retry-After': '1' }),
    },
    body: JSON.stringify({ type, title: TITLES[status], status, detail, code, requestId: id }),
  }
}

/** The value of `WWW-Authenticate` (RFC 6750 section 3; RFC 9728 section 5.1; RFC 9449 section 7.1; RFC 9470 section 3), where there is one. */
export function challengeOf({ code, status, scope, signIn }: Rejection, looks: Looks = {}): string | undefined {
  const { resourceMetadata, proofs = false } = looks
  const ofProof = PROOF_ERRORS[code]
  const named = ERRORS[code] ?? (ofProof && [])
  if (!named) return undefined
  // Who signs in once more for a route asks for the scopes that they had.
  const first = status === 401 && code !== 'insufficient_user_authentication' ? looks.scope : undefined
  const written = (scheme: string, [error, description]: readonly string[], algs?: string): string => {
    const parameters: [string, string | undefined][] = [
      ['resource_metadata', resourceMetadata],
      ['error', error],
      ['error_description', description],
      ['scope', scope ?? first],
      ['max_age', signIn?.maxAge?.toString()],
      ['acr_values', signIn?.acr?.join(' ')],
      ['algs', algs],
    ]
    const all = parameters.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}="${value}"`)
    return [scheme, all.join(', ')].filter(Boolean).join(' ')
  }
  const bearer = written('Bearer', named)
  return proofs ? `${bearer}, ${written('DPoP', ofProof ?? named, PROOF_ALGORITHMS.join(' '))}` : bearer
}
