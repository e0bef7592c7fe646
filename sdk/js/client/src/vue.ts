import { inject, onScopeDispose, readonly, shallowRef, type InjectionKey, type Plugin, type ShallowRef } from 'vue'

import type { User } from './api.js'
import type { SymbolonClient } from './client.js'
import type { SessionState } from './session.js'

const KEY: InjectionKey<SymbolonClient> = Symbol('symbolon')

/** `app.use(symbolonPlugin(client))` gives every component of an application the client. */
export function symbolonPlugin(client: SymbolonClient): Plugin {
  return { install: (app) => void app.provide(KEY, client) }
}

/** The client of the application. */
export function useSymbolon(): SymbolonClient {
  const client = inject(KEY)
  if (!client) throw new Error('useSymbolon and useSession need app.use(symbolonPlugin(client))')
  return client
}

/** Who is signed in, kept up to date until the component is gone. */
export function useSession(): Readonly<ShallowRef<SessionState<User>>> {
  const client = useSymbolon()
  const session = shallowRef(client.state)
  onScopeDispose(client.onChange((state) => (session.value = state)))
  return readonly(session) as Readonly<ShallowRef<SessionState<User>>>
}
