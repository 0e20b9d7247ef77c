"""Signing in at a real OpenID Connect provider, from the button to the session."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from server.accounts.clients import checked_claims, primary_email
from server.accounts.directory import Directory
from server.accounts.errors import ProviderError
from server.app import create_app
from server.db.pool import transaction
from server.providers import OAuthProvider, OidcProvider
from server.settings import Settings
from tests.identity_provider import PLAIN_CLIENT_ID
from tests.signing_in import CALLBACK, OUR_PAGE, PUBLIC_URL, oidc, provider_running, visit

STALE = "/sign-in?problem=sign-in-stale"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider_running(CALLBACK, CALLBACK.replace("real", "plain")) as running:
        yield running


@pytest.fixture
def make_site(settings, queue, storage, pool, issuer):
    opened = []

    def make(*, public_url=PUBLIC_URL, **changes):
        known = {"public_url": public_url, "oidc_providers": (OidcProvider(**oidc(issuer)),), **changes}
        app = create_app(settings.model_copy(update=known), queue=queue, storage=storage, pool=pool)
        site = TestClient(app, base_url=f"{public_url}/api/v1", follow_redirects=False)
        opened.append(site)
        return site

    yield make
    for site in opened:
        site.close()


@pytest.fixture
def site(make_site) -> TestClient:
    return make_site()


def _begin(site, *, provider="real", **body):
    answer = site.post(f"/sign-in/{provider}", json=body, headers={"origin": str(site.base_url)[: -len("/api/v1/")]})
    assert answer.status_code == 200, answer.text
    return answer.json()["location"]


def _sign_in(site, *, user="", provider="real", **body):
    return site.get(visit(_begin(site, provider=provider, **body), user=user))


def _sessions(pool):
    with transaction(pool) as conn:
        return conn.execute("select count(*) from sessions").fetchone()[0]


def test_a_user_signs_in_and_is_known_by_issuer_and_subject(site, issuer, pool):
    came_back = _sign_in(site, user="ada", return_to="/submit")
    assert (came_back.status_code, came_back.headers["location"]) == (303, "/submit")
    me = site.get("/me").json()
    assert (me["name"], me["email"], me["role"], me["teams"]) == ("Ada Lovelace", "ada@example.org", "user", [])
    with transaction(pool) as conn:
        assert conn.execute("select issuer, subject from users").fetchall() == [(issuer, "ada")]


def test_signing_in_again_is_the_same_user_in_another_session(site, make_site, pool):
    _sign_in(site, user="ada")
    other = make_site()
    _sign_in(other, user="ada")
    assert site.get("/me").json()["id"] == other.get("/me").json()["id"]
    assert _sessions(pool) == 2


def test_the_request_carries_pkce_state_and_nonce_and_no_secret(site):
    sent = {name: value for name, (value,) in parse_qs(urlsplit(_begin(site)).query).items()}
    assert sent["code_challenge_method"] == "S256"
    assert len(sent["code_challenge"]) == 43
    assert {len(sent["state"]), len(sent["nonce"])} == {43}
    assert sent["redirect_uri"] == CALLBACK
    assert sent["scope"] == "openid profile email"
    assert "secret" not in str(sent)


def test_the_session_is_out_of_reach_of_scripts_and_other_sites(site):
    (cookie,) = [each for each in _sign_in(site).headers.get_list("set-cookie") if "gsi_session" in each]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_on_https_the_session_never_leaves_it(make_site):
    site = make_site(public_url="https://gsi.test", oidc_providers=(), development_login=True)
    answer = site.post("/development/sign-in", json={"team": "Lab"}, headers={"origin": "https://gsi.test"})
    (cookie,) = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-gsi_session=gsis_")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    assert site.get("/me").json()["team"]["name"] == "Lab"


def test_nobody_comes_back_twice(site, make_site, pool):
    back = visit(_begin(site))
    assert site.get(back).headers["location"] == "/account"
    assert site.get(back).headers["location"] == STALE
    assert _sessions(pool) == 1


def test_a_sign_in_begun_in_one_browser_does_not_end_in_another(site, make_site, pool):
    back = visit(_begin(site), user="bert")
    victim = make_site()
    _begin(victim)  # the other browser has a sign-in of its own on its way
    assert victim.get(back).headers["location"] == STALE
    assert victim.get("/me").status_code == 401
    assert _sessions(pool) == 0


def test_a_state_that_was_never_given_out_is_refused(site):
    back = visit(_begin(site))
    forged = f"{CALLBACK}?{urlencode({**dict(parse_qsl(urlsplit(back).query)), 'state': 'x' * 43})}"
    assert site.get(forged).headers["location"] == STALE


def test_a_sign_in_is_over_after_its_time(site, pool):
    back = visit(_begin(site))
    with transaction(pool) as conn:
        conn.execute("update sign_ins set expires_at = now() - interval '1 second'")
    assert site.get(back).headers["location"] == STALE


def test_a_code_is_worth_nothing_without_the_verifier_of_its_sign_in(site, pool):
    back = visit(_begin(site))
    with transaction(pool) as conn:
        conn.execute("update sign_ins set verifier = repeat('v', 43)")
    assert site.get(back).headers["location"] == "/sign-in?problem=sign-in-failed"
    assert _sessions(pool) == 0


def test_a_stolen_code_cannot_be_put_into_another_sign_in(site, pool):
    stolen = dict(parse_qsl(urlsplit(visit(_begin(site), user="bert")).query))
    own = dict(parse_qsl(urlsplit(visit(_begin(site), user="ada")).query))
    answer = site.get(f"{CALLBACK}?{urlencode({**own, 'code': stolen['code']})}")
    assert answer.headers["location"] == "/sign-in?problem=sign-in-failed"
    assert _sessions(pool) == 0


def test_an_id_token_for_another_sign_in_is_refused(site, pool):
    back = visit(_begin(site))
    with transaction(pool) as conn:
        conn.execute("update sign_ins set nonce = 'another'")
    assert site.get(back).headers["location"] == "/sign-in?problem=provider-failed"
    assert _sessions(pool) == 0


@pytest.mark.parametrize("issuer_told", ["http://evil.test", None])
def test_an_answer_of_another_issuer_is_refused(site, issuer_told, pool):
    told = dict(parse_qsl(urlsplit(visit(_begin(site))).query))
    told.pop("iss")
    answer = site.get(f"{CALLBACK}?{urlencode({**told, **({'iss': issuer_told} if issuer_told else {})})}")
    assert answer.headers["location"] == "/sign-in?problem=provider-failed"
    assert _sessions(pool) == 0


def test_who_does_not_consent_is_told_so(site, pool):
    back = visit(_begin(site), user="cleo", consent=False)
    assert "error=access_denied" in back
    assert site.get(back).headers["location"] == "/sign-in?problem=sign-in-denied"
    assert _sessions(pool) == 0


def test_a_wrong_client_secret_signs_nobody_in(make_site, issuer, pool):
    site = make_site(oidc_providers=(OidcProvider(**oidc(issuer, client_secret=SecretStr("wrong"))),))
    assert _sign_in(site).headers["location"] == "/sign-in?problem=sign-in-failed"
    assert _sessions(pool) == 0


def test_a_provider_that_does_not_answer_is_told_as_such(make_site):
    site = make_site(oidc_providers=(OidcProvider(**oidc("http://127.0.0.1:1")),))
    answer = site.post("/sign-in/real", json={}, headers=OUR_PAGE)
    assert (answer.status_code, answer.json()["code"]) == (502, "provider-failed")


@pytest.mark.parametrize("wrong", ["unsigned", "tampered", "other-client", "own-secret"])
def test_an_id_token_that_the_issuer_did_not_sign_for_us_is_refused(wrong, issuer):
    from joserfc import jwt
    from joserfc.jwk import OctKey

    directory, provider = Directory(), OidcProvider(**oidc(issuer))
    metadata = directory.metadata(issuer)
    claims = {"iss": metadata.issuer, "aud": "gsi-bench", "sub": "ada", "exp": 2**33, "iat": 1, "nonce": "n"}
    key = OctKey.import_key("a secret of the tests, long enough to be one")
    signed = jwt.encode({"alg": "HS256", "kid": directory.keys(metadata).keys[0].kid}, claims, key)
    head, body, _ = signed.split(".")
    texts = {
        "unsigned": f"eyJhbGciOiJub25lIn0.{body}.",
        "tampered": f"{head}.{body}.{'A' * 43}",
        "other-client": "not.a.token",
        "own-secret": signed,
    }
    with pytest.raises(ProviderError, match="ID token is not valid"):
        checked_claims(directory, metadata, provider, texts[wrong], nonce="n")


def test_a_discovery_document_of_another_issuer_is_refused(issuer):
    with pytest.raises(ProviderError, match="another issuer"):
        Directory().metadata(issuer.replace("http://", "http://operator@"))


@pytest.mark.parametrize("target", ["//evil.test", "https://evil.test", "/\\evil.test", "javascript:alert(1)", ""])
def test_a_sign_in_leads_to_no_other_site(target, site):
    answer = site.post("/sign-in/real", json={"return_to": target}, headers=OUR_PAGE)
    assert answer.status_code == 422


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.test"}, {"origin": "null"}])
def test_no_other_site_begins_a_sign_in(headers, site):
    answer = site.post("/sign-in/real", json={}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")


def test_a_plain_oauth_provider_signs_in_by_its_user_endpoint(make_site, issuer, pool):
    plain = OAuthProvider(
        id="plain",
        title="Plain",
        issuer=f"{issuer}/plain",
        client_id=PLAIN_CLIENT_ID,
        client_secret=SecretStr("a secret of the tests"),
        scopes="openid profile email",
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        user_endpoint=f"{issuer}/oauth/userinfo",
        subject="sub",
    )
    site = make_site(oidc_providers=(), oauth_providers=(plain,))
    address = _begin(site, provider="plain") + "&nonce=canaille-wants-one"
    assert "code_challenge=" in address
    assert site.get(visit(address, user="bert")).headers["location"] == "/account"
    with transaction(pool) as conn:
        (row,) = conn.execute("select issuer, subject, name, email, email_verified from users").fetchall()
    assert row == (f"{issuer}/plain", "bert", "Bert Einer", None, False)


def test_of_a_list_of_addresses_the_primary_counts_if_it_is_verified():
    listed = [
        {"email": "old@example.org", "primary": False, "verified": True},
        {"email": "ada@example.org", "primary": True, "verified": True},
    ]
    assert primary_email(listed) == "ada@example.org"
    assert primary_email([{**listed[1], "verified": False}]) is None
    assert primary_email({"message": "Not Found"}) is None


def test_whom_the_settings_name_is_maintainer_and_the_audit_log_says_so(make_site, issuer):
    site = make_site(maintainers=f"{issuer}   ada, other@example.org")
    _sign_in(site, user="ada")
    me = site.get("/me").json()
    assert (me["role"], me["may_maintain"]) == ("maintainer", True)
    assert [act["action"] for act in site.get("/audit").json()["audit"]] == ["maintainer.signed-in"]
    stranger = make_site(maintainers=f"{issuer} ada")
    _sign_in(stranger, user="bert")
    assert stranger.get("/audit").status_code == 403


def test_an_address_that_nobody_verified_makes_no_maintainer(make_site):
    site = make_site(maintainers="ada@example.org")
    _sign_in(site, user="ada")
    me = site.get("/me").json()
    assert (me["email"], me["may_maintain"]) == ("ada@example.org", False)


def test_the_development_user_of_a_team_is_nobody_where_it_is_refused(make_site):
    open_site, closed = make_site(), make_site(development_login=False)
    open_site.post("/development/sign-in", json={"team": "Lab"}, headers=OUR_PAGE)
    token = open_site.post("/development/login", json={"team": "Lab"}).json()["token"]
    assert closed.post("/development/sign-in", json={"team": "Lab"}, headers=OUR_PAGE).status_code == 404
    assert closed.get("/me", headers={"authorization": f"Bearer {token}"}).status_code == 401
    closed.cookies = open_site.cookies
    assert closed.get("/me").status_code == 401


def test_the_presets_are_whole(settings: Settings):
    known = settings.model_copy(update={"huggingface_client_id": "hf", "github_client_id": "gh"})
    assert [(one.id, one.issuer) for one in known.providers] == [
        ("huggingface", "https://huggingface.co"),
        ("github", "https://github.com"),
    ]
