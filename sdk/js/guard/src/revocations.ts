import type { Effect, Entry, Kind } from './entry.js'
import { Malformed } from './strict.js'

/** All that revocations ask about a token, computed once when it is verified. */
export interface Subject {
  /** Feed keys of `sid`, `sub`, `jti`, `client_id` and the header's `kid`. */
  readonly session: string | undefined
  readonly user: string
  readonly token: string
  readonly client: string
  readonly key: string
  /** The claim `ver`; a token that has none is older than every version. */
  readonly version: number | undefined
  /** The claim `iat`, in seconds since 1970. */
  readonly issuedAt: number
}

/** A `Map` holds 2^24 entries; better a clear refusal than its error. */
const MAX_ENTRIES = 16_000_000
/** How much is done before others get a turn. */
const SLICE = 10_000

/** The live revocations. Entries may be applied twice and in any order: the wider bound and the later `until` count. */
export class RevocationSet {
  readonly #revoked = new Marks()
  readonly #stale = new Marks()

  /** How many subjects are named. Two entries about one subject with the same effect are one. */
  get size(): number {
    return this.#revoked.size + this.#stale.size
  }

  apply(entry: Entry): void {
    this.#of(entry.effect).put(entry.kind, entry.key, { until: entry.until, bound: entry.bound })
  }

  /** What becomes of a token; `revoked` goes before `stale`. */
  find(subject: Subject): Effect | undefined {
    if (this.#revoked.hit(subject)) return 'revoked'
    return this.#stale.hit(subject) ? 'stale' : undefined
  }

  /** Drops, in slices, the entries whose `until` is `now` (seconds since 1970) or earlier. */
  *expire(now: number): Generator<void, void, void> {
    yield* this.#revoked.expire(now)
    yield* this.#stale.expire(now)
  }

  /** Takes over, in slices, what another set knows. */
  *absorb(other: RevocationSet): Generator<void, void, void> {
    yield* this.#revoked.absorb(other.#revoked)
    yield* this.#stale.absorb(other.#stale)
  }

  #of(effect: Effect): Marks {
    return effect === 'revoked' ? this.#revoked : this.#stale
  }
}

interface Mark {
  readonly until: number
  readonly bound: number
}

/** The entries of one effect, by kind. Those of identity keep only `until`, a small integer that costs no object. */
class Marks {
  readonly #identities = { session: newMap<number>(), token: newMap<number>(), key: newMap<number>() }
  readonly #bounded = { user: newMap<Mark>(), client: newMap<Mark>(), all: newMap<Mark>() }

  get size(): number {
    return this.#maps().reduce((sum, map) => sum + map.size, 0)
  }

  put(kind: Kind, key: string, { until, bound }: Mark): void {
    if (kind === 'session' || kind === 'token' || kind === 'key') {
      const map = this.#identities[kind]
      const old = map.get(key)
      if (old === undefined) hold(map)
      if (old === undefined || old < until) map.set(key, until)
    } else {
      const map = this.#bounded[kind]
      // The key of `all` says nothing.
      const name = kind === 'all' ? '' : key
      const old = map.get(name)
      if (old === undefined) hold(map)
      map.set(name, old ? { until: Math.max(old.until, until), bound: Math.max(old.bound, bound) } : { until, bound })
    }
  }

  hit(subject: Subject): boolean {
    const { session, token, key } = this.#identities
    const { user, client, all } = this.#bounded
    if (subject.session !== undefined && session.has(subject.session)) return true
    const below = user.get(subject.user)?.bound
    if (below !== undefined && (subject.version === undefined || subject.version < below)) return true
    if (token.has(subject.token) || key.has(subject.key)) return true
    const before = Math.max(client.get(subject.client)?.bound ?? -Infinity, all.get('')?.bound ?? -Infinity)
    return subject.issuedAt <= before
  }

  *expire(now: number): Generator<void, void, void> {
    let count = 0
    for (const map of this.#maps()) {
      for (const [key, mark] of map) {
        if ((typeof mark === 'number' ? mark : mark.until) <= now) map.delete(key)
        if (++count % SLICE === 0) yield
      }
    }
  }

  *absorb(other: Marks): Generator<void, void, void> {
    let count = 0
    for (const [kind, map] of Object.entries({ ...other.#identities, ...other.#bounded })) {
      for (const [key, mark] of map) {
        this.put(kind as Kind, key, typeof mark === 'number' ? { until: mark, bound: 0 } : mark)
        if (++count % SLICE === 0) yield
      }
    }
  }

  #maps(): Map<string, number | Mark>[] {
    return [...Object.values(this.#identities), ...Object.values(this.#bounded)] as Map<string, number | Mark>[]
  }
}

const newMap = <V>(): Map<string, V> => new Map()

function hold(map: { size: number }): void {
  if (map.size >= MAX_ENTRIES) throw new Malformed('more revocations than can be held')
}
