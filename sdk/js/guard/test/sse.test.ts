import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { SseParser, type SseEvent } from '../dist/sse.js'
import { Malformed } from '../dist/strict.js'

type Seen = [name: string, id: string | undefined, data: string]

function read(pieces: Iterable<string>): Seen[] {
  const parser = new SseParser()
  const events: SseEvent[] = []
  for (const piece of pieces) events.push(...parser.push(piece, 0))
  return events.map(({ name, id, data }) => [name, id, data.join('\n')])
}

const TEXTS: [name: string, text: string, events: Seen[]][] = [
  ['an event', 'event: a\nid: 1\ndata: x\n\n', [['a', '1', 'x']]],
  ['each has its own id', 'event: a\nid: 1\ndata: x\n\nevent: b\ndata: y\n\n', [['a', '1', 'x'], ['b', undefined, 'y']]],
  ['carriage returns', 'event: a\rdata: x\r\rdata: y\r\r', [['a', undefined, 'x'], ['', undefined, 'y']]],
  ['both', 'event: a\r\ndata: x\r\ndata: y\r\n\r\ndata: z\r\n\r\n', [['a', undefined, 'x\ny'], ['', undefined, 'z']]],
  ['lines of data', 'data: {\ndata:\ndata\ndata:  }\n\n', [['', undefined, '{\n\n\n }']]],
  ['comments', ': c\n:\nevent: a\n: within\ndata: x\n\n: amid', [['a', undefined, 'x']]],
  ['blank lines', '\n\n\r\n\r\rdata: x\n\n\n', [['', undefined, 'x']]],
  ['unknown fields', 'retry: 5\nfoo: bar\ndatax: 1\ndata: x\n\n', [['', undefined, 'x']]],
  ['only the first space goes', 'data:  x: y \n\n', [['', undefined, ' x: y ']]],
  ['an id with a null is none', 'id: a\0b\ndata: x\n\n', [['', undefined, 'x']]],
  ['nothing but an id is no event', 'id: 1\n\n', []],
  ['a name without data is one', 'event: a\n\n', [['a', undefined, '']]],
  ['beyond ASCII', 'data: σύμβολον 🗝\n\n', [['', undefined, 'σύμβολον 🗝']]],
  ['cut within a name', 'data: x\n\nev', [['', undefined, 'x']]],
  ['cut before the blank line', 'event: a\ndata: x\n', []],
  ['cut within an id', 'id: 1\n', []],
]

describe('the parser of server-sent events', () => {
  for (const [name, text, expected] of TEXTS) {
    test(`${name}, in one piece, in two at every place, and in single characters`, () => {
      assert.deepEqual(read([text]), expected)
      for (let at = 0; at <= text.length; at += 1) assert.deepEqual(read([text.slice(0, at), text.slice(at)]), expected, `at ${at}`)
      assert.deepEqual(read(text), expected)
    })
  }

  test('knows when an event began', () => {
    const parser = new SseParser()
    assert.deepEqual(parser.push('data: x\n', 1), [])
    assert.equal(parser.push('\n', 2)[0]?.begunAt, 1)
    assert.equal(parser.push('data: y\n\ndata: z', 3)[0]?.begunAt, 3)
    assert.equal(parser.push('\n\n', 4)[0]?.begunAt, 3)
    assert.equal(parser.push('data: x\n\n', 5)[0]?.begunAt, 5)
  })

  test('an event has a longest size, in one line or many; comments take no room', () => {
    const parser = new SseParser(100)
    assert.throws(() => new SseParser(100).push(`data: ${'x'.repeat(101)}`, 0), Malformed)
    assert.throws(() => {
      for (let line = 0; line < 20; line += 1) parser.push('data: x\n', 0)
    }, Malformed)
    const endless = new SseParser(100)
    for (let line = 0; line < 100; line += 1) endless.push(': still here\n', 0)
    assert.equal(endless.push('data: x\n\n', 0).length, 1)
    for (let event = 0; event < 100; event += 1) assert.equal(endless.push('data: xxxxx\n\n', 0).length, 1)
  })

  test('takes time in proportion to the text, however small the pieces', () => {
    const time = (length: number): number => {
      const started = performance.now()
      const parser = new SseParser()
      for (let index = 0; index < length; index += 1) parser.push('x', 0)
      parser.push('\n\n', 0)
      return performance.now() - started
    }
    const least = (length: number): number => Math.min(time(length), time(length), time(length))
    // Were it quadratic, eight times the text would take sixty-four times as long.
    assert.ok(least(1_600_000) < 30 * Math.max(least(200_000), 5))
  })
})
