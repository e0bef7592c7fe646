import type { Verified } from './checker.js'
import { Rejection, type SignIn } from './rejection.js'
import { isWord } from './token.js'

/** What a demand that depends on the time is judged by. */
export interface Moment {
  /** Seconds since 1970. */
  readonly now: number
  /** Seconds by which clocks may differ. */
  readonly leeway: number
}

/** What a route asks of a good token: nothing where it is met, else the refusal. They are judged one after the other. */
export type Demand = (token: Verified, moment: Moment) => Rejection | undefined

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
  if (!isWord(scope)) throw new TypeError('not a scope')
  return ({ scopes }) => (scopes.has(scope) ? undefined : new Rejection('insufficient_scope', scope))
}

/**
 * A sign-in no more than `maxAge` seconds ago (claim `auth_time`), of one of the kinds `acr` (claim `acr`, the best
 * first), or both; else 401 `insufficient_user_authentication`, whose challenge names what an authorization request must
 * ask for (RFC 9470 section 3). A token that does not say when or how does not pass.
 */
export function requireSignIn({ maxAge, acr }: SignIn): Demand {
  if (maxAge === undefined && acr === undefined) throw new TypeError('a sign-in: neither maxAge nor acr')
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0)) throw new RangeError('maxAge: seconds from 0')
  if (acr !== undefined && (acr.length === 0 || !acr.every(isWord))) throw new TypeError('acr: not a list of words')
  const wanted = Object.freeze({ maxAge, acr: acr && Object.freeze([...acr]) })
  return ({ claims }, { now, leeway }) => {
    const age = now - (claims.auth_time ?? -Infinity)
    // Nobody signs in in the future.
    const isRecent = maxAge === undefined || (age >= -leeway && age <= maxAge + leeway)
    const isOfKind = wanted.acr === undefined || (claims.acr !== undefined && wanted.acr.includes(claims.acr))
    return isRecent && isOfKind ? undefined : new Rejection('insufficient_user_authentication', undefined, wanted)
  }
}

// A demand for nothing would be met by nobody, or, worse, by everybody.
function named(names: readonly string[]): readonly string[] {
  if (names.length === 0 || names.some((name) => typeof name !== 'string' || name === '')) {
    throw new TypeError('a demand needs a name')
  }
  return names
}
