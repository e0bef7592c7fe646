import assert from 'node:assert/strict'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const BINARY = process.env['SYMBOLON_TEST_SERVER'] ?? fileURLToPath(new URL('../../../../target/debug/symbolon', import.meta.url))
assert.ok(existsSync(BINARY), `${BINARY} is not there: cargo build -p symbolon, or set SYMBOLON_TEST_SERVER`)

/** A whole server, with a data folder of its own. */
export class Server {
  url = ''
  #folder: string
  #child: ChildProcess | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  static async start(settings: Record<string, unknown> = {}): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), 'symbolon-client-')))
    const all = { 'server.listen': '127.0.0.1:0', 'server.data': server.#folder, 'throttle.enabled': false, 'log.level': 'warn', ...settings }
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    await writeFile(server.#config, lines.join(''))
    await server.up()
    return server
  }

  get #config(): string {
    return join(this.#folder, 'symbolon.toml')
  }

  /** Starts it, again after `down`, on any port. */
  async up(): Promise<void> {
    const child = spawn(BINARY, ['serve', '--config', this.#config], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    this.#child = child
    for await (const line of createInterface(child.stdout)) {
      const [, url] = /^listening on (\S+)$/.exec(line) ?? []
      if (!url) continue
      this.url = url
      child.stdout.resume()
      return
    }
    throw new Error(`the server did not start: ${said}`)
  }

  async down(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child!
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }

  async close(): Promise<void> {
    await this.down()
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** A command beside the running server. */
  async command(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(BINARY, [...args, '--config', this.#config])
    return stdout
  }

  /** A new person. */
  async person(name = 'ada'): Promise<{ email: string; password: string }> {
    const person = { email: `${name}@example.com`, password: 'correct horse battery' }
    const response = await fetch(`${this.url}/api/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...person, username: name }),
    })
    assert.equal(response.status, 201, await response.text())
    return person
  }

  /** How many live sessions a person has. */
  async sessions(name = 'ada'): Promise<number> {
    return (JSON.parse(await this.command('session', 'list', name, '--json')) as unknown[]).length
  }
}
