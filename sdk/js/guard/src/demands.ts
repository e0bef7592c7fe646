import type { Verified } from './checker.js'
import { Rejection } from './rejection.js'

/** What a route asks of a good token: nothing where it is met, else the refusal. */
export type Demand = (token: Verified) => Rejection | undefined

/** Any of these roles; else 403 `forbidden`. */
export function requireRole(...roles: [string, ...string[]]): Demand {
  const wanted = named(roles)
  return ({ claims }) => (wanted.some((role) => claims.roles.includes(role)) ? undefined : new Rejection('forbidden'))
}

/** This permission, such as `orders:read`, or all of them (`*`); else 403 `forbidden`. */
export function requirePermission(permission: string): Demand {
  named([permission])
  return ({ scopes }) => (scopes.has(permission) || scopes.has('*') ? undefined : new Rejection('forbidden'))
}

/** Exactly this scope; else 403 `insufficient_scope`, whose challenge names it (RFC 6750 section 3.1). */
export function requireScope(scope: string): Demand {
  if (!isScope(scope)) throw new TypeError('not a scope')
  return ({ scopes }) => (scopes.has(scope) ? undefined : new Rejection('insufficient_scope', scope))
}

/** RFC 6749 section 3.3: what a scope can be, and what may stand in a challenge. */
export function isScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
}

// A demand for nothing would be met by nobody, or, worse, by everybody.
function named(names: readonly string[]): readonly string[] {
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new TypeError('a demand needs a name')
  }
  return names
}
