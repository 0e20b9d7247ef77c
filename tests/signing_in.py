"""Running the real provider, and being a person with a browser at it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, PASSWORD
from tests.unit.frontend.serving import free_port

PUBLIC_URL = "http://gsi.test"
CALLBACK = f"{PUBLIC_URL}/api/v1/sign-in/real/callback"
OUR_PAGE = {"origin": PUBLIC_URL}
_LATELY: dict[str, float] = {}
_SCRIPT = Path(__file__).with_name("identity_provider.py")


@contextmanager
def provider_running(*redirect_uris: str) -> Iterator[str]:
    """The provider's issuer."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        arguments = [str(port), f"{folder}/provider.sqlite", json.dumps(redirect_uris)]
        process = subprocess.Popen([sys.executable, str(_SCRIPT), *arguments], stderr=subprocess.DEVNULL)
        try:
            _wait(f"{issuer}/.well-known/openid-configuration", process)
            yield issuer
        finally:
            process.kill()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(address, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline, "the provider did not come up"
            time.sleep(0.1)


def oidc(issuer: str, **changes: Any) -> dict[str, Any]:
    """The provider as an operator would set it up."""
    known = {"id": "real", "title": "Real", "issuer": issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return {**known, **changes}


def visit(address: str, *, user: str = "", consent: bool = True, password: str = PASSWORD) -> str:
    """Sign in at the provider as a person would; the address that it sends the browser back to."""
    user = user or min(("bert", "dora", "emil"), key=lambda name: _LATELY.get(name, 0.0))
    _wait_for_another_second(user)
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=20) as browser:
        answer = browser.get(address)
        for _ in range(12):
            if answer.is_redirect:
                target = urljoin(str(answer.request.url), answer.headers["location"])
                if not target.startswith(address.split("/oauth/")[0]):
                    return target
                answer = browser.get(target)
                continue
            form = _Form.of(answer.text)
            fields = {**form.fields, **_filled(form, user=user, password=password, consent=consent)}
            answer = browser.post(urljoin(str(answer.request.url), form.action or ""), data=fields)
        raise AssertionError(f"never came back; last at {answer.request.url}: {answer.text[:2000]}")


def _wait_for_another_second(user: str) -> None:
    """Canaille 0.3.6 gives a user the same access token twice in one second, and fails at the second."""
    time.sleep(max(0.0, _LATELY.get(user, 0.0) + 1.3 - time.monotonic()))
    _LATELY[user] = time.monotonic() + 0.3


def _filled(form: _Form, *, user: str, password: str, consent: bool) -> dict[str, str]:
    if "login" in form.names:
        return {"login": user}
    if "password" in form.names:
        return {"password": password}
    return {"answer": "accept" if consent else "deny"}


class _Form(HTMLParser):
    """The first form of a page that is posted: its address and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.names: set[str] = set()
        self._inside = False

    @classmethod
    def of(cls, html: str) -> _Form:
        found = cls()
        found.feed(html)
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and (given.get("method") or "").lower() == "post":
            self._inside, self.action = True, given.get("action")
        if self._inside and tag in ("input", "button") and given.get("name"):
            self.names.add(given["name"] or "")
            if given.get("type") == "hidden":
                self.fields[given["name"] or ""] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
