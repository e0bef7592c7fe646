/** Where a client with a key of its own keeps it, its refresh token, and a sign-in that has begun. */
export interface DpopStore {
  get(name: string): Promise<unknown>
  /** Resolves once it is kept for good. */
  set(name: string, value: unknown): Promise<void>
  /** Keeps `value` unless there is one; what is kept. In one step, for two tabs may want to be first. */
  add(name: string, value: unknown): Promise<unknown>
  delete(name: string): Promise<void>
}

/** In memory: the session does not outlive the process. */
export function memoryStore(): DpopStore {
  const kept = new Map<string, unknown>()
  return {
    get: async (name) => kept.get(name),
    set: async (name, value) => void kept.set(name, value),
    add: async (name, value) => {
      if (!kept.has(name)) kept.set(name, value)
      return kept.get(name)
    },
    delete: async (name) => void kept.delete(name),
  }
}

/** In the browser's database, which all tabs share, and which keeps keys that no script can read. */
export function indexedDbStore(database: string): DpopStore {
  const ROWS = 'symbolon'
  let opened: Promise<IDBDatabase> | undefined
  const open = (): Promise<IDBDatabase> =>
    (opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(database, 1)
      request.onupgradeneeded = () => request.result.createObjectStore(ROWS)
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    }).catch((error: unknown) => {
      opened = undefined
      throw error
    }))
  /** The result of the last request of `act`, once the transaction is on disk. */
  const within = async <T>(mode: IDBTransactionMode, act: (rows: IDBObjectStore, keep: (value: T) => void) => void): Promise<T> => {
    const transaction = (await open()).transaction(ROWS, mode, { durability: 'strict' })
    return new Promise((resolve, reject) => {
      let result: T
      act(transaction.objectStore(ROWS), (value) => (result = value))
      transaction.oncomplete = () => resolve(result)
      transaction.onabort = () => reject(transaction.error)
    })
  }
  const read = (rows: IDBObjectStore, name: string, then: (value: unknown) => void): void => {
    const request = rows.get(name)
    request.onsuccess = () => then(request.result)
  }
  return {
    get: (name) => within('readonly', (rows, keep) => read(rows, name, keep)),
    set: (name, value) => within<void>('readwrite', (rows) => void rows.put(value, name)),
    add: (name, value) =>
      within('readwrite', (rows, keep) =>
        read(rows, name, (found) => {
          if (found === undefined) rows.put(value, name)
          keep(found ?? value)
        }),
      ),
    delete: (name) => within<void>('readwrite', (rows) => rows.delete(name)),
  }
}
