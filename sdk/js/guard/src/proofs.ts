import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import { compactVerify } from 'jose'

import type { Scheme } from './authorization.js'
import { keyOfProof, type Algorithm } from './keys.js'
import { Rejection } from './rejection.js'
import { Malformed, decodeSegment, parseObject } from './strict.js'
import { isSameTarget } from './target.js'
import { isDate, isString, optional, readCompact, required } from './token.js'

/** How many seconds a client's clock may be ahead (RFC 9449 section 11.1). */
const AHEAD = 5
/** For how many seconds one nonce is given out. */
const NONCE_SECONDS = 60
const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map([
  ['ES256', 'ES256'],
  ['EdDSA', 'EdDSA'],
  ['Ed25519', 'EdDSA'],
  ['RS256', 'RS256'],
  ['PS256', 'PS256'],
])

/** What of a request is judged: its token, and what a proof must be about. */
export interface Presented {
  readonly scheme: Scheme
  readonly token: string
  /** Every line of the header `DPoP`. */
  readonly proofs: readonly string[]
  readonly method: string
  /** The absolute URI as clients know it; nothing where that is not known. */
  readonly uri: string | undefined
  /** The framework's request. */
  readonly source?: object | undefined
}

export interface ProofSettings {
  /** How old a proof may be, in seconds. */
  readonly maxAge: number
  /** How many proofs are remembered, about. */
  readonly capacity: number
  /** What nonces are made from, where proofs need one. */
  readonly nonceSecret: Uint8Array | undefined
  /** Seconds since 1970. */
  readonly now: () => number
}

/**
 * Judges proofs of possession (RFC 9449 section 4.3) and remembers them while they are good: exactly one, well-formed,
 * signed with the key in its header, for this request and this token, fresh, by the key that the token is bound to, with
 * a living nonce where nonces are asked for, and for the first time.
 */
export class Proofs {
  readonly #settings: ProofSettings
  readonly #replays: Replays

  constructor(settings: ProofSettings) {
    this.#settings = settings
    this.#replays = new Replays(settings.maxAge + AHEAD + 1, settings.capacity)
  }

  /** The nonce to give out, where proofs need one. */
  get nonce(): string | undefined {
    const { nonceSecret, now } = this.#settings
    return nonceSecret && nonceOf(nonceSecret, Math.floor(now() / NONCE_SECONDS))
  }

  /** Resolves where the proof is good for the token that is bound to `jkt`. Rejects with a `Rejection`. */
  async check(presented: Presented, jkt: string): Promise<void> {
    const [text, ...more] = presented.proofs
    if (text === undefined || more.length > 0) throw new Rejection('invalid_dpop_proof')
    const proof = await read(text, presented, this.#settings)
    if (proof.jkt !== jkt) throw new Rejection('invalid_token')
    if (!this.#isKnown(proof.nonce)) throw new Rejection('use_dpop_nonce')
    this.#replays.note(`${jkt}:${proof.jti}`, this.#settings.now())
  }

  #isKnown(nonce: string | undefined): boolean {
    const { nonceSecret, now } = this.#settings
    if (!nonceSecret) return true
    if (nonce === undefined) return false
    const slot = Math.floor(now() / NONCE_SECONDS)
    return [slot, slot - 1].some((one) => isEqual(nonceOf(nonceSecret, one), nonce))
  }
}

/** A secret to make nonces from, for a guard that shares them with no other. */
export function newNonceSecret(): Uint8Array {
  return randomBytes(32)
}

interface Proof {
  readonly jkt: string
  readonly jti: string
  readonly nonce: string | undefined
}

async function read(text: string, presented: Presented, settings: ProofSettings): Promise<Proof> {
  try {
    const { header, raw, payload } = readCompact(text)
    if (!/^(?:application\/)?dpop\+jwt$/i.test(header.typ ?? '')) throw new Malformed('type')
    const alg = ALGORITHMS.get(header.alg)
    if (!alg) throw new Malformed('algorithm')
    const { key, jkt } = await keyOfProof(raw['jwk'], alg)
    await compactVerify(text, key, { algorithms: [header.alg] })
    return { jkt, ...judge(payload, presented, settings) }
  } catch {
    // Whatever it is, the client is told the same: it is the client's own key that failed, or text that is no key.
    throw new Rejection('invalid_dpop_proof')
  }
}

function judge(payload: string, { token, method, uri }: Presented, { maxAge, now }: ProofSettings): Omit<Proof, 'jkt'> {
  const raw = parseObject(decodeSegment(payload))
  const jti = required(raw, 'jti', isString)
  const length = Buffer.byteLength(jti)
  if (length === 0 || length > 256) throw new Malformed('jti')
  if (required(raw, 'htm', isString) !== method) throw new Malformed('another method')
  if (uri === undefined || !isSameTarget(required(raw, 'htu', isString), uri)) throw new Malformed('another URI')
  const age = now() - Math.trunc(required(raw, 'iat', isDate))
  if (age > maxAge || age < -AHEAD) throw new Malformed('not fresh')
  const hash = createHash('sha256').update(token).digest('base64url')
  if (required(raw, 'ath', isString) !== hash) throw new Malformed('another token')
  return { jti, nonce: optional(raw, 'nonce', isString) }
}

/**
 * Two generations, each of a span of time in which every proof dies that was good at its beginning: nothing is forgotten
 * while it is good, and nothing needs a sweep.
 */
class Replays {
  readonly #span: number
  readonly #capacity: number
  #number = -Infinity
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(span: number, capacity: number) {
    this.#span = span
    this.#capacity = Math.ceil(capacity / 2)
  }

  note(proof: string, now: number): void {
    const number = Math.floor(now / this.#span)
    if (number > this.#number) {
      this.#old = number === this.#number + 1 ? this.#young : new Set()
      this.#young = new Set()
      this.#number = number
    }
    const id = createHash('sha256').update(proof).digest('base64url').slice(0, 22)
    if (this.#old.has(id) || this.#young.has(id)) throw new Rejection('invalid_dpop_proof')
    if (this.#young.size >= this.#capacity) throw new Rejection('overloaded')
    this.#young.add(id)
  }
}

/** The MAC of a minute: nobody need remember it, and whoever has the secret makes the same. */
function nonceOf(secret: Uint8Array, slot: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(BigInt(slot))
  return createHmac('sha256', secret).update(bytes).digest().subarray(0, 16).toString('base64url')
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}
