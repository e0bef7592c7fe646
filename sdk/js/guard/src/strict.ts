/** A text that has not the form it must have. What it held is not told. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
}

export type JsonObject = Readonly<Record<string, unknown>>

/**
 * Reads a JSON object. A member named twice, in any object, is an error: `JSON.parse` keeps the last, and two readers
 * of one token could then see two different values (RFC 7515 section 4, RFC 7519 section 4).
 */
export function parseObject(text: string): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Malformed('not JSON')
  }
  if (!isObject(value)) throw new Malformed('not a JSON object')
  refuseDuplicates(text)
  return value
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// A string, or one of the characters that tell where names stand. Numbers and words need no look.
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/** Walks a text that is known to be JSON. */
function refuseDuplicates(text: string): void {
  // For each open object the names so far; for an open array nothing.
  const open: (Set<string> | undefined)[] = []
  let names: Set<string> | undefined
  let nameNext = false
  for (const [token] of text.matchAll(TOKENS)) {
    if (token === '{' || token === '[') {
      names = token === '{' ? new Set() : undefined
      open.push(names)
      nameNext = token === '{'
    } else if (token === '}' || token === ']') {
      open.pop()
      names = open.at(-1)
      nameNext = false
    } else if (token === ',') {
      nameNext = names !== undefined
    } else if (nameNext) {
      const name = JSON.parse(token) as string
      if (names?.has(name)) throw new Malformed('a member named twice')
      names?.add(name)
      nameNext = false
    }
  }
}

// What the last character of each length may be: bits that stand for nothing must be zero.
const BASE64URL = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?$/

/** Whether a text is unpadded base64url, one text for one value (RFC 7515 section 2). */
export function isBase64url(text: string): boolean {
  return BASE64URL.test(text)
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Decodes a segment of a token into text. */
export function decodeSegment(segment: string): string {
  if (!isBase64url(segment)) throw new Malformed('not base64url')
  try {
    return UTF8.decode(Buffer.from(segment, 'base64url'))
  } catch {
    throw new Malformed('not UTF-8')
  }
}
