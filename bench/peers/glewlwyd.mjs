// Prepares glewlwyd (Debian's package of that name) in a folder, with SQLite and its OpenID Connect plugin: a client, and
// somebody whose password the client may use. Prints what starts it and what it may be asked with; then ends.
//
//   node glewlwyd.mjs FOLDER durable|usual SESSIONS
import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const [, , folder, durability, sessions] = process.argv;
const TABLES = '/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3';
const MODULES = '/usr/lib/glewlwyd';
const PASSWORD = randomBytes(18).toString('base64url');

const freePort = () => new Promise((found) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => found(port));
  });
});

const port = await freePort();
const address = `http://127.0.0.1:${port}`;
const file = join(folder, 'glewlwyd.db');
const db = new Database(file);
// The mode is kept in the file. Glewlwyd sets no pragma, so that synchronous is FULL, as SQLite has it.
if (durability === 'durable') db.pragma('journal_mode = WAL');
db.exec(readFileSync(TABLES, 'utf8'));
db.close();
const configuration = join(folder, 'glewlwyd.conf');
writeFileSync(configuration, `
port=${port}
bind_address="127.0.0.1"
external_url="${address}"
login_url="login.html"
api_prefix="api"
log_mode="console"
log_level="ERROR"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="${MODULES}/user"
client_module_path="${MODULES}/client"
user_auth_scheme_module_path="${MODULES}/scheme"
plugin_module_path="${MODULES}/plugin"
hash_algorithm="SHA512"
database = { type = "sqlite3"; path = "${file}"; };
`);

const server = spawn('glewlwyd', ['-c', configuration], { stdio: ['ignore', 'ignore', 'inherit'] });
const ended = new Promise((end) => server.on('exit', end));
let cookie = '';
const call = async (method, path, body, type = 'application/json', authorization = undefined) => {
  const headers = { cookie, 'content-type': type, ...(authorization && { authorization }) };
  const answer = await fetch(`${address}/api${path}`, { method, headers, body: type === 'application/json' ? JSON.stringify(body) : new URLSearchParams(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  for (const set of answer.headers.getSetCookie()) [cookie] = set.split(';');
  return text && JSON.parse(text);
};
const start = Date.now();
for (;;) {
  try {
    await call('POST', '/auth/', { username: 'admin', password: 'password' });
    break;
  } catch (error) {
    if (Date.now() - start > 10_000) throw error;
    await new Promise((later) => setTimeout(later, 50));
  }
}
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
await call('POST', '/mod/plugin/', {
  module: 'oidc', name: 'oidc', display_name: 'OIDC', order_rank: 0, readonly: false,
  parameters: {
    iss: address, 'jwt-type': 'ecdsa', 'jwt-key-size': '256',
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert: publicKey.export({ type: 'spki', format: 'pem' }),
    'access-token-duration': 900, 'refresh-token-duration': 1209600, 'code-duration': 600, 'refresh-token-rolling': false,
    'refresh-token-one-use': 'always', 'allow-non-oidc': true,
    'auth-type-code-enabled': true, 'auth-type-password-enabled': true, 'auth-type-client-enabled': true, 'auth-type-refresh-enabled': true,
    'introspection-revocation-allowed': true, 'introspection-revocation-allow-target-client': true,
    scope: [],
  },
});
await call('POST', '/scope/', { name: 'bench', display_name: 'bench', description: 'bench', password_required: true, scheme: {} });
await call('POST', '/user/', { username: 'ada', name: 'Ada', email: 'ada@example.com', password: PASSWORD, scope: ['openid', 'bench'], enabled: true });
await call('POST', '/client/', {
  client_id: 'robot', name: 'robot', confidential: true, enabled: true, client_secret: PASSWORD, password: PASSWORD, scope: ['bench', 'openid'],
  authorization_type: ['password', 'client_credentials', 'refresh_token'], redirect_uri: ['https://web.example/cb'], token_endpoint_auth_method: ['client_secret_basic'],
});
const basic = `Basic ${Buffer.from(`robot:${PASSWORD}`).toString('base64')}`;
const form = 'application/x-www-form-urlencoded';
const token = (body) => call('POST', '/oidc/token', body, form, basic);
const refresh = [];
let access;
for (let at = 0; at < Number(sessions); at += 1) {
  const tokens = await token({ grant_type: 'password', username: 'ada', password: PASSWORD, scope: 'bench openid' });
  refresh.push(tokens.refresh_token);
  access = tokens.access_token;
}
server.kill('SIGTERM');
await ended;
console.log(JSON.stringify({ configuration, address: `127.0.0.1:${port}`, secret: PASSWORD, access, refresh }));
