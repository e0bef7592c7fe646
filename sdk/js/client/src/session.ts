import type { Clock } from './clock.js'
import { SymbolonError } from './errors.js'
import { isPassing, persist } from './persist.js'
import { Tabs, type News } from './tabs.js'

/** Who is signed in, as far as this page knows. */
export type SessionState<U> =
  /** Nobody has asked the server yet: `restore()` does. */
  | { readonly status: 'unknown' }
  | { readonly status: 'signedIn'; readonly user: U }
  /** `reason` is the server's code, such as `session_revoked`, or `signed_out` where the person wanted it. */
  | { readonly status: 'signedOut'; readonly reason: string }

export interface Tokens {
  accessToken: string
  /** The life of the access token, in seconds. */
  expiresIn: number
}

/** How a kind of session talks with the server. */
export interface Protocol<U> {
  /** The next tokens; what must be kept is kept when it resolves. May be called again with the same effect. */
  refresh(signal: AbortSignal): Promise<Tokens>
  user(accessToken: string, signal: AbortSignal): Promise<U>
  /** The session is over: nothing of it is kept. */
  forget(): Promise<void>
  /** The codes at a refresh that mean that the session is over. */
  readonly ends: ReadonlySet<string>
}

/** How long to wait for the token of a tab that was first, in milliseconds. */
const DELIVERY_MS = 250

interface Held {
  readonly accessToken: string
  readonly lifeMs: number
  readonly endsAt: number
}

/** The session of this page: one access token in memory, one refresh at a time, one state that listeners are told of. */
export class Session<U> {
  state: SessionState<U> = { status: 'unknown' }
  readonly #protocol: Protocol<U>
  readonly #clock: Clock
  readonly #aheadMs: number
  readonly #tabs: Tabs<U>
  readonly #listeners = new Set<(state: SessionState<U>) => void>()
  #held: Held | undefined
  /** Whose tokens these are; undefined until the server said so, and when it may have changed. */
  #user: U | undefined
  /** Rises when another session begins or this one ends, so that late answers of the old one are known. */
  #era = 0
  #renewal: Promise<void> | undefined
  #quietUntil = -Infinity
  #quietBecause: unknown
  #onDelivery = (): void => {}

  constructor(protocol: Protocol<U>, clock: Clock, name: string, isShared: boolean, aheadMs: number) {
    this.#protocol = protocol
    this.#clock = clock
    this.#aheadMs = aheadMs
    this.#tabs = new Tabs(name, isShared, (news) => this.#hear(news))
  }

  onChange(listener: (state: SessionState<U>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An access token that is good for a while, and is not `refused`. */
  async accessToken(refused?: string, signal?: AbortSignal | null): Promise<string> {
    signal?.throwIfAborted()
    if (this.state.status === 'signedOut') throw over(this.state.reason)
    // Twice, for the first may be one that began before this token was refused.
    for (let round = 0; round < 2 && !this.#isUsable(refused); round += 1) {
      this.#renewal ??= this.#tabs.exclusive((hasWaited) => this.#renew(refused, hasWaited)).finally(() => (this.#renewal = undefined))
      try {
        await abortable(this.#renewal, signal)
      } catch (error) {
        // It is still good, and the next call tries again.
        const isGood = this.state.status === 'signedIn' && this.current !== undefined && this.current !== refused
        if (!isGood || !isPassing(error)) throw error
        break
      }
      // It may have ended meanwhile, in another tab.
      const { state } = this as { state: SessionState<U> }
      if (state.status === 'signedOut') throw over(state.reason)
    }
    if (!this.#held) throw over('no_token')
    return this.#held.accessToken
  }

  /** Asks the server, even where this page believes that nobody is signed in. */
  async restore(): Promise<SessionState<U>> {
    if (this.state.status === 'signedOut') this.state = { status: 'unknown' }
    try {
      await this.accessToken()
    } catch (error) {
      if ((this.state as SessionState<U>).status !== 'signedOut') throw error
    }
    return this.state
  }

  /** Begins a session with what `act` gets. */
  signIn(act: () => Promise<Tokens & { user?: U }>): Promise<void> {
    return this.#tabs.exclusive(async () => {
      const tokens = await act()
      this.#era += 1
      this.#quietUntil = -Infinity
      this.#user = tokens.user
      this.#hold(tokens)
      this.#user ??= await persist(this.#clock, (signal) => this.#protocol.user(tokens.accessToken, signal))
      this.#settle()
    })
  }

  /** Ends the session with `act`. If that fails, the person is still signed in. */
  signOut(act: () => Promise<void>): Promise<void> {
    return this.#tabs.exclusive(async () => {
      await act()
      await this.#end('signed_out')
    })
  }

  /** A token was refused, so that the user may have changed: the server is asked before the next one is given out. */
  doubt(refused: string): void {
    if (this.#held?.accessToken === refused) this.#user = undefined
  }

  /** The token that there is, if it has not expired. */
  get current(): string | undefined {
    return this.#held && this.#leftMs() > 0 ? this.#held.accessToken : undefined
  }

  close(): void {
    this.#listeners.clear()
    this.#tabs.close()
  }

  async #renew(refused: string | undefined, hasWaited: boolean): Promise<void> {
    const era = this.#era
    if (hasWaited && !this.#isUsable(refused)) {
      // The lock may be here before the message that was sent before it.
      await Promise.race([new Promise<void>((resolve) => (this.#onDelivery = resolve)), this.#clock.sleep(DELIVERY_MS)])
    }
    try {
      // Twice, for the token that another tab has sent may be refused when the user is asked for.
      for (let round = 1; round <= 2 && this.#era === era && !this.#isUsable(refused); round += 1) {
        if (!this.#isFresh(refused)) await this.#refresh(era)
        // In a tab that is not heard somebody else may have signed in.
        if (this.#tabs.isDeaf) this.#user = undefined
        if (!this.#held || this.#user || this.#era !== era) break
        refused = await this.#ask(this.#held.accessToken, era, round === 2)
      }
    } catch (error) {
      if (this.#era === era && error instanceof SymbolonError && this.#protocol.ends.has(error.code)) await this.#end(error.code)
      throw error
    }
    if (this.#era === era) this.#settle()
  }

  async #refresh(era: number): Promise<void> {
    if (this.#clock.now() < this.#quietUntil) throw this.#quietBecause
    try {
      const tokens = await persist(this.#clock, (signal) => this.#protocol.refresh(signal))
      if (this.#era !== era) return
      this.#hold(tokens)
    } catch (error) {
      if (error instanceof SymbolonError && error.retryAfterMs) {
        this.#quietUntil = this.#clock.now() + error.retryAfterMs
        this.#quietBecause = error
      }
      throw error
    }
  }

  /** Asks who the user is; the access token, where it is refused and another one may do. */
  async #ask(accessToken: string, era: number, isLast: boolean): Promise<string | undefined> {
    try {
      const user = await persist(this.#clock, (signal) => this.#protocol.user(accessToken, signal))
      if (this.#era === era) this.#user = user
      return undefined
    } catch (error) {
      if (isLast || !(error instanceof SymbolonError && error.status === 401)) throw error
      return accessToken
    }
  }

  #hear(news: News<U>): void {
    if ('reason' in news) {
      this.#leave(news.reason)
    } else if (news.user || this.state.status !== 'signedOut') {
      const lifeMs = news.lifeMs - Math.max(0, Date.now() - news.at)
      this.#held = { accessToken: news.accessToken, lifeMs: news.lifeMs, endsAt: this.#clock.now() + lifeMs }
      if (news.user && this.#become(news.user)) this.#era += 1
    }
    this.#onDelivery()
  }

  #hold({ accessToken, expiresIn }: Tokens): void {
    const lifeMs = expiresIn * 1000
    this.#held = { accessToken, lifeMs, endsAt: this.#clock.now() + lifeMs }
    this.#tell()
  }

  /** What was asked for is there: this tab and the others know it. */
  #settle(): void {
    if (!this.#held || !this.#user) return
    this.#tell()
    this.#become(this.#user)
  }

  #tell(): void {
    if (!this.#held) return
    this.#tabs.tell({ accessToken: this.#held.accessToken, lifeMs: this.#leftMs(), at: Date.now(), user: this.#user })
  }

  /** Whether that is news. */
  #become(user: U): boolean {
    this.#user = user
    const { state } = this
    if (state.status === 'signedIn' && JSON.stringify(state.user) === JSON.stringify(user)) return false
    this.#change({ status: 'signedIn', user })
    return true
  }

  async #end(reason: string): Promise<void> {
    this.#leave(reason)
    this.#tabs.tell({ reason })
    await this.#protocol.forget()
  }

  #leave(reason: string): void {
    this.#era += 1
    this.#held = undefined
    this.#user = undefined
    if (this.state.status !== 'signedOut') this.#change({ status: 'signedOut', reason })
  }

  #change(state: SessionState<U>): void {
    this.state = state
    for (const listener of [...this.#listeners]) {
      try {
        listener(state)
      } catch (error) {
        // A listener's fault is its own: it is reported as one of the page, and the others are told all the same.
        queueMicrotask(() => {
          throw error
        })
      }
    }
  }

  #leftMs(): number {
    return (this.#held?.endsAt ?? 0) - this.#clock.now()
  }

  #isFresh(refused: string | undefined): boolean {
    if (!this.#held || this.#held.accessToken === refused) return false
    return this.#leftMs() > Math.min(this.#aheadMs, this.#held.lifeMs / 2)
  }

  #isUsable(refused: string | undefined): boolean {
    return this.#user !== undefined && this.#isFresh(refused)
  }
}

function over(code: string): SymbolonError {
  return new SymbolonError({ status: 401, code, detail: 'Nobody is signed in.' })
}

/** The same, but not longer than the signal allows. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
