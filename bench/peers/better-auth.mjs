// better-auth with better-sqlite3 and its plugin for bearer tokens, as its guide sets it up. A session is one row, and its
// token stays the same for as long as it lives.
//
//   node better-auth.mjs DATABASE durable|usual|cached SESSIONS
//
// `durable` commits with WAL and synchronous=FULL and puts the session's end off at each look (`updateAge: 0`), which is the
// nearest there is to a refresh; `usual` is the same with WAL and what better-sqlite3 then sets, synchronous=NORMAL; `cached`
// keeps the session in a signed cookie for an hour (`cookieCache`), which its guide advises for speed: a session that was
// ended goes on until then. GET /bench/tokens tells the tokens of sessions.
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { toNodeHandler } from 'better-auth/node';
import { bearer } from 'better-auth/plugins/bearer';
import Database from 'better-sqlite3';

const [, , file, kind, sessions] = process.argv;
const database = new Database(file);
database.pragma('journal_mode = WAL');
if (kind === 'durable') database.pragma('synchronous = FULL');

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const address = `http://127.0.0.1:${server.address().port}`;
const session = kind === 'cached' ? { cookieCache: { enabled: true, maxAge: 3600 } } : { updateAge: 0 };
const auth = betterAuth({
  baseURL: address,
  secret: randomBytes(32).toString('base64url'),
  database,
  session,
  emailAndPassword: { enabled: true },
  plugins: [bearer()],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
});
await (await getMigrations(auth.options)).runMigrations();

const signUp = async (at) => {
  const body = { email: `user-${at}@example.com`, password: 'a password of a benchmark', name: `User ${at}` };
  const answer = await auth.api.signUpEmail({ body, asResponse: true });
  if (answer.status !== 200) throw new Error(await answer.text());
  const cookies = answer.headers.getSetCookie().map((set) => set.split(';')[0]);
  return { token: answer.headers.get('set-auth-token'), cookie: cookies.join('; ') };
};
const signedIn = [];
for (let at = 0; at < Number(sessions); at += 1) signedIn.push(await signUp(at));

const answer = toNodeHandler(auth);
const tokens = JSON.stringify({ access: signedIn[0].token, cookie: signedIn[0].cookie, refresh: signedIn.map(({ token }) => token) });
server.on('request', (request, response) => (request.url === '/bench/tokens' ? response.end(tokens) : answer(request, response)));
console.log(`listening on ${address}`);
