import { createContext, createElement, useContext, useSyncExternalStore, type ReactElement, type ReactNode } from 'react'

import type { User } from './api.js'
import type { SymbolonClient } from './client.js'
import type { SessionState } from './session.js'

const Context = createContext<SymbolonClient | undefined>(undefined)

/** Gives the components below it a client, which you make once, outside of them. */
export function SymbolonProvider({ client, children }: { client: SymbolonClient; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: client }, children)
}

/** The client of the provider above. */
export function useSymbolon(): SymbolonClient {
  const client = useContext(Context)
  if (!client) throw new Error('useSymbolon and useSession need a SymbolonProvider above them')
  return client
}

/** Who is signed in, kept up to date. On a server that renders: what the client of that request knows. */
export function useSession(): SessionState<User> {
  const client = useSymbolon()
  const read = (): SessionState<User> => client.state
  return useSyncExternalStore(client.onChange, read, read)
}
