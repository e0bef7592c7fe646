"""The usual tutorial on tokens in FastAPI: PyJWT with a shared secret, `OAuth2PasswordBearer`, access tokens of 15 minutes,
refresh tokens as rows of sqlite3 that are replaced when they are used; uvicorn with uvloop and httptools, one worker.

    python fastapi_app.py DATABASE durable|usual SESSIONS

`durable` commits with WAL and synchronous=FULL, so that an answered refresh survives a loss of power; `usual` leaves SQLite
as it comes: a rollback journal, which is durable too. The routes are `async` and call SQLite where they stand: on one core
that is faster than a pool of threads. GET /bench/tokens tells tokens of somebody who is signed in.
"""

import secrets
import socket
import sqlite3
import sys
import time
import uuid
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel

_, FILE, DURABILITY, SESSIONS = sys.argv
SECRET = secrets.token_hex(64)
MINUTES_15 = 15 * 60
DAYS_7 = 7 * 24 * 3600

db = sqlite3.connect(FILE, isolation_level=None)
if DURABILITY == "durable":
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
db.executescript(
    """
    CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, role TEXT NOT NULL);
    CREATE TABLE refresh_tokens (
        token TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id), expires_at INTEGER NOT NULL);
    """
)


class User(BaseModel):
    id: str
    email: str
    name: str | None
    role: str


class Refresh(BaseModel):
    refreshToken: str


class Tokens(BaseModel):
    accessToken: str
    refreshToken: str


def find_user(user_id: str) -> User | None:
    row = db.execute("SELECT id, email, name, role FROM users WHERE id = ?", (user_id,)).fetchone()
    return User(id=row[0], email=row[1], name=row[2], role=row[3]) if row else None


def access_token(user: User) -> str:
    now = int(time.time())
    claims = {"sub": user.id, "email": user.email, "role": user.role, "iat": now, "exp": now + MINUTES_15}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def new_token(user_id: str) -> str:
    token = secrets.token_urlsafe(32)
    expires_at = int(time.time()) + DAYS_7
    db.execute("INSERT INTO refresh_tokens (token, user_id, expires_at) VALUES (?, ?, ?)", (token, user_id, expires_at))
    return token


def rotate(token: str) -> tuple[str, str] | None:
    db.execute("BEGIN IMMEDIATE")
    row = db.execute("DELETE FROM refresh_tokens WHERE token = ? RETURNING user_id, expires_at", (token,)).fetchone()
    if row is None or row[1] < time.time():
        db.execute("COMMIT")
        return None
    following = new_token(row[0])
    db.execute("COMMIT")
    return row[0], following


app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


async def current_user(token: Annotated[str, Depends(bearer)]) -> User:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"}) from error
    user = find_user(claims["sub"])
    if user is None:
        raise HTTPException(401, "Invalid token", {"WWW-Authenticate": "Bearer"})
    return user


@app.get("/api/user/profile")
async def profile(user: Annotated[User, Depends(current_user)]) -> User:
    return user


@app.post("/api/refresh")
async def refresh(body: Refresh) -> Tokens:
    rotated = rotate(body.refreshToken)
    user = find_user(rotated[0]) if rotated else None
    if user is None:
        raise HTTPException(401, "Invalid refresh token")
    return Tokens(accessToken=access_token(user), refreshToken=rotated[1])


@app.get("/bench/tokens")
async def tokens() -> dict:
    return {"access": access_token(USERS[0]), "refresh": REFRESH}


USERS = [User(id=str(uuid.uuid4()), email=f"user-{at}@example.com", name=None, role="user") for at in range(int(SESSIONS))]
REFRESH = []
for user in USERS:
    db.execute("INSERT INTO users (id, email, name, role) VALUES (?, ?, ?, ?)", (user.id, user.email, user.name, user.role))
    REFRESH.append(new_token(user.id))

listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="warning")
print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
uvicorn.Server(config).run(sockets=[listener])
