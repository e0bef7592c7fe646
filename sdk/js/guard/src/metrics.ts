import type { Code } from './rejection.js'

/** What is counted from the start on. */
export interface Counters {
  accepted: number
  rejected: Partial<Record<Code, number>>
  feedReconnects: number
  snapshots: number
  entriesApplied: number
  malformed: number
  jwksFetches: number
  jwksFailures: number
}

/** The state of a guard at one moment. */
export interface Metrics extends Readonly<Counters> {
  /** Whether its revocations can be relied on. */
  readonly fresh: boolean
  /** Since the feed was heard; null before the first snapshot. */
  readonly secondsSinceHeard: number | null
  /** Live revocations. */
  readonly entries: number
  readonly epoch: string | null
  /** Of the last entry heard; null before the first snapshot. */
  readonly seq: number | null
  /** The server's clock less this machine's, in seconds. */
  readonly skew: number
}

export function newCounters(): Counters {
  return {
    accepted: 0,
    rejected: {},
    feedReconnects: 0,
    snapshots: 0,
    entriesApplied: 0,
    malformed: 0,
    jwksFetches: 0,
    jwksFailures: 0,
  }
}
