import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

import { TestIssuer } from './issuer.js'

/** Runs a program of its own with a guard of this issuer, to its end. */
async function run(issuer: string, startTimeoutMs: number, rest: string): Promise<{ code: number | null; output: string }> {
  const program = `import { createGuard } from '@symbolon/guard'
    const guard = await createGuard({ issuer: ${JSON.stringify(issuer)}, audience: 'api', startTimeoutMs: ${startTimeoutMs} })
    ${rest}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { cwd: new URL('..', import.meta.url) })
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text))
  const [code] = (await once(child, 'close', { signal: AbortSignal.timeout(20_000) })) as [number | null]
  return { code, output: chunks.join('') }
}

test('a process ends when it has closed its guard', async (t) => {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  assert.deepEqual(await run(issuer.url, 10_000, `guard.close(); console.log('closed')`), { code: 0, output: 'closed\n' })
})

test('a process that only waits for its guard waits until it knows why there is none', async () => {
  const issuer = await TestIssuer.start()
  issuer.close()
  const { code, output } = await run(issuer.url, 2000, '')
  assert.equal(code, 1)
  assert.match(output, /StartError: reading the metadata of the issuer, not done within 2 s: fetch failed/)
})

test('a log that throws ends nothing', async (t) => {
  const issuer = await TestIssuer.start()
  t.after(() => issuer.close())
  const { createGuard } = await import('@symbolon/guard')
  const broken = (): never => {
    throw new Error('full disk')
  }
  const guard = await createGuard({ issuer: issuer.url, audience: 'api', onEvent: broken })
  t.after(() => guard.close())
  issuer.connections[0]?.send('event: revocation\ndata: x\n\n')
  await issuer.connection(1)
  assert.equal(guard.metrics().malformed, 1)
})
