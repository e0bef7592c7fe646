/** What happened that its owner should know. It tells nothing about tokens. */
export interface GuardEvent {
  readonly type:
    | 'stale'
    | 'fresh'
    | 'clock_skewed'
    | 'clock_right'
    | 'feed_malformed'
    | 'feed_refused'
    | 'keys_failed'
    | 'start_failed'
  readonly level: 'info' | 'warn'
  /** One line for a log. */
  readonly message: string
}

export type Report = (event: GuardEvent) => void

export function logEvent({ level, message }: GuardEvent): void {
  console[level](`symbolon guard: ${message}`)
}

/** An owner's log that fails must not end the following of the feed. */
export function safely(report: Report): Report {
  return (event) => {
    try {
      report(event)
    } catch (error) {
      console.warn(`symbolon guard: onEvent threw: ${reason(error)}`)
    }
  }
}

/** Why something did not work, in one line: `fetch` hides the reason in its cause. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof AggregateError && cause.errors.length > 0) return reason(cause.errors[0])
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message
}
