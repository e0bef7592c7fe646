import { compactVerify, errors } from 'jose'

import { Cache } from './cache.js'
import { feedKey } from './entry.js'
import { KeySet, type Algorithm, type Key } from './keys.js'
import { Rejection } from './rejection.js'
import { RevocationSet, type Subject } from './revocations.js'
import { Malformed } from './strict.js'
import { isAccessToken, readClaims, readCompact, type AccessClaims, type Header } from './token.js'

/** A token with a good signature, of the right issuer, audience and type. It is shared and cannot be changed. */
export class Verified {
  readonly claims: AccessClaims
  /** What of the claim `scope` was granted: scopes, and permissions such as `orders:read`. */
  readonly scopes: ReadonlySet<string>
  /** What revocations ask about it. */
  readonly subject: Subject
  readonly #key: Key

  constructor(claims: AccessClaims, key: Key) {
    this.claims = claims
    this.scopes = new Set(claims.scope.split(' ').filter(Boolean))
    this.subject = {
      session: claims.sid === undefined ? undefined : feedKey('session', claims.sid),
      user: feedKey('user', claims.sub),
      token: feedKey('token', claims.jti),
      client: feedKey('client', claims.client_id),
      key: feedKey('key', key.kid ?? ''),
      version: claims.ver,
      issuedAt: claims.iat,
    }
    this.#key = key
    Object.freeze(this)
  }

  /** Whether the issuer still publishes the key that signed it. */
  get upheld(): boolean {
    return this.#key.live
  }
}

export interface CheckerOptions {
  readonly issuer: string
  readonly audience: string
  readonly algorithms: readonly Algorithm[]
  /** Seconds by which clocks may differ. */
  readonly leeway: number
  /** How many verified tokens are kept. */
  readonly cacheCapacity: number
  /** Seconds since 1970. */
  readonly now: () => number
  /** Asked when a token names a key that is not known; may bring new keys before it settles. It does not reject. */
  readonly findKeys?: () => Promise<void>
}

/** Decides about access tokens by what it knows: keys, revocations, and tokens seen before. */
export class Checker {
  readonly #options: CheckerOptions
  readonly #cache: Cache<Verified>
  #keys: KeySet | undefined
  #revocations = new RevocationSet()

  constructor(options: CheckerOptions) {
    this.#options = options
    this.#cache = new Cache(options.cacheCapacity)
  }

  get revocations(): RevocationSet {
    return this.#revocations
  }

  /** Puts a set in the place of all revocations, at once. */
  replace(revocations: RevocationSet): void {
    this.#revocations = revocations
  }

  get keys(): KeySet | undefined {
    return this.#keys
  }

  /** Trusts these keys and no others, from now on for every token, seen before or not. */
  setKeys(keys: KeySet): void {
    this.#keys?.retire(keys)
    this.#keys = keys
    this.#cache.dropWhere((known) => !known.upheld)
  }

  /** Forgets, in slices, entries that no living token can be hit by at `now` (seconds since 1970). */
  expire(now: number): Generator<void, void, void> {
    return this.#revocations.expire(now - this.#options.leeway)
  }

  /** The token, if it is good and no revocation hits it. Throws a `Rejection`. */
  async check(token: string): Promise<Verified> {
    return this.heed(await this.verify(token))
  }

  /** As `verify`, without waiting, for a token that was verified before; nothing for any other. */
  seen(token: string): Verified | undefined {
    const known = this.#cache.find(token)
    return known?.upheld ? this.#inTime(known) : undefined
  }

  /** The token, if it is good, revocations aside. Rejections: `invalid_token`, `token_expired`. */
  async verify(token: string): Promise<Verified> {
    try {
      return this.seen(token) ?? (await this.#verifyNew(token))
    } catch (error) {
      // What is wrong with it is nobody's business: a forger would learn from it.
      if (error instanceof Malformed || error instanceof errors.JOSEError) throw new Rejection('invalid_token')
      throw error
    }
  }

  /** The token, if no revocation hits it. Rejections: `token_revoked` before `token_stale`. */
  heed(verified: Verified): Verified {
    const effect = this.#revocations.find(verified.subject)
    if (effect) throw new Rejection(`token_${effect}`)
    return verified
  }

  async #verifyNew(token: string): Promise<Verified> {
    const { header, payload } = readCompact(token)
    const key = await this.#keyOf(header)
    await compactVerify(token, key.key, { algorithms: [key.alg] })
    const claims = readClaims(payload)
    const { issuer, audience } = this.#options
    // RFC 7519 section 4.1.1, RFC 9068 section 4: byte for byte.
    if (claims.iss !== issuer) throw new Malformed('another issuer')
    // RFC 7519 section 4.1.3.
    if (![claims.aud].flat().includes(audience)) throw new Malformed('another audience')
    const verified = this.#inTime(new Verified(claims, key))
    if (verified.upheld) this.#cache.insert(token, verified)
    return verified
  }

  async #keyOf({ alg, typ, kid }: Header): Promise<Key> {
    // RFC 8725 section 3.1: a list of algorithms, which `none` is never on.
    if (!this.#options.algorithms.some((allowed) => allowed === alg)) throw new Malformed('algorithm')
    if (!isAccessToken(typ)) throw new Malformed('type')
    if (!this.#keys || this.#keys.lacks(kid)) await this.#options.findKeys?.()
    // Nothing can be said before the first keys have come.
    if (!this.#keys) throw new Rejection('overloaded')
    const key = this.#keys.choose(alg, kid)
    if (!key) throw new Malformed('unknown key')
    return key
  }

  /** What of a verified token changes with the time (RFC 7519 sections 4.1.4 to 4.1.6). */
  #inTime(verified: Verified): Verified {
    const { exp, iat, nbf } = verified.claims
    const { leeway, now } = this.#options
    const time = now()
    if (time >= exp + leeway) throw new Rejection('token_expired')
    if (Math.max(iat, nbf ?? 0) > time + leeway) throw new Rejection('invalid_token')
    return verified
  }
}
