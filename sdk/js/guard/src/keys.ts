import { calculateJwkThumbprint, importJWK, type CryptoKey, type JWK } from 'jose'

import { Malformed, isObject, parseObject, type JsonObject } from './strict.js'

/** The algorithms that a key may have. A shared secret is no key of a JWK Set. */
export type Algorithm = 'ES256' | 'EdDSA' | 'RS256' | 'PS256'

/** One public key, parsed once, for one algorithm. */
export interface Key {
  readonly kid: string | undefined
  readonly alg: Algorithm
  readonly key: CryptoKey
  /** The members that make it, to know it again. */
  readonly text: string
  /** Whether the issuer still publishes it. */
  live: boolean
}

/** Which members make a key of each kind, and the algorithms it can have, the usual one first. */
const KINDS: ReadonlyMap<string, { members: readonly string[]; algorithms: readonly Algorithm[] }> = new Map([
  ['EC P-256', { members: ['kty', 'crv', 'x', 'y'], algorithms: ['ES256'] }],
  ['OKP Ed25519', { members: ['kty', 'crv', 'x'], algorithms: ['EdDSA'] }],
  ['RSA', { members: ['kty', 'n', 'e'], algorithms: ['RS256', 'PS256'] }],
])
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const MAX_KEYS = 256

/** The keys of the issuer. */
export class KeySet {
  readonly #keys: readonly Key[]

  constructor(keys: readonly Key[] = []) {
    this.#keys = keys
  }

  get size(): number {
    return this.#keys.length
  }

  /**
   * Reads the JWK Set that follows this one; keys that stayed the same are the same objects. Keys of a kind, use or
   * algorithm that is not ours are left out (RFC 7517 section 5); anything else wrong with a key refuses the set.
   */
  async next(json: string): Promise<KeySet> {
    const { keys } = parseObject(json)
    if (!Array.isArray(keys) || keys.length > MAX_KEYS) throw new Malformed('no list of keys')
    const parts = keys.map((jwk: unknown) => read(jwk)).filter((key) => key !== undefined)
    const kids = parts.map(({ kid }) => kid).filter((kid) => kid !== undefined)
    if (new Set(kids).size < kids.length) throw new Malformed('two keys of one name')
    return new KeySet(await Promise.all(parts.map(async (part) => this.#same(part.text) ?? (await prepare(part)))))
  }

  /** Marks the keys that are not in the set that follows. */
  retire(next: KeySet): void {
    for (const key of this.#keys) key.live = next.#keys.includes(key)
  }

  /** Whether a header names a key that is not here, so that asking the issuer might help. */
  lacks(kid: string | undefined): boolean {
    return kid !== undefined && !this.#keys.some((key) => key.kid === kid)
  }

  /**
   * The one key that a token may be verified with. A header without `kid` leaves the choice to the algorithm, and it
   * must be no choice. Each key has one algorithm (RFC 8725 section 3.1).
   */
  choose(alg: string, kid: string | undefined): Key | undefined {
    const named = this.#keys.find((key) => kid !== undefined && key.kid === kid)
    if (named) return named.alg === alg ? named : undefined
    const [only, ...more] = this.#keys.filter(
      (key) => key.alg === alg && (kid === undefined || key.kid === undefined),
    )
    return more.length === 0 ? only : undefined
  }

  #same(text: string): Key | undefined {
    return this.#keys.find((key) => key.text === text)
  }
}

/** A key that a proof brings with it, prepared for the algorithm of its header. */
export async function keyOfProof(jwk: unknown, alg: Algorithm): Promise<{ key: CryptoKey; jkt: string }> {
  if (!isObject(jwk)) throw new Malformed('no key')
  const declared = jwk['alg'] === 'Ed25519' ? 'EdDSA' : (jwk['alg'] ?? alg)
  const parts = read({ ...jwk, alg: declared })
  if (parts?.alg !== alg) throw new Malformed('no key for the algorithm')
  const { key } = await prepare(parts)
  return { key, jkt: await calculateJwkThumbprint(parts.jwk) }
}

interface Parts {
  kid: string | undefined
  alg: Algorithm
  jwk: JWK
  text: string
}

function read(jwk: unknown): Parts | undefined {
  if (!isObject(jwk)) throw new Malformed('a key that is no object')
  const kind = KINDS.get([text(jwk, 'kty'), text(jwk, 'crv')].filter(Boolean).join(' '))
  const use = text(jwk, 'use') ?? 'sig'
  const operations = jwk['key_ops'] ?? ['verify']
  if (!Array.isArray(operations)) throw new Malformed('key_ops')
  const alg = text(jwk, 'alg') ?? kind?.algorithms[0]
  if (!kind || use !== 'sig' || !operations.includes('verify')) return undefined
  const algorithm = kind.algorithms.find((one) => one === alg)
  if (!algorithm) return undefined
  if (PRIVATE.some((name) => jwk[name] !== undefined)) throw new Malformed('a private key')
  const kid = text(jwk, 'kid')
  if (kid !== undefined && (kid.length === 0 || kid.length > 256)) throw new Malformed('kid')
  const members = Object.fromEntries(kind.members.map((name) => [name, text(jwk, name)]))
  return { kid, alg: algorithm, jwk: members as JWK, text: JSON.stringify([kid, algorithm, members]) }
}

async function prepare({ kid, alg, jwk, text }: Parts): Promise<Key> {
  const key = await importJWK(jwk, alg)
  if (key instanceof Uint8Array) throw new Malformed('a secret')
  const { modulusLength } = key.algorithm as { modulusLength?: number }
  if (modulusLength !== undefined && modulusLength < 2048) throw new Malformed('a weak key')
  return { kid, alg, key, text, live: true }
}

function text(jwk: JsonObject, name: string): string | undefined {
  const value = jwk[name]
  if (value !== undefined && typeof value !== 'string') throw new Malformed(name)
  return value
}
