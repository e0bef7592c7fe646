import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'

const MAX_NOTES = 100
const text = (value) => ({ content: [{ type: 'text', text: value }] })

/** Notes in memory, of each person their own. */
export class Notes {
  #notes = new Map()

  of(person) {
    return this.#notes.get(person) ?? []
  }

  /** A server for one request: the tools, acting for whoever the token is of. */
  tools() {
    const server = new McpServer({ name: 'notes', version: '1.0.0' })
    server.registerTool(
      'list_notes',
      { description: 'Lists your notes', annotations: { readOnlyHint: true } },
      ({ authInfo }) => text(JSON.stringify(this.of(authInfo.claims.sub))),
    )
    server.registerTool(
      'write_note',
      { description: 'Writes a note down', inputSchema: { note: z.string().trim().min(1).max(1000) } },
      ({ note }, { authInfo }) => {
        const { sub } = authInfo.claims
        this.#notes.set(sub, [...this.of(sub), note].slice(-MAX_NOTES))
        return text('Noted.')
      },
    )
    return server
  }
}
