import { integer, sequence } from './entry.js'
import { Malformed, parseObject } from './strict.js'

/** What a snapshot says beside its entries. */
export interface SnapshotHead {
  readonly epoch: string
  readonly seq: number
  readonly now: number
}

/** About how many characters of entries are parsed at once. */
const BATCH = 32_768

/**
 * Reads a snapshot in batches, so that a million entries do not hold up a process. Yields the entries as they stand in
 * JSON, unread; returns the rest. Lets go of each line that it has read, to save memory. Throws `Malformed`.
 */
export function* readSnapshot(lines: string[]): Generator<unknown[], SnapshotHead, void> {
  const splitter = new Splitter()
  for (const [index, line] of lines.entries()) {
    lines[index] = ''
    yield* splitter.line(line)
  }
  const head = parseObject(splitter.rest())
  const { epoch, entries } = head
  // It goes back to the server in a header.
  if (typeof epoch !== 'string' || !/^[\x21-\x7e]{1,128}$/.test(epoch)) throw new Malformed('epoch')
  // They were taken out, unless the member was not where or what it must be.
  if (!Array.isArray(entries) || entries.length > 0) throw new Malformed('entries')
  return { epoch, seq: sequence(head['seq']), now: integer(head['now'], 'now') }
}

/** Takes the elements of `entries` out of a JSON object; what it takes and what it leaves are parsed as JSON. */
class Splitter {
  #rest: string[] = []
  #batch: string[] = []
  #size = 0
  #batches = 0
  #depth = 0
  /** The last string at the object's own level, which before a colon or bracket is a member's name. */
  #name = ''
  #place: 'before' | 'in' | 'after' = 'before'

  /** What is left when the entries are out. */
  rest(): string {
    return this.#rest.join('\n')
  }

  /** A line is whole tokens: JSON has no line feed inside one. */
  *line(line: string): Generator<unknown[], void, void> {
    let from = 0
    for (let index = 0; index < line.length; index += 1) {
      switch (line.charCodeAt(index)) {
        case QUOTE: {
          const end = endOfString(line, index)
          if (this.#depth === 1) this.#name = line.slice(index, end + 1)
          index = end
          break
        }
        case OPEN_BRACKET:
        case OPEN_BRACE:
          this.#depth += 1
          if (this.#depth === 2 && this.#place === 'before' && line[index] === '[' && this.#name === '"entries"') {
            this.#rest.push(line.slice(from, index + 1))
            from = index + 1
            this.#place = 'in'
          }
          break
        case CLOSE_BRACKET:
        case CLOSE_BRACE:
          this.#depth -= 1
          if (this.#place === 'in' && this.#depth === 1) {
            this.#take(line.slice(from, index))
            yield* this.#parsed('last')
            from = index
            this.#place = 'after'
          }
          break
        case COMMA:
          if (this.#place === 'in' && this.#depth === 2 && this.#size + index - from >= BATCH) {
            this.#take(line.slice(from, index))
            yield* this.#parsed('more')
            from = index + 1
          }
          break
      }
    }
    if (this.#place === 'in') this.#take(line.slice(from))
    else this.#rest.push(line.slice(from))
  }

  #take(text: string): void {
    this.#batch.push(text)
    this.#size += text.length
  }

  *#parsed(which: 'last' | 'more'): Generator<unknown[], void, void> {
    const text = this.#batch.join('\n')
    this.#batch = []
    this.#size = 0
    let entries: unknown[]
    try {
      entries = JSON.parse(`[${text}]`) as unknown[]
    } catch {
      throw new Malformed('not JSON')
    }
    // Nothing stands for no entries only where there is nothing else: beside a comma it is no JSON.
    if (entries.length === 0 && (which === 'more' || this.#batches > 0)) throw new Malformed('not JSON')
    this.#batches += 1
    yield entries
  }
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

function endOfString(line: string, start: number): number {
  for (let index = start + 1; index < line.length; index += 1) {
    const code = line.charCodeAt(index)
    if (code === QUOTE) return index
    if (code === BACKSLASH) index += 1
  }
  throw new Malformed('a string without an end')
}
