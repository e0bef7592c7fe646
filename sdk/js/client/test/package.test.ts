import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'

import { build } from 'esbuild'

const MOST_BYTES = 6 * 1024
const root = new URL('../', import.meta.url)

async function minified(entry: string): Promise<string> {
  const { outputFiles } = await build({ entryPoints: [new URL(`dist/${entry}.js`, root).pathname], bundle: true, minify: true, format: 'esm', write: false, external: ['react', 'vue'] })
  return outputFiles[0]!.text
}

test('the whole client is under 6 KB compressed', async (t) => {
  for (const entry of ['index', 'dpop', 'react', 'vue']) {
    const { length } = gzipSync(await minified(entry), { level: 9 })
    t.diagnostic(`${entry}: ${length} bytes`)
    assert.ok(length < MOST_BYTES, `${entry} has ${length} bytes`)
  }
})

test('there is no run-time dependency', async () => {
  const manifest = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as Record<string, unknown>
  assert.equal(manifest['dependencies'], undefined)
  assert.doesNotMatch(await minified('index'), /\b(import|require)\b\s*[("']/)
})

test('the types are those of docs/openapi.json', async () => {
  const { typesText } = (await import(new URL('scripts/types.mjs', root).href)) as { typesText: () => Promise<string> }
  assert.equal(await readFile(new URL('src/api.ts', root), 'utf8'), await typesText(), 'npm run types')
})
