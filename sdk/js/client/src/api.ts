// Made from docs/openapi.json by scripts/types.mjs: `npm run types`. Not to be edited.

/** Who signs in, and how. One of `email`, `username` and `identifier` is needed. */
export interface LoginBody {
  /** What to call this device. */
  device?: string | null | undefined
  /** E-mail address. */
  email?: string | null | undefined
  /** Either of the two. */
  identifier?: string | null | undefined
  /** Password. */
  password: string
  /** Whether the session outlives the browser; yes, if absent. */
  remember?: boolean | null | undefined
  /** How the refresh token travels: `cookie`, if absent, or `body`. */
  transport?: string | null | undefined
  /** Username. */
  username?: string | null | undefined
}

/** The tokens of a new session. */
export interface SignedInBody {
  /** Signed JWT (RFC 9068) for `Authorization: Bearer`. */
  accessToken: string
  /** Seconds until the access token expires. */
  expiresIn: number
  /** A sentence for people. */
  message: string
  /** With `transport: "body"` only: exchange it at `POST /api/refresh`. */
  refreshToken?: string | null | undefined
  /** `Bearer` */
  tokenType: string
  /** The user. */
  user: User
}

/** The refresh token of a client that keeps it itself; others send the cookie and no body. */
export interface RefreshBody {
  /** The refresh token. */
  refreshToken?: string | null | undefined
}

/** The next tokens. */
export interface RefreshedBody {
  /** Signed JWT (RFC 9068) for `Authorization: Bearer`. */
  accessToken: string
  /** Seconds until the access token expires. */
  expiresIn: number
  /** The next refresh token, where the last one came in the body. */
  refreshToken?: string | null | undefined
  /** `Bearer` */
  tokenType: string
}

/** A new account. */
export interface RegisterBody {
  /** E-mail address. */
  email: string
  /** The token of an invitation, which is for this address. */
  invitation?: string | null | undefined
  /** Name to be shown. */
  name?: string | null | undefined
  /** Password: 8 characters or more by default, none of the common ones. */
  password: string
  /** Name to sign in with. */
  username?: string | null | undefined
}

/** The account that was made. */
export interface Registered {
  /** A sentence for people. */
  message: string
  /** The user. */
  user: User
}

/** A person with an account. */
export interface User {
  /** RFC 3339, UTC. */
  createdAt: string
  /** E-mail address. */
  email: string
  /** Whether the address is known to be the user's. */
  emailVerified: boolean
  /** UUIDv7. */
  id: string
  /** Name to be shown. */
  name?: string | null | undefined
  /** Names of roles, sorted. */
  roles: string[]
  /** RFC 3339, UTC. */
  updatedAt: string
  /** Name to sign in with. */
  username?: string | null | undefined
}

/** The body of every error (RFC 9457 section 3). */
export interface Problem {
  /** A word for programs, stable. */
  code: string
  /** A sentence for people. */
  detail: string
  /** The fields at fault, where the body was not valid. */
  errors?: FieldProblem[] | undefined
  /** The id under which the request is logged. */
  requestId: string
  /** The HTTP status. */
  status: number
  /** The status in words. */
  title: string
  /** `urn:symbolon:problem:` and the code. */
  type: string
}

/** One field at fault. */
export interface FieldProblem {
  /** A word for programs, stable. */
  code: string
  /** A sentence for people. */
  detail: string
  /** JSON pointer (RFC 6901) to the field. */
  pointer: string
}

/** Tokens (RFC 6749 section 5.1; OpenID Connect Core 1.0 section 3.1.3.3). */
export interface TokensBody {
  access_token: string
  expires_in: number
  id_token?: string | null | undefined
  issued_token_type?: string | null | undefined
  refresh_token?: string | null | undefined
  scope: string
  token_type: string
}

/** What is told of a person (OpenID Connect Core 1.0 section 5.3.2), by what they agreed to. */
export interface Userinfo {
  email?: string | null | undefined
  email_verified?: boolean | null | undefined
  name?: string | null | undefined
  preferred_username?: string | null | undefined
  roles?: string[] | null | undefined
  sub: string
  /** Seconds since 1970. */
  updated_at?: number | null | undefined
}
