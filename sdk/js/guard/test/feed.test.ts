import assert from 'node:assert/strict'
import { test } from 'node:test'

import { guarded } from './guarded.js'
import { entry, type Connection } from './issuer.js'
import { until } from './until.js'

test('a revocation is heeded as it comes', async (t) => {
  const { issuer, guard, verdict } = await guarded(t)
  const [one, two] = [await issuer.sign(), await issuer.sign({ sid: 's2' })]
  assert.equal(await verdict(one), null)
  const connection = await issuer.connection(0)
  connection.revocation(entry(1, 'session', 's1'))
  await until(() => guard.metrics().seq === 1, 'the entry')
  assert.equal(await verdict(one), 'token_revoked')
  assert.equal(await verdict(two), null)
  connection.revocation(entry(2, 'user', 'u1', { effect: 'stale', below: 2 }))
  await until(() => guard.metrics().seq === 2, 'the entry')
  assert.equal(await verdict(two), 'token_stale')
})

test('a break is resumed from the last entry', async (t) => {
  const { issuer, guard, verdict } = await guarded(t)
  const token = await issuer.sign()
  issuer.greet = (connection) => connection.revocation(entry(2, 'session', 's1'))
  const first = await issuer.connection(0)
  first.revocation(entry(1, 'session', 'other'))
  await until(() => guard.metrics().seq === 1, 'the entry')
  first.cut()
  const second = await issuer.connection(1)
  assert.equal(second.lastEventId, 'e1:1')
  await until(async () => (await verdict(token)) === 'token_revoked', 'the entry that came meanwhile')
  assert.deepEqual([guard.metrics().snapshots, guard.metrics().malformed], [1, 0])
})

for (const how of ['end', 'cut'] as const) {
  test(`an event that breaks off (${how}) is as if it had not come: no snapshot is needed`, async (t) => {
    const { issuer, guard, verdict, events } = await guarded(t)
    issuer.greet = (connection) => connection.revocation(entry(1, 'session', 's1'))
    const first = await issuer.connection(0)
    first.send('event: revocation\nid: e1:1\ndata: {"seq":1,')
    // What was written is on its way before the connection breaks.
    setImmediate(() => first[how]())
    assert.equal((await issuer.connection(1)).lastEventId, 'e1:0')
    await until(() => guard.metrics().seq === 1, 'the entry')
    assert.equal(await verdict(await issuer.sign()), 'token_revoked')
    assert.deepEqual([guard.metrics().snapshots, guard.metrics().malformed], [1, 0])
    assert.deepEqual(events.filter(({ level }) => level === 'warn'), [])
  })
}

for (const [name, spoil] of Object.entries<(connection: Connection) => void>({
  'an entry that is no JSON': (connection) => connection.send('event: revocation\nid: e1:1\ndata: {"seq":1,\n\n'),
  'an entry of an unknown kind': (connection) => connection.revocation(entry(1, 'planet' as 'session', 'x')),
  'an entry of another epoch': (connection) => connection.revocation(entry(1, 'session', 's1'), 'e2'),
  'bytes that are no UTF-8': (connection) => connection.send(Buffer.from([0x64, 0xff, 0x0a]) as unknown as string),
})) {
  test(`${name}: counted, told, and healed by a snapshot`, async (t) => {
    const { issuer, guard, verdict, events } = await guarded(t)
    const token = await issuer.sign()
    issuer.greet = (connection) => connection.snapshot({ seq: 1, entries: [entry(1, 'session', 's1')] })
    spoil(await issuer.connection(0))
    assert.equal((await issuer.connection(1)).lastEventId, undefined)
    await until(() => guard.metrics().snapshots === 2, 'a fresh snapshot')
    assert.equal(await verdict(token), 'token_revoked')
    assert.equal(guard.metrics().malformed, 1)
    assert.equal(events.filter(({ type }) => type === 'feed_malformed').length, 1)
  })
}

test('another epoch takes the place of everything', async (t) => {
  const { issuer, guard, verdict } = await guarded(t, {}, (issuer) => {
    issuer.greet = (connection) => connection.snapshot({ seq: 7, entries: [entry(7, 'session', 's1')] })
  })
  const token = await issuer.sign()
  assert.equal(await verdict(token), 'token_revoked')
  issuer.greet = (connection) => connection.snapshot({ epoch: 'e2', seq: 1, entries: [entry(1, 'session', 's2')] })
  issuer.connections[0]?.end()
  await until(() => guard.metrics().epoch === 'e2', 'the epoch')
  assert.equal((await issuer.connection(1)).lastEventId, 'e1:7')
  assert.equal(await verdict(token), null)
  assert.equal(await verdict(await issuer.sign({ sid: 's2' })), 'token_revoked')
  // Numbers begin anew.
  issuer.connections[1]?.revocation(entry(2, 'session', 's1'), 'e2')
  await until(async () => (await verdict(token)) === 'token_revoked', 'the entry of the epoch')
})

test('a point from the future: the snapshot counts, and what was known stays', async (t) => {
  const { issuer, guard, verdict } = await guarded(t, {}, (issuer) => {
    issuer.greet = (connection) => connection.snapshot({ seq: 9, entries: [entry(9, 'session', 's1')] })
  })
  issuer.greet = (connection) => connection.snapshot({ seq: 5 })
  issuer.connections[0]?.cut()
  await until(() => guard.metrics().seq === 5, 'the lower number')
  assert.equal(await verdict(await issuer.sign()), 'token_revoked')
  // Entries that the server numbers below what was seen are not taken for old ones.
  issuer.connections[1]?.revocation(entry(6, 'session', 's6'))
  await until(() => guard.metrics().seq === 6, 'the entry')
  assert.equal(await verdict(await issuer.sign({ sid: 's6' })), 'token_revoked')
})

test('a heartbeat that tells of more than was heard: connects again with its last id', async (t) => {
  const { issuer, guard, verdict } = await guarded(t)
  issuer.greet = (connection) => {
    connection.revocation(entry(3, 'session', 's1'))
    connection.heartbeat(3)
  }
  issuer.connections[0]?.heartbeat(3)
  assert.equal((await issuer.connection(1)).lastEventId, 'e1:0')
  await until(() => guard.metrics().seq === 3, 'what was lost')
  assert.equal(await verdict(await issuer.sign()), 'token_revoked')
  await until(() => issuer.connections[0]?.isOpen === false, 'the end of the first connection')
})

test('silence ends a connection, and so does an issuer that does not answer', async (t) => {
  const { issuer } = await guarded(t, { silenceMs: 100 })
  issuer.greet = () => undefined
  const next = issuer.connections.length
  assert.equal((await issuer.connection(next)).lastEventId, 'e1:0')
  await issuer.connection(next + 1)
  await until(() => issuer.connections[next]?.isOpen === false, 'the end of the silent connection')
})

test('the issuer may be away for a while', async (t) => {
  const { issuer, guard } = await guarded(t)
  issuer.metadata = {}
  const { greet } = issuer
  issuer.greet = (connection) => connection.cut()
  issuer.connections[0]?.cut()
  await issuer.connection(3)
  issuer.greet = greet
  await until(() => guard.metrics().snapshots === 2 && guard.metrics().fresh, 'the feed')
  assert.ok(guard.metrics().reconnects >= 3)
})

test('a large snapshot holds up nobody', async (t) => {
  const entries = Array.from({ length: 200_000 }, (_, index) => entry(index + 1, 'session', `s${index}`))
  const { issuer, guard } = await guarded(t)
  issuer.greet = (connection) => connection.snapshot({ epoch: 'e2', seq: entries.length, entries })
  issuer.connections[0]?.cut()
  let turns = 0
  await until(() => {
    turns += 1
    return guard.metrics().entries === entries.length
  }, 'the snapshot')
  assert.ok(turns > 10, `${turns} turns while it was read`)
})

test('what comes of a backlog does not make it fresh before the server says that it is over', async (t) => {
  const { issuer, guard, clock, verdict } = await guarded(t, {}, (issuer) => {
    issuer.greet = (connection) => connection.snapshot()
  })
  const token = await issuer.sign()
  issuer.greet = (connection) => connection.revocation(entry(1, 'session', 'other'))
  clock.offset = 16_000
  issuer.connections[0]?.cut()
  const again = await issuer.connection(1)
  await until(() => guard.metrics().seq === 1, 'the entry')
  // The end of its session may be still on its way.
  assert.equal(await verdict(token), 'overloaded')
  again.revocation(entry(2, 'session', 's1'))
  again.heartbeat(2)
  await until(() => guard.metrics().fresh, 'the heartbeat')
  assert.equal(await verdict(token), 'token_revoked')
  clock.offset = 26_000
  again.revocation(entry(3, 'session', 'another'))
  await until(() => guard.metrics().seq === 3, 'the entry')
  clock.offset = 36_000
  assert.equal(guard.metrics().fresh, true)
})

test('a clock of this machine that is ahead for a while drops no entry', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { issuer, guard, clock, verdict } = await guarded(t, { staleness: 'fail_open' }, (issuer) => {
    issuer.greet = (connection) => connection.snapshot({ seq: 1, entries: [entry(1, 'session', 's1')] })
  })
  const token = await issuer.sign()
  clock.offset = 3_600_000
  t.mock.timers.tick(60_000)
  await new Promise((resolve) => setImmediate(resolve))
  clock.offset = 0
  assert.equal(guard.metrics().entries, 1)
  assert.equal(await verdict(token), 'token_revoked')
})

test('what is held back on the way is not heard', async (t) => {
  const { issuer, guard, clock } = await guarded(t, {}, (issuer) => {
    issuer.greet = (connection) => connection.snapshot()
  })
  const began = Math.floor(Date.now() / 1000)
  const first = issuer.connections[0]
  // A little later with each: 10 s of the server's in 14 s of ours.
  for (const number of [1, 2, 3]) {
    clock.offset = number * 14_000
    first?.heartbeat(0, began + number * 10)
    await until(() => (guard.metrics().secondsSinceHeard ?? Infinity) < 10, 'the heartbeat')
  }
  issuer.greet = () => undefined
  clock.offset = 62_000
  first?.heartbeat(0, began + 40)
  const again = await issuer.connection(1)
  assert.equal(again.lastEventId, 'e1:0')
  assert.equal(guard.metrics().fresh, false)
  assert.equal(guard.metrics().malformed, 0)
  again.heartbeat(0, began + 62)
  await until(() => guard.metrics().fresh, 'the heartbeat')
})
