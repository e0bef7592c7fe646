interface Slot<V> {
  readonly value: V
  /** Whether it was asked for since it came, or since it was last spared. */
  used: boolean
}

/**
 * Values by the whole text of a key, bounded by number. Those not asked for lately make room: the eldest goes, unless
 * it was used, which gives it a second turn. (To move each to the end as it is used would let a busy key fill a map's
 * bucket with its own remains, and cost a hundred times as much.)
 */
export class Cache<V> {
  readonly #slots = new Map<string, Slot<V>>()
  readonly #capacity: number

  /** A capacity of 0 keeps nothing. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#slots.size
  }

  find(key: string): V | undefined {
    const slot = this.#slots.get(key)
    if (slot) slot.used = true
    return slot?.value
  }

  insert(key: string, value: V): void {
    if (this.#capacity === 0) return
    if (!this.#slots.has(key) && this.#slots.size >= this.#capacity) this.#makeRoom()
    this.#slots.set(key, { value, used: false })
  }

  dropWhere(dead: (value: V) => boolean): void {
    for (const [key, { value }] of this.#slots) {
      if (dead(value)) this.#slots.delete(key)
    }
  }

  /** A map goes through its keys from the eldest, and comes to those that are put back at its end. */
  #makeRoom(): void {
    for (const [key, slot] of this.#slots) {
      this.#slots.delete(key)
      if (!slot.used) return
      slot.used = false
      this.#slots.set(key, slot)
    }
  }
}
