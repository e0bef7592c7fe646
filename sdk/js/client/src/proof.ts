// Proofs of possession (DPoP, RFC 9449).

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const encoder = new TextEncoder()

/** The public half of a P-256 key (RFC 7518 section 6.2.1). */
interface PublicJwk {
  kty: string
  crv: string
  x: string
  y: string
}

/** A key that no script can read. */
export function newKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ECDSA, false, ['sign', 'verify'])
}

/** What a proof is about (section 4.2). */
export interface About {
  method: string
  url: string
  /** Seconds since 1970, by the server's clock. */
  iat: number
  accessToken?: string | undefined
  nonce?: string | undefined
}

/** The value of the header `DPoP`. */
export async function proof(key: CryptoKeyPair, about: About): Promise<string> {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: await publicJwk(key) }
  const { origin, pathname } = new URL(about.url)
  const claims = {
    jti: randomText(),
    htm: about.method,
    htu: origin + pathname,
    iat: about.iat,
    ...(about.accessToken ? { ath: await digest(about.accessToken) } : {}),
    ...(about.nonce ? { nonce: about.nonce } : {}),
  }
  const signed = `${base64url(encoder.encode(JSON.stringify(header)))}.${base64url(encoder.encode(JSON.stringify(claims)))}`
  return `${signed}.${base64url(await crypto.subtle.sign(ECDSA, key.privateKey, encoder.encode(signed)))}`
}

/** The thumbprint of a key (RFC 7638), which `dpop_jkt` names. */
export async function thumbprint(key: CryptoKeyPair): Promise<string> {
  const { crv, kty, x, y } = await publicJwk(key)
  return digest(JSON.stringify({ crv, kty, x, y }))
}

/** base64url of the SHA-256 of a text. */
export async function digest(text: string): Promise<string> {
  return base64url(await crypto.subtle.digest('SHA-256', encoder.encode(text)))
}

/** 256 random bits. */
export function randomText(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)))
}

async function publicJwk(key: CryptoKeyPair): Promise<PublicJwk> {
  const { kty, crv, x, y } = (await crypto.subtle.exportKey('jwk', key.publicKey)) as unknown as PublicJwk
  return { kty, crv, x, y }
}

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes as ArrayBuffer)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}
