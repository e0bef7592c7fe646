import { Malformed, decodeSegment, isBase64url, isObject, parseObject, type JsonObject } from './strict.js'

/** The longest token that is looked at, in bytes. */
const MAX_TOKEN = 8192
/** The longest header, in base64url characters. */
const MAX_HEADER = 4095
/** The largest integer that every JSON reader understands (RFC 8259 section 6). */
const MAX_DATE = 2 ** 53

/** Actors of one token at most. */
const MOST_ACTORS = 8

/** Who acts, and within it for whom that one acted before (RFC 8693 section 4.1). */
export interface Actor {
  /** The client's id, or the `sub` of the token that it showed for itself. */
  readonly sub: string
  readonly act?: Actor
}

/** The claims of an access token (RFC 9068 section 2.2, and Symbolon's). Times are seconds since 1970. */
export interface AccessClaims {
  readonly iss: string
  /** The user's id. */
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly exp: number
  readonly iat: number
  readonly jti: string
  readonly client_id: string
  /** The session. */
  readonly sid?: string
  /** The user's token version, which only rises. */
  readonly ver?: number
  /** Scope, separated by spaces; empty where there is none. */
  readonly scope: string
  readonly roles: readonly string[]
  readonly nbf?: number
  readonly email?: string
  /** The key that it is bound to, by its thumbprint (RFC 9449 section 6.1). */
  readonly cnf?: { readonly jkt: string }
  /** When the person signed in (RFC 9068 section 2.2.1). */
  readonly auth_time?: number
  /** How they signed in, in the issuer's words: up to 256 visible ASCII characters. */
  readonly acr?: string
  /** Who acts for the subject, where somebody does. Only the outermost counts when access is decided. */
  readonly act?: Actor
  readonly [claim: string]: unknown
}

/** What the protected header says that matters (RFC 7515 section 4). */
export interface Header {
  readonly alg: string
  readonly typ: string | undefined
  readonly kid: string | undefined
}

/** A token in its three segments, the header read, nothing believed. */
export interface Compact {
  readonly header: Header
  /** The whole header. */
  readonly raw: JsonObject
  readonly payload: string
}

/** Splits a token and reads its header. Throws `Malformed`. */
export function readCompact(token: string): Compact {
  if (token.length > MAX_TOKEN) throw new Malformed('too long')
  const [header, payload, signature, ...more] = token.split('.', 4)
  if (!header || !payload || !signature || more.length > 0) throw new Malformed('not three segments')
  if (header.length > MAX_HEADER) throw new Malformed('header too large')
  // The library decodes leniently: two texts could stand for one signature.
  if (!isBase64url(signature)) throw new Malformed('not base64url')
  const raw = parseObject(decodeSegment(header))
  return { header: readHeader(raw), raw, payload }
}

function readHeader(raw: JsonObject): Header {
  // RFC 7515 section 4.1.11: no extension is understood, so any `crit` is refused, an empty one included. RFC 7797:
  // `b64` would change what is signed. RFC 7516 section 9: a header with `enc` is that of an encrypted token.
  // `jwk`, `jku`, `x5u` and `x5c` are not read: a token never brings its own key (RFC 8725 section 3.10).
  for (const name of ['crit', 'b64', 'enc']) {
    if (raw[name] !== undefined) throw new Malformed('header not understood')
  }
  const [typ, kid] = [optional(raw, 'typ', isString), optional(raw, 'kid', isString)]
  return { alg: required(raw, 'alg', isString), typ, kid }
}

/** Whether a header's `typ` says that it is an access token (RFC 9068 section 4, RFC 7515 section 4.1.9). */
export function isAccessToken(typ: string | undefined): boolean {
  return typ !== undefined && /^(?:application\/)?at\+jwt$/i.test(typ)
}

/** Reads the payload: wrong types, and required claims that are absent, throw `Malformed`. */
export function readClaims(payload: string): AccessClaims {
  const raw = parseObject(decodeSegment(payload))
  const claims = {
    ...raw,
    iss: required(raw, 'iss', isString),
    sub: required(raw, 'sub', isString),
    aud: required(raw, 'aud', isAudience),
    exp: Math.trunc(required(raw, 'exp', isDate)),
    iat: Math.trunc(required(raw, 'iat', isDate)),
    jti: required(raw, 'jti', isString),
    client_id: required(raw, 'client_id', isString),
    scope: optional(raw, 'scope', isString) ?? '',
    roles: optional(raw, 'roles', isStrings) ?? [],
  }
  const nbf = optional(raw, 'nbf', isDate)
  const authTime = optional(raw, 'auth_time', isDate)
  optional(raw, 'sid', isString)
  optional(raw, 'ver', isInteger)
  optional(raw, 'email', isString)
  // What nobody understands is no absent binding: the token would be good in a thief's hands.
  optional(raw, 'cnf', isConfirmation)
  optional(raw, 'acr', isAcr)
  optional(raw, 'act', isActor)
  // Many requests share what is cached: none may change it for the others.
  return freeze({
    ...claims,
    ...(nbf !== undefined && { nbf: Math.trunc(nbf) }),
    ...(authTime !== undefined && { auth_time: Math.trunc(authTime) }),
  })
}

export function required<T>(raw: JsonObject, name: string, is: (value: unknown) => value is T): T {
  const value = raw[name]
  if (!Object.hasOwn(raw, name) || !is(value)) throw new Malformed(`member ${name}`)
  return value
}

export function optional<T>(raw: JsonObject, name: string, is: (value: unknown) => value is T): T | undefined {
  return Object.hasOwn(raw, name) ? required(raw, name, is) : undefined
}

/** RFC 6749 section 3.3: what a scope can be, and what may stand in a challenge. */
export const isWord = (text: string): boolean => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(text)
export const isString = (value: unknown): value is string => typeof value === 'string'
const isInteger = (value: unknown): value is number => Number.isSafeInteger(value)
const isStrings = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString)
const isAudience = (value: unknown): value is string | string[] => isString(value) || isStrings(value)
/** SHA-256 in base64url. */
const isConfirmation = (value: unknown): value is { jkt: string } =>
  isObject(value) && isString(value['jkt']) && value['jkt'].length === 43 && isBase64url(value['jkt'])
/** One that a challenge can name among others (RFC 9470 section 3). */
const isAcr = (value: unknown): value is string => isString(value) && value.length <= 256 && isWord(value)
function isActor(value: unknown): value is Actor {
  let actor = value
  for (let left = MOST_ACTORS; left > 0; left--) {
    if (!isObject(actor) || !isString(actor['sub'])) return false
    if (!Object.hasOwn(actor, 'act')) return true
    actor = actor['act']
  }
  return false
}
/** A NumericDate may have a fraction (RFC 7519 section 2); it is cut off. */
export const isDate = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value <= MAX_DATE

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) freeze(member)
    Object.freeze(value)
  }
  return value
}
