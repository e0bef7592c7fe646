import { createHash } from 'node:crypto'

import { Malformed, isBase64url, isObject } from './strict.js'

export type Kind = 'session' | 'user' | 'token' | 'client' | 'key' | 'all'
export type Effect = 'revoked' | 'stale'

/** One statement of the feed: these tokens are dead, or stale, until no such token can be alive. */
export interface Entry {
  readonly seq: number
  readonly kind: Kind
  /** 22 characters of base64url. */
  readonly key: string
  readonly effect: Effect
  /** For `user` the lowest version that is not hit; for `client` and `all` the last second of issue that is; else 0. */
  readonly bound: number
  /** When it may be dropped, in seconds since 1970. */
  readonly until: number
}

/** Which member bounds the entries of a kind, if any. */
const BOUNDS: Readonly<Record<Kind, 'below' | 'before' | undefined>> = {
  session: undefined,
  token: undefined,
  key: undefined,
  user: 'below',
  client: 'before',
  all: 'before',
}

/** Reads an entry; an unknown word or a bound that its kind lacks throws `Malformed`. Unknown members are ignored. */
export function readEntry(raw: unknown): Entry {
  if (!isObject(raw)) throw new Malformed('an entry that is no object')
  const { kind, key, effect } = raw
  if (!isKind(kind)) throw new Malformed('unknown kind')
  if (effect !== 'revoked' && effect !== 'stale') throw new Malformed('unknown effect')
  if (typeof key !== 'string' || key.length !== 22 || !isBase64url(key)) throw new Malformed('key')
  const bounded = BOUNDS[kind]
  const bound = bounded === undefined ? 0 : integer(raw[bounded], bounded)
  return { seq: sequence(raw['seq']), kind, key, effect, bound, until: integer(raw['until'], 'until') }
}

export function integer(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new Malformed(name)
  return value
}

/** A number of the feed. */
export function sequence(value: unknown): number {
  const seq = integer(value, 'seq')
  if (seq < 0) throw new Malformed('seq')
  return seq
}

function isKind(kind: unknown): kind is Kind {
  return typeof kind === 'string' && Object.hasOwn(BOUNDS, kind)
}

/** The feed's name for a thing, which names nobody: the first 16 bytes of SHA-256 over `KIND:ID`, in base64url. */
export function feedKey(kind: Kind, id: string): string {
  return createHash('sha256').update(`${kind}:${id}`, 'utf8').digest().subarray(0, 16).toString('base64url')
}
