/** Where a refresh token is kept that does not travel in a cookie: a keychain, a keystore, an encrypted file. */
export interface RefreshTokenStorage {
  get(): Promise<string | null | undefined> | string | null | undefined
  /** Resolves once it is kept for good: the tokens that came with it are not used before. */
  set(refreshToken: string): Promise<void> | void
  clear(): Promise<void> | void
}

/** In memory: the session does not outlive the process. */
export function memoryStorage(): RefreshTokenStorage {
  let kept: string | undefined
  return {
    get: () => kept,
    set: (refreshToken) => {
      kept = refreshToken
    },
    clear: () => {
      kept = undefined
    },
  }
}
