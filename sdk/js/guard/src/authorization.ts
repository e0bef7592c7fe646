import type { IncomingMessage } from 'node:http'

import type { Incoming } from './guard.js'
import { Rejection } from './rejection.js'

/** How a token is brought: whoever has it may use it, or whoever has the key that it is bound to as well. */
export type Scheme = 'bearer' | 'dpop'

export interface Credential {
  readonly scheme: Scheme
  readonly token: string
}

/**
 * The token of a request, given every line of its header `Authorization` (RFC 6750 section 2.1, RFC 9449 section 7.1).
 * The scheme's name may be in any case; there is one space and one credential. Another scheme counts as no token, so
 * that the answer names the challenge that would work.
 */
export function credential(lines: readonly string[]): Credential {
  const [line, ...more] = lines
  if (line === undefined) throw new Rejection('no_token')
  if (more.length > 0) throw new Rejection('malformed_request')
  const name = /^(?:bearer|dpop)(?![a-z0-9])/i.exec(line)?.[0]
  if (name === undefined) throw new Rejection('no_token')
  const token = line.slice(name.length)
  // Visible ASCII save a comma.
  if (!/^ [\x21-\x2b\x2d-\x7e]+$/.test(token)) throw new Rejection('invalid_token')
  return { scheme: name.toLowerCase() as Scheme, token: token.slice(1) }
}

/** Every line of a header, of those that Node's HTTP server received. Its `headers` would keep the first only. */
export function headerLines(rawHeaders: readonly string[], name: string): string[] {
  const lines: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) lines.push(rawHeaders[index + 1] ?? '')
  }
  return lines
}

/** What of a request of Node's HTTP server is judged; `path` as the client sent it. */
export function incoming(request: IncomingMessage, path: string | undefined): Incoming {
  const lines = (name: string): string[] => headerLines(request.rawHeaders, name)
  const [[requestId], [host]] = [lines('x-request-id'), lines('host')]
  const [plain] = (path ?? '').split('?', 1)
  return { authorization: lines('authorization'), requestId, proofs: lines('dpop'), method: request.method, path: plain, host, source: request }
}

/**
 * The lines of a header of a fetch API request, which joins several by a comma. A credential has no comma, so where
 * each part is a whole one, there were several lines.
 */
export function joinedLines(headers: Headers, name: string): string[] {
  const joined = headers.get(name)
  if (joined === null) return []
  const parts = joined.split(', ')
  return parts.length > 1 && parts.every((part) => /^[A-Za-z]+ [^ ]+$/.test(part)) ? parts : [joined]
}
