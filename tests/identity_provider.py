"""A real OpenID Connect provider on loopback, Canaille: `identity_provider.py PORT DATABASE URIS`.

Five users may sign in at it, and the service under test is known to it as two clients, which show their secret in the
two usual ways.
"""

from __future__ import annotations

import json
import sys

from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT_ID, PLAIN_CLIENT_ID, CLIENT_SECRET = "gsi-bench", "gsi-plain", "a secret of the tests"
CLIENTS = {CLIENT_ID: "client_secret_basic", PLAIN_CLIENT_ID: "client_secret_post"}
PASSWORD = "correct horse battery"
USERS = {
    "ada": ("Ada Lovelace", "ada@example.org"),
    "bert": ("Bert Einer", "bert@example.org"),
    "cleo": ("Cleo Nie", "cleo@example.org"),
    "dora": ("Dora Zwei", "dora@example.org"),
    "emil": ("Emil Drei", "emil@example.org"),
}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


def main(port: int, database: str, redirect_uris: list[str]) -> None:
    """Serve until killed."""
    from canaille import create_app
    from canaille.app import models
    from canaille.backends import Backend
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    app = create_app(
        config={
            "SECRET_KEY": "a key of the tests",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"DATABASE": "sql", "JAVASCRIPT": False, "HTMX": False, "CAPTCHA_ENABLED": False},
            "CANAILLE_SQL": {"DATABASE_URI": f"sqlite:///{database}"},
            "CANAILLE_OIDC": {"ACTIVE_JWKS": [key.as_dict(private=True)], "TRUSTED_DOMAINS": []},
        },
        env_file="",
    )
    with app.app_context(), Backend.instance.session():
        for name, (full, email) in USERS.items():
            user = models.User(
                user_name=name, formatted_name=full, family_name=full.split()[1], emails=[email], password=PASSWORD
            )
            Backend.instance.save(user)
        for client_id, method in CLIENTS.items():
            client = models.Client(
                client_id=client_id,
                client_secret=CLIENT_SECRET,
                client_name="GSI-Bench",
                client_uri="http://gsi.test",
                redirect_uris=redirect_uris,
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "email"],
                token_endpoint_auth_method=method,
            )
            Backend.instance.save(client)
            client.audience = [client]
            Backend.instance.save(client)
    make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
