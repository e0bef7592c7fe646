import { errorOf, NetworkError, SymbolonError } from './errors.js'

export type Fetch = typeof fetch

/** One call of the server: the JSON of its answer, if that is good. */
export async function call<T>(fetch: Fetch, url: string, init: RequestInit): Promise<T> {
  let response: Response
  let text: string
  try {
    response = await fetch(url, { redirect: 'error', ...init })
    text = await response.text()
  } catch (error) {
    if (error instanceof SymbolonError || error instanceof NetworkError) throw error
    throw new NetworkError(`${init.method ?? 'GET'} ${url}`, error)
  }
  if (!response.ok) throw errorOf(response, text)
  return (text ? JSON.parse(text) : undefined) as T
}

/** `fetch` as it is when it is called, so that what watches it is asked too. */
export const platformFetch: Fetch = (input, init) => globalThis.fetch(input, init)
