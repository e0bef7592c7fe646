/** Why a request is refused: the words of the problem bodies. */
export type Code =
  | 'malformed_request'
  | 'no_token'
  | 'invalid_token'
  | 'token_expired'
  | 'token_revoked'
  | 'token_stale'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication'
  | 'forbidden'
  | 'insufficient_scope'
  | 'overloaded'

const STATUS: Readonly<Record<Code, number>> = {
  malformed_request: 400,
  no_token: 401,
  invalid_token: 401,
  token_expired: 401,
  token_revoked: 401,
  token_stale: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_user_authentication: 401,
  forbidden: 403,
  insufficient_scope: 403,
  overloaded: 503,
}

/** What is asked of a sign-in (RFC 9470 section 3). */
export interface SignIn {
  /** Seconds that it may be ago. */
  readonly maxAge?: number | undefined
  /** The kinds of which it must be one, the best first. */
  readonly acr?: readonly string[] | undefined
}

/** A refusal. It says nothing about the token itself, so it may be logged. */
export class Rejection extends Error {
  override readonly name = 'Rejection'
  readonly code: Code
  /** The scope that was asked for, with `insufficient_scope`. */
  readonly scope: string | undefined
  /** The sign-in that was asked for, with `insufficient_user_authentication`. */
  readonly signIn: SignIn | undefined

  constructor(code: Code, scope?: string, signIn?: SignIn) {
    super(code)
    this.code = code
    this.scope = scope
    this.signIn = signIn
  }

  /** The HTTP status: 400, 401, 403 or 503. */
  get status(): number {
    return STATUS[this.code]
  }
}

/** The code of a foreign answer, if it is one that this status may carry. */
export function codeOf(status: number, code: unknown): Code | undefined {
  if (typeof code !== 'string' || !Object.hasOwn(STATUS, code)) return undefined
  return STATUS[code as Code] === status ? (code as Code) : undefined
}
