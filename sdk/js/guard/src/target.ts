// Visible ASCII, without what no part of a URI may hold (RFC 3986 appendix A); http or https; no user; escapes that are
// escapes.
const URI = /^https?:\/\/[^/?#@%\\]+(?:\/(?:[!$&-;=?-Z\[\]_a-z~]|%[0-9a-f]{2})*)?$/i

/**
 * Whether two absolute URIs name the same target (RFC 9449 section 4.3): without query and fragment, after the
 * normalisation of RFC 3986 (sections 6.2.2 and 6.2.3). What is no such URI is the same as nothing.
 */
export function isSameTarget(one: string, other: string): boolean {
  const normal = normalForm(one)
  return normal !== undefined && normal === normalForm(other)
}

function normalForm(uri: string): string | undefined {
  const [plain = ''] = uri.split(/[?#]/, 1)
  if (!URI.test(plain) || !URL.canParse(plain)) return undefined
  // The parser writes the host in small letters, leaves out the usual port, and goes where dots lead.
  const { origin, pathname } = new URL(plain)
  return origin + pathname.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const sign = String.fromCharCode(parseInt(hex, 16))
    return /[A-Za-z0-9._~-]/.test(sign) ? sign : escape.toUpperCase()
  })
}
