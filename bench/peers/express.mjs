// The usual tutorial on tokens in Express: `jsonwebtoken` with a shared secret, access tokens of 15 minutes, refresh
// tokens as rows of better-sqlite3 that are replaced when they are used. Statements are prepared once.
//
//   node express.mjs DATABASE durable|usual SESSIONS
//
// `durable` is the faster and safer one: the secret is a key made once, and WAL with synchronous=FULL lets an answered refresh
// survive a loss of power. `usual` is as the tutorials write it: the secret is a string, which `jsonwebtoken` tries to read as a
// public key each time (0.3 ms), and WAL has what better-sqlite3 then sets, synchronous=NORMAL. GET /bench/tokens tells tokens of
// somebody who is signed in.
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import express from 'express';
import jwt from 'jsonwebtoken';

const [, , file, durability, sessions] = process.argv;
const TEXT = randomBytes(64).toString('hex');
const SECRET = durability === 'durable' ? createSecretKey(Buffer.from(TEXT)) : TEXT;
const DAYS_7 = 7 * 24 * 3600 * 1000;

const db = new Database(file);
db.pragma('journal_mode = WAL');
if (durability === 'durable') db.pragma('synchronous = FULL');
db.exec(`
  CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, role TEXT NOT NULL);
  CREATE TABLE refresh_tokens (
    token TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), expires_at INTEGER NOT NULL);
`);
const findUser = db.prepare('SELECT id, email, name, role FROM users WHERE id = ?');
const findToken = db.prepare('SELECT user_id, expires_at FROM refresh_tokens WHERE token = ?');
const deleteToken = db.prepare('DELETE FROM refresh_tokens WHERE token = ?');
const insertToken = db.prepare('INSERT INTO refresh_tokens (token, user_id, expires_at) VALUES (?, ?, ?)');

const accessToken = (user) => jwt.sign({ email: user.email, role: user.role }, SECRET, { subject: user.id, expiresIn: '15m' });
const newToken = (user) => {
  const token = randomBytes(32).toString('base64url');
  insertToken.run(token, user.id, Date.now() + DAYS_7);
  return token;
};
const rotate = db.transaction((token) => {
  const row = findToken.get(token);
  if (!row) return undefined;
  deleteToken.run(token);
  if (row.expires_at < Date.now()) return undefined;
  const user = findUser.get(row.user_id);
  return { user, refreshToken: newToken(user) };
});

const authenticate = (request, response, next) => {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  if (scheme !== 'Bearer' || !token) return response.status(401).json({ message: 'No token provided' });
  try {
    request.user = jwt.verify(token, SECRET, { algorithms: ['HS256'] });
  } catch {
    return response.status(401).json({ message: 'Invalid token' });
  }
  return next();
};

const app = express();
app.use(express.json());
app.get('/api/user/profile', authenticate, (request, response) => {
  const user = findUser.get(request.user.sub);
  if (!user) return response.status(404).json({ message: 'User not found' });
  return response.json(user);
});
app.post('/api/refresh', (request, response) => {
  const { refreshToken } = request.body ?? {};
  if (typeof refreshToken !== 'string') return response.status(400).json({ message: 'No refresh token' });
  const rotated = rotate(refreshToken);
  if (!rotated) return response.status(401).json({ message: 'Invalid refresh token' });
  return response.json({ accessToken: accessToken(rotated.user), refreshToken: rotated.refreshToken });
});

const users = Array.from({ length: Number(sessions) }, (_, at) => ({ id: randomUUID(), email: `user-${at}@example.com`, name: null, role: 'user' }));
const insertUser = db.prepare('INSERT INTO users (id, email, name, role) VALUES (@id, @email, @name, @role)');
const refresh = db.transaction(() => users.map((user) => (insertUser.run(user), newToken(user))))();
app.get('/bench/tokens', (request, response) => response.json({ access: accessToken(users[0]), refresh }));

const server = app.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
