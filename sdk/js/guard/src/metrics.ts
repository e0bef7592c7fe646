import type { Code } from './rejection.js'

/** What is counted from the start on. */
export interface Counters {
  accepted: number
  rejected: Partial<Record<Code, number>>
  /** Connections to the feed after the first. */
  reconnects: number
  /** Snapshots taken. */
  snapshots: number
  /** Entries heeded one by one, without those of snapshots. */
  applied: number
  /** Connections given up because of what could not be read; each made the guard take a new snapshot. */
  malformed: number
  /** Times that the issuer's keys were asked for, and those that brought none. */
  keyFetches: number
  keyFailures: number
  /** Times that the issuer was asked about a token. */
  introspections: number
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
  /** Of the last entry heeded. */
  readonly seq: number
  /** Seconds by which the server's clock is ahead, where that is 2 or more either way: tokens are judged by it then. */
  readonly skew: number
}

export function newCounters(): Counters {
  return {
    accepted: 0,
    rejected: {},
    reconnects: 0,
    snapshots: 0,
    applied: 0,
    malformed: 0,
    keyFetches: 0,
    keyFailures: 0,
    introspections: 0,
  }
}
