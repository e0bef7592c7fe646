import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isBase64url, parseObject } from '../dist/strict.js'
import { metadataUrl } from '../dist/discovery.js'
import { Cache } from '../dist/cache.js'
import { KeySet } from '../dist/keys.js'

test('JSON: an object whose members are named once', () => {
  const good = ['{}', ' {"a":{"a":[{"a":1},{"a":2}]},"b":"\\"a\\":1,","c":[]} ', '{"a":["a","a"],"":{"":""}}']
  for (const text of good) assert.deepEqual(parseObject(text), JSON.parse(text))
  const bad = [
    '', '[]', '1', 'null', '"x"', '{"a":1', '{"a":1}x',
    '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"a":{"b":1,"b":2}}', '{"x":[{"b":1,"c":{},"b":2}]}', '{"a":[{},{}],"b":1,"a":{}}',
  ]
  for (const text of bad) assert.throws(() => parseObject(text), { name: 'Malformed' }, text)
})

test('base64url: one text for one value', () => {
  for (let length = 0; length < 40; length += 1) {
    const text = Buffer.alloc(length, 0xa7).toString('base64url')
    assert.ok(isBase64url(text), text)
  }
  for (const text of ['a', 'ab', 'abc', 'AB', 'AAB', 'AA==', 'AA=', 'A+AA', 'A/AA', 'AA AA', 'AAAA\n', 'AAAAA']) {
    const same = Buffer.from(text, 'base64url').toString('base64url') === text
    assert.equal(isBase64url(text), same, text)
  }
})

test('the place of the metadata', () => {
  assert.equal(metadataUrl('https://a.example').href, 'https://a.example/.well-known/oauth-authorization-server')
  assert.equal(metadataUrl('https://a.example/x/y').href, 'https://a.example/.well-known/oauth-authorization-server/x/y')
  assert.equal(metadataUrl('https://a.example/x/').href, 'https://a.example/.well-known/oauth-authorization-server/x')
})

test('the cache keeps those that were asked for', () => {
  const cache = new Cache<number>(3)
  for (let n = 1; n <= 3; n += 1) cache.insert(`${n}`, n)
  assert.equal(cache.find('1'), 1)
  cache.insert('4', 4)
  assert.deepEqual(['1', '2', '3', '4'].map((key) => cache.find(key)), [1, undefined, 3, 4])
  cache.dropWhere((n) => n > 2)
  assert.equal(cache.size, 1)
  // Though all are used, the eldest goes, and nothing goes round for ever.
  const busy = new Cache<number>(3)
  for (let n = 0; n < 10; n += 1) {
    busy.insert(`${n}`, n)
    for (let m = 0; m <= n; m += 1) busy.find(`${m}`)
  }
  assert.deepEqual([busy.size, busy.find('9')], [3, 9])
  const none = new Cache<number>(0)
  none.insert('1', 1)
  assert.equal(none.size, 0)
})

test('keys of a kind that is none are left out, whatever they call themselves', async () => {
  for (const kty of ['constructor', '__proto__', 'toString', 'oct', 'EC']) {
    const keys = await new KeySet().next(JSON.stringify({ keys: [{ kty, kid: 'k', alg: 'ES256' }] }))
    assert.equal(keys.size, 0, kty)
  }
})
