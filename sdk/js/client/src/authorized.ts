import type { Fetch } from './http.js'

/** Where access tokens come from. */
interface Source {
  accessToken(refused?: string, signal?: AbortSignal | null): Promise<string>
  doubt(refused: string): void
}

/** How an access token goes along with a request. */
export interface Carrier {
  headers(accessToken: string, method: string, url: string): Promise<Record<string, string>> | Record<string, string>
  /** Whether the same request is to be sent again, with other headers and the same token. */
  isAgain?(response: Response, url: string): boolean
}

/**
 * `fetch` with the access token, for the origins of the page, the server and `resources` only: to any other it is the plain
 * one. After a 401 the token is refreshed, once, and the request sent again.
 */
export function authorizedFetch(session: Source, carrier: Carrier, fetch: Fetch, issuer: string, resources: readonly string[] = []): Fetch {
  const base = page() ?? issuer
  const origins = new Set([base, issuer, ...resources].map((url) => new URL(url).origin))
  // That of a file, which is the same for all of them.
  origins.delete('null')
  return async (input, init) => {
    const given = input instanceof Request ? input : undefined
    const url = new URL(given ? given.url : (input as string | URL), base).href
    if (!origins.has(new URL(url).origin)) return fetch(input, init)
    const method = init?.method ?? given?.method ?? 'GET'
    const signal = init?.signal ?? given?.signal ?? null

    const send = async (accessToken: string): Promise<Response> => {
      const headers = new Headers(init?.headers ?? given?.headers)
      for (const [name, value] of Object.entries(await carrier.headers(accessToken, method, url))) headers.set(name, value)
      // A copy, for a body can be read once.
      return fetch(given ? given.clone() : url, { ...init, headers })
    }
    const isStream = init?.body instanceof ReadableStream || (init?.body != null && Symbol.asyncIterator in Object(init.body))
    const sendTwice = async (accessToken: string): Promise<Response> => {
      const response = await send(accessToken)
      if (!carrier.isAgain?.(response, url) || isStream) return response
      await response.body?.cancel()
      return send(accessToken)
    }

    const accessToken = await session.accessToken(undefined, signal)
    const response = await sendTwice(accessToken)
    if (response.status !== 401) return response
    // The roles may have changed: another token, and the user once more. Whether the session is over, the refresh says.
    session.doubt(accessToken)
    const next = await session.accessToken(accessToken, signal)
    if (isStream) return response
    await response.body?.cancel()
    return sendTwice(next)
  }
}

/** The address of the page, in a browser. */
export function page(): string | undefined {
  return globalThis.location?.href
}
