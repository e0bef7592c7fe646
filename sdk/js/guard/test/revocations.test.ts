import assert from 'node:assert/strict'
import { test } from 'node:test'

import { feedKey, type Effect, type Kind } from '../dist/entry.js'
import { RevocationSet, type Subject } from '../dist/revocations.js'

const subject: Subject = {
  session: feedKey('session', 's'),
  user: feedKey('user', 'u'),
  token: feedKey('token', 't'),
  client: feedKey('client', 'c'),
  key: feedKey('key', 'k'),
  version: 5,
  issuedAt: 1000,
}

function put(set: RevocationSet, kind: Kind, id: string, more: { bound?: number; until?: number; effect?: Effect } = {}): void {
  set.apply({ seq: 1, kind, key: feedKey(kind, id), effect: 'revoked', bound: 0, until: 2000, ...more })
}

function drain(steps: Generator<void, void, void>): void {
  for (const _ of steps);
}

test('each kind hits what it names', () => {
  const rows: [Kind, string, number, boolean][] = [
    ['session', 's', 0, true], ['session', 'x', 0, false],
    ['token', 't', 0, true], ['token', 's', 0, false],
    ['key', 'k', 0, true], ['key', 'x', 0, false],
    ['user', 'u', 6, true], ['user', 'u', 5, false], ['user', 'x', 6, false],
    ['client', 'c', 1000, true], ['client', 'c', 999, false], ['client', 'x', 1000, false],
    ['all', '', 1000, true], ['all', '', 999, false],
  ]
  for (const [kind, id, bound, hit] of rows) {
    const set = new RevocationSet()
    put(set, kind, id, { bound })
    assert.equal(set.find(subject), hit ? 'revoked' : undefined, `${kind} ${id} ${bound}`)
  }
})

test('a token without a session or version: no session hits it, every user entry does', () => {
  const set = new RevocationSet()
  put(set, 'session', '')
  assert.equal(set.find({ ...subject, session: undefined }), undefined)
  put(set, 'user', 'u', { bound: 0 })
  assert.equal(set.find(subject), undefined)
  assert.equal(set.find({ ...subject, version: undefined }), 'revoked')
})

test('revoked goes before stale', () => {
  const set = new RevocationSet()
  put(set, 'session', 's', { effect: 'stale' })
  assert.equal(set.find(subject), 'stale')
  put(set, 'all', '', { bound: 1000 })
  assert.equal(set.find(subject), 'revoked')
  assert.equal(set.size, 2)
})

test('of two about one subject the wider bound and the later end count, in any order', () => {
  for (const order of [[0, 1], [1, 0]]) {
    const set = new RevocationSet()
    const two = [{ bound: 6, until: 1500 }, { bound: 3, until: 3000 }]
    for (const which of order) put(set, 'user', 'u', two[which])
    for (const which of order) put(set, 'session', 'x', two[which])
    assert.equal(set.size, 2)
    drain(set.expire(2999))
    assert.equal(set.find(subject), 'revoked')
    assert.equal(set.size, 2)
    drain(set.expire(3000))
    assert.equal(set.size, 0)
    assert.equal(set.find(subject), undefined)
  }
})

test('takes over what another knows', () => {
  const [one, two] = [new RevocationSet(), new RevocationSet()]
  put(one, 'user', 'u', { bound: 2 })
  put(two, 'user', 'u', { bound: 6 })
  put(two, 'all', '', { bound: 1, effect: 'stale' })
  for (let n = 0; n < 25_000; n += 1) put(two, 'session', `s${n}`)
  let steps = 0
  for (const _ of one.absorb(two)) steps += 1
  assert.equal(steps, 2)
  assert.equal(one.size, 25_002)
  assert.equal(one.find(subject), 'revoked')
})
