/** Measures a guard that knows a million revocations: `npm run bench`. The issuer is a process of its own. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'

import { createGuard, type Guard } from '@symbolon/guard'

import { feedKey } from '../dist/entry.js'
import { AUDIENCE, TestIssuer } from './issuer.js'

const ENTRIES = 1_000_000
const TOKENS = 10_000

if (process.argv[2] === 'issuer') await issue()
else await measure()

async function issue(): Promise<void> {
  const issuer = await TestIssuer.start()
  const now = (): number => Math.floor(Date.now() / 1000)
  const entries = Array.from({ length: ENTRIES }, (_, n) => {
    const entry = { seq: n + 1, kind: 'session', key: feedKey('session', `${n}`), effect: 'revoked', until: now() + 900 }
    return JSON.stringify(entry)
  })
  // As the server does it, in many lines of data.
  const lines = Array.from({ length: ENTRIES / 1000 }, (_, n) => entries.slice(n * 1000, (n + 1) * 1000).join(','))
  issuer.greet = (connection) => {
    connection.send(`event: snapshot\nid: e1:${ENTRIES}\ndata: {"epoch":"e1","seq":${ENTRIES},"now":${now()},"entries":[\n`)
    for (const [n, line] of lines.entries()) connection.send(`data: ${n === 0 ? '' : ','}${line}\n`)
    connection.send(`data: ]}\n\nevent: heartbeat\ndata: {"now":${now()},"seq":${ENTRIES}}\n\n`)
  }
  const tokens = await Promise.all(Array.from({ length: TOKENS }, (_, n) => issuer.sign({ sid: `live${n}`, jti: `t${n}` })))
  process.send?.({ url: issuer.url, tokens })
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename, ['issuer'])
  const [{ url, tokens }] = (await once(child, 'message')) as [{ url: string; tokens: string[] }]
  const before = memory()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const started = performance.now()
  const guard = await createGuard({ issuer: url, audience: AUDIENCE, startTimeoutMs: 120_000, stalenessBoundMs: 600_000, silenceMs: 600_000 })
  const took = performance.now() - started
  delay.disable()
  child.kill()
  const peak = process.memoryUsage().rss / 1e6
  const after = memory()
  console.log(`node ${process.version}, ${guard.metrics().entries} revocations`)
  console.log(`start with the snapshot: ${(took / 1000).toFixed(2)} s; longest hold-up of the event loop ${(delay.max / 1e6).toFixed(0)} ms, 99 % below ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
  console.log(`memory: ${(after.used - before.used).toFixed(0)} MB held; resident ${before.rss.toFixed(0)} MB before, ${peak.toFixed(0)} after reading, ${after.rss.toFixed(0)} after collecting`)
  await time('a token seen for the first time (ES256)', guard, tokens, 1)
  await time('a token seen before, one', guard, tokens.slice(0, 1), 500_000)
  await time(`a token seen before, ${TOKENS} in turn`, guard, tokens, 50)
  guard.close()
}

async function time(what: string, guard: Guard, tokens: readonly string[], rounds: number): Promise<void> {
  if (rounds > 1) await round(guard, tokens, Math.ceil(rounds / 10))
  const runs: number[] = []
  for (let run = 0; run < (rounds > 1 ? 5 : 1); run += 1) runs.push(await round(guard, tokens, rounds))
  runs.sort((a, b) => a - b)
  const median = runs[runs.length >> 1] ?? 0
  console.log(`${what}: ${median.toFixed(2)} µs (${runs[0]?.toFixed(2)} to ${runs.at(-1)?.toFixed(2)})`)
}

/** Microseconds for each token. */
async function round(guard: Guard, tokens: readonly string[], rounds: number): Promise<number> {
  const started = performance.now()
  for (let n = 0; n < rounds; n += 1) for (const token of tokens) await guard.verify(token)
  return ((performance.now() - started) * 1000) / (rounds * tokens.length)
}

function memory(): { used: number; rss: number } {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { used: (heapUsed + external) / 1e6, rss: rss / 1e6 }
}
