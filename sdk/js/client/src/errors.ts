import type { FieldProblem, Problem } from './api.js'

/** A server said no: its problem document (RFC 9457), or OAuth's `error` (RFC 6749 section 5.2). */
export class SymbolonError extends Error {
  override readonly name = 'SymbolonError'
  /** A word for programs, stable: `invalid_credentials`, `rate_limited`, … `unknown` where the answer had none. */
  readonly code: string
  /** The HTTP status. */
  readonly status: number
  /** A sentence for people. */
  readonly detail: string
  /** The fields at fault, by JSON pointers such as `/email`, where a body was not valid. */
  readonly errors: readonly FieldProblem[]
  /** The id under which the request is logged. */
  readonly requestId: string | undefined
  /** How long to leave the server alone, in milliseconds, where it said so. */
  readonly retryAfterMs: number | undefined

  constructor(problem: Partial<Problem> & { status: number }, retryAfterMs?: number) {
    const { code = 'unknown', detail = problem.title ?? `HTTP status ${problem.status}` } = problem
    super(`${code}: ${detail}`)
    this.code = code
    this.status = problem.status
    this.detail = detail
    this.errors = problem.errors ?? []
    this.requestId = problem.requestId
    this.retryAfterMs = retryAfterMs
  }
}

/** No answer came: no connection, or not in time. Nobody is signed out by that. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: 'network_failed' | 'timeout'

  constructor(what: string, cause: unknown) {
    const isLate = (cause as Error | undefined)?.name === 'TimeoutError'
    super(`${what}: ${isLate ? 'no answer in time' : 'no answer'}`, { cause })
    this.code = isLate ? 'timeout' : 'network_failed'
  }
}

/** The error that an answer tells of. */
export function errorOf(response: Response, text: string): SymbolonError {
  let body: (Partial<Problem> & { error?: string; error_description?: string }) | undefined
  try {
    body = JSON.parse(text)
  } catch {
    // Something on the way has answered, such as a proxy: the status has to do.
  }
  const seconds = Number(response.headers.get('retry-after') ?? NaN)
  return new SymbolonError(
    {
      requestId: response.headers.get('x-request-id') ?? undefined,
      code: body?.error,
      detail: body?.error_description,
      ...body,
      status: response.status,
    } as Partial<Problem> & { status: number },
    seconds >= 0 ? seconds * 1000 : undefined,
  )
}
