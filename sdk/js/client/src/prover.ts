import type { Carrier } from './authorized.js'
import type { Fetch } from './http.js'
import { newKey, proof } from './proof.js'
import type { DpopStore } from './store.js'

/** Makes the proofs: knows the key, the last nonce of each server, and what time it is there. */
export class Prover implements Carrier {
  readonly #store: DpopStore
  readonly #fetch: Fetch
  readonly #tokenUrl: string
  readonly #nonces = new Map<string, string>()
  #key: Promise<CryptoKeyPair> | undefined
  #aheadSeconds = 0

  constructor(store: DpopStore, fetch: Fetch, tokenUrl: string) {
    this.#store = store
    this.#fetch = fetch
    this.#tokenUrl = tokenUrl
  }

  key(): Promise<CryptoKeyPair> {
    this.#key ??= this.#loaded().catch((error: unknown) => {
      this.#key = undefined
      throw error
    })
    return this.#key
  }

  async headers(accessToken: string | undefined, method: string, url: string): Promise<Record<string, string>> {
    const iat = Math.floor(Date.now() / 1000) + this.#aheadSeconds
    const nonce = this.#nonces.get(new URL(url).origin)
    const dpop = await proof(await this.key(), { method, url, iat, accessToken, nonce })
    return accessToken ? { dpop, authorization: `DPoP ${accessToken}` } : { dpop }
  }

  /** Sends, and keeps what the answer says of nonces and time. */
  fetch: Fetch = async (input, init) => {
    const response = await this.#fetch(input, init)
    const nonce = response.headers.get('dpop-nonce')
    if (nonce && response.url) this.#nonces.set(new URL(response.url).origin, nonce)
    // Of an answer that no cache keeps.
    const date = response.url === this.#tokenUrl ? Date.parse(response.headers.get('date') ?? '') : NaN
    if (date) this.#aheadSeconds = Math.round((date - Date.now()) / 1000)
    return response
  }

  isAgain(response: Response): boolean {
    // The challenge says so, where a page of another origin may read it.
    const challenge = response.headers.get('www-authenticate') ?? 'use_dpop_nonce'
    return response.status === 401 && response.headers.has('dpop-nonce') && challenge.includes('use_dpop_nonce')
  }

  async #loaded(): Promise<CryptoKeyPair> {
    return ((await this.#store.get('key')) ?? (await this.#store.add('key', await newKey()))) as CryptoKeyPair
  }
}
