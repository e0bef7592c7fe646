import { createClient, NetworkError, SymbolonError } from './client/index.js'

/** What people are told when their session has ended; nothing where they never had one, or wanted it. */
const ENDED = {
  signed_out: 'You are signed out.',
  session_revoked: 'You were signed out: your session was ended on another device or by an administrator.',
  refresh_token_reused: 'You were signed out, because somebody else has used your session. Change your password.',
  refresh_token_expired: 'You were signed out, because you have been away for long.',
}

const symbolon = createClient({ issuer: location.origin })
const part = (id) => document.getElementById(id)

symbolon.onChange(show)
on(part('sign-in'), 'submit', async ({ currentTarget, submitter }) => {
  const { remember, ...credentials } = Object.fromEntries(new FormData(currentTarget))
  if (submitter?.value === 'register') await symbolon.register(credentials)
  await symbolon.login({ ...credentials, remember: remember === 'on' })
  currentTarget.reset()
})
on(part('sign-out'), 'click', () => symbolon.logout())
on(part('sign-out-everywhere'), 'click', () => symbolon.logoutEverywhere())
on(part('order'), 'submit', async ({ currentTarget }) => {
  const { item, quantity } = Object.fromEntries(new FormData(currentTarget))
  const body = JSON.stringify({ item, quantity: Number(quantity) })
  await answer(await symbolon.fetch('/orders', { method: 'POST', body, headers: { 'content-type': 'application/json' } }))
  currentTarget.reset()
  currentTarget.querySelector('input').focus()
  await list()
})
addEventListener('online', () => attempt(() => symbolon.restore()))
await attempt(() => symbolon.restore())

/** Shows what belongs to a state of the session: at the start, and whenever it changes, in whichever tab. */
function show(session) {
  const isIn = session.status === 'signedIn'
  part('sign-in').hidden = isIn
  part('orders').hidden = part('person').hidden = !isIn
  part('list').tBodies[0].replaceChildren()
  notice(isIn ? '' : ENDED[session.reason])
  if (!isIn) return
  part('name').textContent = session.user.name ?? session.user.email
  void attempt(list)
}

async function list() {
  const { items } = await answer(await symbolon.fetch('/orders'))
  const rows = items.map(({ item, quantity }) => {
    const row = document.createElement('tr')
    for (const text of [item, quantity.toLocaleString()]) row.insertCell().textContent = text
    return row
  })
  part('list').tBodies[0].replaceChildren(...rows)
  part('list').hidden = rows.length === 0
  part('empty').hidden = rows.length > 0
}

/** The body of a good answer; a bad one of the API is an error like those of the server. */
async function answer(response) {
  const body = await response.json()
  if (!response.ok) throw new SymbolonError({ ...body, status: response.status })
  return body
}

/** Listens, with no second press while the first is under way. */
function on(element, event, act) {
  element.addEventListener(event, async (happened) => {
    happened.preventDefault()
    const { currentTarget, submitter } = happened
    const buttons = element.matches('form') ? element.querySelectorAll('button') : [element]
    for (const button of buttons) button.disabled = true
    await attempt(() => act({ currentTarget, submitter }), element)
    for (const button of buttons) button.disabled = false
  })
}

/** Does something, and says what went wrong: beside the fields, or at the top. */
async function attempt(act, form) {
  for (const old of form?.querySelectorAll('.wrong') ?? []) old.remove()
  for (const field of form?.querySelectorAll('[aria-invalid]') ?? []) field.removeAttribute('aria-invalid')
  try {
    if (form?.matches('form')) notice('')
    await act()
  } catch (error) {
    if (symbolon.state.status === 'unknown') part('sign-in').hidden = false
    const isLost = error instanceof NetworkError || error instanceof TypeError
    const placed = (error.errors ?? []).filter((fault) => beside(form, fault))
    if (isLost) notice('The server cannot be reached. Nothing is lost: try again in a moment.', true)
    else if (!(error instanceof SymbolonError)) throw error
    else if (placed.length === 0 && !(error.code in ENDED)) notice(error.detail, true)
  }
}

function beside(form, { pointer, detail }) {
  const field = form?.elements?.namedItem(pointer.slice(1))
  if (!field) return false
  const text = document.createElement('span')
  text.className = 'wrong'
  text.textContent = detail
  field.setAttribute('aria-invalid', 'true')
  field.after(text)
  return true
}

function notice(text, isWrong = false) {
  part('notice').textContent = text ?? ''
  part('notice').hidden = !text
  part('notice').classList.toggle('wrong', isWrong)
}
