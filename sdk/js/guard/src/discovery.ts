import { fetchDocument, type Fetch } from './network.js'
import { parseObject, type JsonObject } from './strict.js'

/** The issuer's metadata is not what it must be; trying again is no use. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/** Where the issuer answers. */
export interface Endpoints {
  readonly jwks: URL
  readonly stream: URL
  readonly verification: URL | undefined
}

/** Reads the issuer's metadata (RFC 8414). Throws `Refused` where it must not be trusted. */
export async function discover(fetch: Fetch, issuer: string, signal?: AbortSignal): Promise<Endpoints> {
  const document = await fetchDocument(fetch, metadataUrl(issuer), signal)
  const metadata = parseObject(document)
  // RFC 8414 section 3.3: identical, or somebody speaks for another.
  if (metadata['issuer'] !== issuer) throw new Refused('the metadata names another issuer')
  const jwks = endpoint(metadata, 'jwks_uri', issuer)
  const stream = endpoint(metadata, 'revocation_stream_uri', issuer)
  if (!jwks || !stream) throw new Refused(`the metadata has no ${jwks ? 'revocation_stream_uri' : 'jwks_uri'}`)
  return { jwks, stream, verification: endpoint(metadata, 'verification_uri', issuer) }
}

/** The well-known part goes between the host and the path (RFC 8414 section 3.1). */
export function metadataUrl(issuer: string): URL {
  const url = new URL(issuer)
  const path = url.pathname.replace(/\/$/, '')
  url.pathname = `/.well-known/oauth-authorization-server${path}`
  return url
}

function endpoint(metadata: JsonObject, name: string, issuer: string): URL | undefined {
  const value = metadata[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string' || !URL.canParse(value)) throw new Refused(`${name} is not a URL`)
  const url = new URL(value)
  const own = new URL(issuer)
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  if (!secure && !(own.protocol === 'http:' && url.origin === own.origin)) {
    throw new Refused(`${name} is neither https nor on this machine`)
  }
  if (url.username || url.password) throw new Refused(`${name} holds credentials`)
  return url
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
