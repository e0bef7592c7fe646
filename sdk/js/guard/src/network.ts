/** Time for one request, in milliseconds. */
export const REQUEST_MS = 10_000
/** The longest document that is read whole, in bytes. */
export const MAX_DOCUMENT = 1_048_576

export type Fetch = typeof globalThis.fetch

/** Does work that is given up after a time, or when `outer` says so. The timer keeps no process alive. */
export async function within<T>(
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const stop = (): void => controller.abort(outer?.reason)
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${ms / 1000} s`)), ms).unref()
  outer?.addEventListener('abort', stop, { once: true })
  if (outer?.aborted) stop()
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', stop)
  }
}

/** Reads a small document. Redirects are not followed. */
export function fetchDocument(fetch: Fetch, url: URL, outer?: AbortSignal): Promise<string> {
  return within(REQUEST_MS, outer, async (signal) => {
    const response = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new Error(`${url.href} answered ${response.status}`)
    }
    return readBounded(response, url, signal)
  })
}

/**
 * Reads a body that must not be longer than a small document, until `signal` says otherwise. Node's `fetch` may forget
 * its own signal once garbage was collected, when the body is still being read (nodejs/node#55428).
 */
export async function readBounded({ body }: Response, url: URL, signal: AbortSignal): Promise<string> {
  if (!body) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader()
  const stop = (): void => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', stop, { once: true })
  let text = ''
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) return text + decoder.decode()
      size += value.byteLength
      if (size > MAX_DOCUMENT) throw new Error(`${url.href} answered more than ${MAX_DOCUMENT} bytes`)
      text += decoder.decode(value, { stream: true })
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
}
