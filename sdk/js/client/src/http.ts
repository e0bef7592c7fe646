import { errorOf, NetworkError, SymbolonError } from './errors.js'

export type Fetch = typeof fetch

/** One call of the server: the JSON of its answer, if that is good. */
export async function call<T>(fetch: Fetch, url: string, init: RequestInit): Promise<T> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, { redirect: 'error', ...init })
    text = await response.text()
    // A good answer that is no JSON is none of the server's, but of something on the way.
    if (response.ok) return (text ? JSON.parse(text) : undefined) as T
  } catch (error) {
    if (error instanceof SymbolonError || error instanceof NetworkError) throw error
    throw new NetworkError(`${init.method ?? 'GET'} ${url}`, error)
  }
  throw errorOf(response, text)
}

/** `fetch` as it is when it is called, so that what watches it is asked too. */
export const platformFetch: Fetch = (input, init) => globalThis.fetch(input, init)
