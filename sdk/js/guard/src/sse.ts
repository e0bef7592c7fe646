import { Malformed } from './strict.js'

/** One server-sent event. */
export interface SseEvent {
  readonly name: string
  readonly id: string | undefined
  /** The values of its `data` lines; joined by line feeds they are the data. */
  readonly data: string[]
  /** What `at` was when its first character came. */
  readonly begunAt: number
}

const MAX_EVENT = 256 * 1024 * 1024

/** Reads a stream of server-sent events, in whatever pieces it comes (WHATWG HTML section 9.2.6), in linear time. */
export class SseParser {
  readonly #limit: number
  /** Pieces of a line whose end has not come. */
  #pieces: string[] = []
  #name = ''
  #id: string | undefined
  #data: string[] = []
  /** Characters of the event so far. */
  #size = 0
  #afterCr = false
  #begunAt: number | undefined

  constructor(limit = MAX_EVENT) {
    this.#limit = limit
  }

  /** The events that this text completes; one that is never completed is none. Throws `Malformed` for one that is too long. */
  push(text: string, at: number): SseEvent[] {
    const events: SseEvent[] = []
    if (text === '') return events
    const ends = /[\r\n]/g
    let start = this.#afterCr && text.startsWith('\n') ? 1 : 0
    this.#afterCr = false
    this.#begunAt ??= at
    ends.lastIndex = start
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      const event = this.#line(this.#finish(text.slice(start, end.index)), at)
      if (event) events.push(event)
      start = end.index + 1
      if (end[0] === '\r') {
        this.#afterCr = start === text.length
        if (text[start] === '\n') start += 1
      }
      ends.lastIndex = start
    }
    if (start < text.length) {
      this.#grow(text.length - start)
      this.#pieces.push(text.slice(start))
    } else if (!this.#hasFields) {
      this.#begunAt = undefined
    }
    return events
  }

  get #hasFields(): boolean {
    return this.#name !== '' || this.#data.length > 0 || this.#id !== undefined
  }

  #finish(last: string): string {
    this.#grow(last.length)
    if (this.#pieces.length === 0) return last
    const line = this.#pieces.join('') + last
    this.#pieces = []
    return line
  }

  #grow(by: number): void {
    this.#size += by
    if (this.#size > this.#limit) throw new Malformed('an event that is too long')
  }

  #line(line: string, at: number): SseEvent | undefined {
    if (line === '') return this.#dispatch(at)
    if (line.startsWith(':')) {
      // It is not kept, so it takes no room.
      this.#size -= line.length
      return undefined
    }
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'event') this.#name = value
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id' && !value.includes('\0')) this.#id = value
    return undefined
  }

  #dispatch(at: number): SseEvent | undefined {
    const event = { name: this.#name, id: this.#id, data: this.#data, begunAt: this.#begunAt ?? at }
    const isEvent = this.#name !== '' || this.#data.length > 0
    this.#name = ''
    this.#id = undefined
    this.#data = []
    this.#size = 0
    this.#begunAt = at
    return isEvent ? event : undefined
  }
}
