import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readSnapshot, type SnapshotHead } from '../dist/snapshot.js'

function read(lines: string[]): { head: SnapshotHead; entries: unknown[]; batches: number } {
  const entries: unknown[] = []
  let batches = 0
  const reading = readSnapshot(lines)
  for (;;) {
    const step = reading.next()
    if (step.done) return { head: step.value, entries, batches }
    entries.push(...step.value)
    batches += 1
  }
}

const HEAD = { epoch: 'e1', seq: 3, now: 5 }

test('reads what JSON.parse would, wherever the lines end', () => {
  const entries = [{ a: 1, b: 'x]}"\\', c: { entries: [1] } }, {}, { d: [[]] }]
  const texts = [
    { ...HEAD, entries },
    { entries, ...HEAD },
    { other: { entries: [9] }, list: ['entries', [1, { x: 2 }]], ...HEAD, entries, more: [{ entries: [{}] }] },
    { ...HEAD, entries: [] },
    { ...HEAD, text: 'entries', entries },
  ].map((value) => [value, JSON.stringify(value, null, 1)] as const)
  for (const [value, text] of texts) {
    for (const lines of [[text], text.split('\n'), [JSON.stringify(value)], ['', JSON.stringify(value), '']]) {
      const { head, entries } = read(lines)
      assert.deepEqual(head, HEAD)
      assert.deepEqual(entries, value.entries)
    }
  }
})

test('reads many entries in batches', () => {
  const entries = Array.from({ length: 5000 }, (_, seq) => ({ seq, text: 'x'.repeat(50) }))
  const { entries: seen, batches } = read([JSON.stringify({ ...HEAD, entries })])
  assert.deepEqual(seen, entries)
  assert.ok(batches > 5, `${batches}`)
})

test('refuses what is no snapshot', () => {
  const long = `{"x":"${'x'.repeat(40_000)}"}`
  const wrong = [
    '', 'null', '[]', '{}', '{"epoch":"e1","seq":3,"now":5}',
    '{"epoch":"e1","seq":3,"now":5,"entries":{}}',
    '{"epoch":"e1","seq":3,"now":5,"entries":[}',
    '{"epoch":"e1","seq":3,"now":5,"entries":[]',
    '{"epoch":"e1","seq":3,"now":5,"entries":[]}}',
    '{"epoch":"e1","seq":3,"now":5,"entries":[]} x',
    '{"epoch":"e1","seq":3,"now":5,"entries":[,]}',
    '{"epoch":"e1","seq":3,"now":5,"entries":[{},]}',
    '{"epoch":"e1","seq":3,"now":5,"entries":[{} {}]}',
    `{"epoch":"e1","seq":3,"now":5,"entries":[${long},]}`,
    `{"epoch":"e1","seq":3,"now":5,"entries":[${long},,{}]}`,
    '{"epoch":"e1","seq":3,"now":5,"entries":[],"entries":[{}]}',
    '{"epoch":"e1","seq":3,"now":5,"entr\\u0069es":[{}]}',
    '{"epoch":"e1","seq":3,"now":5,"entries":["]}',
    '{"epoch":"e1","epoch":"e2","seq":3,"now":5,"entries":[]}',
    '{"epoch":"","seq":3,"now":5,"entries":[]}',
    '{"epoch":"e\\n1","seq":3,"now":5,"entries":[]}',
    '{"epoch":"e1","seq":-3,"now":5,"entries":[]}',
    '{"epoch":"e1","seq":3.5,"now":5,"entries":[]}',
    '{"epoch":"e1","seq":3,"now":"5","entries":[]}',
  ]
  for (const text of wrong) assert.throws(() => read([text]), { name: 'Malformed' }, text.slice(0, 80))
})
