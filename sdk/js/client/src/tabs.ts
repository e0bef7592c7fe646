/** How long to wait for another tab's turn to end, in milliseconds. */
const PATIENCE_MS = 10_000

/** What tabs tell each other. Nothing of it is ever stored. */
export type News<U> =
  /** A fresh access token; `at` is when, by this machine's wall clock; `user` is whose, if that is known. */
  | { accessToken: string; lifeMs: number; at: number; user: U | undefined }
  /** The person is signed out. */
  | { reason: string }

/** The tabs of one origin that share one session; or this one alone. */
export class Tabs<U> {
  readonly #name: string
  readonly #isShared: boolean
  readonly #locks: LockManager | undefined
  readonly #channel: BroadcastChannel | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(name: string, isShared: boolean, onNews: (news: News<U>) => void) {
    this.#name = name
    this.#isShared = isShared
    if (!isShared) return
    this.#locks = globalThis.navigator?.locks
    if (!globalThis.BroadcastChannel) return
    this.#channel = new BroadcastChannel(name)
    this.#channel.onmessage = ({ data }) => onNews(data as News<U>)
    // In Node a channel keeps the process alive.
    ;(this.#channel as { unref?: () => void }).unref?.()
  }

  /** Whether there may be others that are not heard. */
  get isDeaf(): boolean {
    return this.#isShared && !this.#channel
  }

  tell(news: News<U>): void {
    this.#channel?.postMessage(news)
  }

  /**
   * One at a time, in all tabs; `hasWaited` says whether another tab was first. Where there are no Web Locks, or another
   * tab stands still in its turn: one at a time in this tab, which the server's rules make safe.
   */
  async exclusive<T>(act: (hasWaited: boolean) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => this.#locked(act))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #locked<T>(act: (hasWaited: boolean) => Promise<T>): Promise<T> {
    if (!this.#locks) return act(false)
    let turn: Promise<T> | undefined
    const take = (hasWaited: boolean) => (lock: Lock | null) => lock && (turn = act(hasWaited))
    try {
      await this.#locks.request(this.#name, { ifAvailable: true }, take(false))
      if (!turn) await this.#locks.request(this.#name, { signal: AbortSignal.timeout(PATIENCE_MS) }, take(true))
    } catch {
      // Not granted; what the turn itself throws is told below.
    }
    return turn ?? act(true)
  }

  close(): void {
    this.#channel?.close()
  }
}
