"""PyPI authlib: a confidential client, from discovery to logout."""

import html
import os
import re
import secrets
import time
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

# The server of a test has no certificate.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

ISSUER = os.environ["ISSUER"].rstrip("/")
CLIENT_ID = os.environ["CLIENT_ID"]
REDIRECT_URI = os.environ["REDIRECT_URI"]
POST_LOGOUT_REDIRECT_URI = os.environ["POST_LOGOUT_REDIRECT_URI"]
EMAIL = os.environ["EMAIL"]


class Browser:
    """A browser without scripts, which agrees to everything."""

    def __init__(self) -> None:
        self.http = requests.Session()

    def passes(self, url: str, stop: str) -> str:
        """Does what pages ask for, until the URL begins with `stop`."""
        answer = self.follow(url, stop, None)
        for _ in range(8):
            if isinstance(answer, str):
                return answer
            answer = self.send(answer, stop)
        raise AssertionError(f"too many pages: {answer.text}")

    def send(self, page: requests.Response, stop: str) -> requests.Response | str:
        form = re.search(r"<form ([^>]*)>(.*?)</form>", page.text, re.DOTALL)
        assert form, f"{page.url}: {page.status_code} {page.text}"
        action = html.unescape(re.search(r'action="([^"]*)"', form[1])[1])
        fields = {}
        for tag in re.findall(r"<input ([^>]*)>", form[2]):
            name = re.search(r'name="([^"]*)"', tag)[1]
            value = re.search(r'value="([^"]*)"', tag)
            if 'type="checkbox"' not in tag:
                fields[name] = html.unescape(value[1]) if value else ""
        if "password" in fields:
            fields.update(identifier=EMAIL, password=os.environ["PASSWORD"])
        elif 'name="decision"' in form[2]:
            fields["decision"] = "allow"
        return self.follow(urljoin(page.url, action), stop, fields)

    def follow(self, url: str, stop: str, fields: dict[str, str] | None) -> requests.Response | str:
        for _ in range(10):
            if url.startswith(stop):
                return url
            method = "GET" if fields is None else "POST"
            answer = self.http.request(method, url, data=fields, allow_redirects=False, timeout=30)
            if "location" not in answer.headers:
                return answer
            url, fields = urljoin(url, answer.headers["location"]), None
        raise AssertionError(f"too many redirects, the last to {url}")


def id_token_claims(metadata: dict, token: dict, nonce: str) -> dict:
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=metadata["id_token_signing_alg_values_supported"])
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": ISSUER},
        aud={"essential": True, "value": CLIENT_ID},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    claims.validate(decoded.claims)
    return decoded.claims


def refused(call) -> None:
    try:
        call()
    except (OAuthError, requests.HTTPError) as error:
        assert getattr(error, "error", "invalid_grant") == "invalid_grant", error
        return
    raise AssertionError("it was not refused")


def main() -> None:
    metadata = requests.get(f"{ISSUER}/.well-known/openid-configuration", timeout=30).json()
    assert metadata["issuer"] == ISSUER
    browser = Browser()
    session = OAuth2Session(
        CLIENT_ID,
        os.environ["CLIENT_SECRET"],
        scope="openid email offline_access",
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
        revocation_endpoint_auth_method="client_secret_basic",
    )
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
    answer = browser.passes(url, REDIRECT_URI)
    assert parse_qs(urlsplit(answer).query)["iss"] == [ISSUER], answer
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=answer, state=state, code_verifier=verifier
    )
    claims = id_token_claims(metadata, token, nonce)
    assert claims["auth_time"] <= time.time() + 1

    person = session.get(metadata["userinfo_endpoint"]).json()
    assert person["sub"] == claims["sub"] and person["email"] == EMAIL, person

    refreshed = session.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert refreshed["refresh_token"] != token["refresh_token"]

    revoked = session.revoke_token(
        metadata["revocation_endpoint"], token=refreshed["refresh_token"], token_type_hint="refresh_token"
    )
    assert revoked.status_code == 200, revoked.text
    refused(lambda: session.refresh_token(metadata["token_endpoint"], refresh_token=refreshed["refresh_token"]))
    dead = requests.get(
        metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {refreshed['access_token']}"}, timeout=30
    )
    assert dead.status_code == 401, dead.text

    leaving = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": POST_LOGOUT_REDIRECT_URI, "state": "bye"}
    left = browser.passes(f"{metadata['end_session_endpoint']}?{urlencode(leaving)}", POST_LOGOUT_REDIRECT_URI)
    assert left == f"{POST_LOGOUT_REDIRECT_URI}?state=bye", left


main()
