import type { Counters } from './metrics.js'
import { readBounded, within, type Fetch } from './network.js'
import { Rejection, codeOf } from './rejection.js'
import { parseObject } from './strict.js'

const TIMEOUT_MS = 5000
const MAX_AT_ONCE = 64

/** Asks the server about a token, while the feed cannot be heard. */
export class Introspection {
  readonly #fetch: Fetch
  readonly #counters: Counters
  #url: URL | undefined
  #underWay = 0

  constructor(fetch: Fetch, counters: Counters) {
    this.#fetch = fetch
    this.#counters = counters
  }

  start(url: URL): void {
    this.#url = url
  }

  /** Throws the server's refusal, and `overloaded` where it cannot be asked. */
  async ask(token: string): Promise<void> {
    if (!this.#url || this.#underWay >= MAX_AT_ONCE) throw new Rejection('overloaded')
    this.#underWay += 1
    this.#counters.introspections += 1
    const refusal = await this.#asked(this.#url, token).finally(() => {
      this.#underWay -= 1
    })
    if (refusal) throw refusal
  }

  async #asked(url: URL, token: string): Promise<Rejection | undefined> {
    try {
      return await within(TIMEOUT_MS, undefined, async (signal) => {
        const headers = { authorization: `Bearer ${token}` }
        const response = await this.#fetch(url, { signal, redirect: 'error', headers })
        const { status } = response
        if (status === 401 || status === 403) return refusalOf(status, await readBounded(response, url, signal))
        await response.body?.cancel()
        return status === 200 ? undefined : new Rejection('overloaded')
      })
    } catch {
      return new Rejection('overloaded')
    }
  }
}

function refusalOf(status: 401 | 403, body: string): Rejection {
  const fallback = status === 401 ? 'invalid_token' : 'forbidden'
  try {
    return new Rejection(codeOf(status, parseObject(body)['code']) ?? fallback)
  } catch {
    return new Rejection(fallback)
  }
}
