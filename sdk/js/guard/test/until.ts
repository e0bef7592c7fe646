import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for a state, and fails when it does not come in a generous time. */
export async function until(is: () => boolean | Promise<boolean>, what: string, ms = 20_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await sleep(5)
  }
}
