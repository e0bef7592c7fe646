/** Values by the whole text of a key, bounded by number: those not asked for the longest make room. */
export class LruCache<V> {
  readonly #values = new Map<string, V>()
  readonly #capacity: number

  /** A capacity of 0 keeps nothing. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#values.size
  }

  find(key: string): V | undefined {
    const value = this.#values.get(key)
    if (value !== undefined) {
      // A map keeps the order in which keys came: now it is the youngest.
      this.#values.delete(key)
      this.#values.set(key, value)
    }
    return value
  }

  insert(key: string, value: V): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    if (this.#values.size <= this.#capacity) return
    for (const oldest of this.#values.keys()) {
      this.#values.delete(oldest)
      break
    }
  }

  dropWhere(dead: (value: V) => boolean): void {
    for (const [key, value] of this.#values) {
      if (dead(value)) this.#values.delete(key)
    }
  }
}
