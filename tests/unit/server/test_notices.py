"""Notices at a submission's end: told once and for all in the outbox, signed, and never into our own network."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from fastapi.testclient import TestClient
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from server.app import create_app
from server.db.pool import transaction
from server.notices import store
from server.notices.sending import Notices
from server.notices.webhooks import is_public
from server.submissions import service as submissions
from server.submissions import store as submission_store
from server.submissions.lifecycle import State
from tests import making

MODEL = "Quiet-Model-3"


@dataclass
class Receiver:
    """A real HTTP server that keeps what it gets and answers as it is told."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    pause: float = 0.0
    url: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            kept.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(kept.pause)
            status = kept.answers.pop(0) if kept.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    kept.url = f"http://localhost:{server.server_port}/hook"
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


class Box:
    """A real SMTP server that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refuse = ""

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        self.mails.append(envelope)
        return "250 OK"


@pytest.fixture
def box() -> Iterator[Box]:
    kept = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    kept.url = f"smtp://127.0.0.1:{port}"
    yield kept
    controller.stop()


@pytest.fixture
def settings(settings, box):
    more = {"smtp_url": SecretStr(box.url), "mail_from": "GSI <board@example.org>"}
    return settings.model_copy(update={**more, "webhooks_to_private_addresses": True})


@pytest.fixture
def sender(settings, pool):
    return Notices(settings=settings, pool=pool, dice=random.Random(7))


@pytest.fixture
def owner(login):
    return login("Owners")


@pytest.fixture
def hook(client, owner, receiver):
    answer = client.post("/notices/webhooks", json={"url": receiver.url}, headers=owner)
    assert answer.status_code == 201, answer.text
    return answer.json()


def _end(pool, blocks, state=State.SCORED):
    with transaction(pool) as conn:
        return making.submission(conn, blocks, state=state, model=MODEL, numbers=making.everywhere(66.6))


def _deliveries(client, headers, **query):
    return client.get("/notices/deliveries", params=query, headers=headers).json()["deliveries"]


def _due_at_once(pool):
    with transaction(pool) as conn:
        conn.execute("update deliveries set next_attempt_at = now() where state = 'pending'")


def test_a_webhook_gets_one_signed_notice_of_an_ending_and_no_score(
    hook, receiver, sender, pool, blocks, client, owner
):
    made = _end(pool, blocks)
    assert sender.send_due() == 1
    assert sender.send_due() == 0
    (headers, body) = receiver.got[0]
    told = Webhook(hook["secret"]).verify(body, headers)
    assert told["type"] == "submission.scored"
    assert told["submission"]["id"] == str(made)
    assert told["submission"]["links"]["page"].endswith(f"/submission?id={made}")
    assert b"66.6" not in body
    assert [one["state"] for one in _deliveries(client, owner)] == ["delivered"]


def test_a_notice_that_was_changed_replayed_or_signed_by_another_is_refused_by_its_receiver(
    hook, receiver, sender, pool, blocks
):
    _end(pool, blocks)
    sender.send_due()
    (headers, body) = receiver.got[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(body.replace(b"scored", b"failed"), headers)
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(body, headers)
    late = {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 600)}
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(body, late)


@pytest.mark.parametrize(
    ("state", "types"),
    [
        (State.SCORING, []),
        (State.REJECTED, ["submission.rejected"]),
        (State.FAILED, ["submission.failed"]),
        (State.SCORED, ["submission.scored"]),
        (State.WITHDRAWN, ["submission.withdrawn"]),
        (State.PUBLISHED, ["submission.scored", "submission.published"]),
        (State.DELISTED, ["submission.scored", "submission.published", "submission.delisted"]),
        (State.DISQUALIFIED, ["submission.scored", "submission.disqualified"]),
    ],
)
def test_every_ending_is_told_and_nothing_else(state, types, hook, receiver, sender, pool, blocks):
    _end(pool, blocks, state)
    while sender.send_due():
        pass
    assert sorted(json.loads(body)["type"] for _, body in receiver.got) == sorted(types)


def test_taking_an_entry_off_the_board_is_not_told_as_a_new_score(hook, receiver, sender, pool, blocks):
    made = _end(pool, blocks, State.PUBLISHED)
    with transaction(pool) as conn:
        submissions.unpublish(conn, submission_store.get(conn, made))
    while sender.send_due():
        pass
    assert sum(json.loads(body)["type"] == "submission.scored" for _, body in receiver.got) == 1


def test_an_event_that_is_rolled_back_is_not_told(hook, receiver, sender, pool, blocks):
    made = _end(pool, blocks, State.SCORING)
    with transaction(pool) as conn, conn.transaction(force_rollback=True):
        assert submission_store.move(conn, made, State.SCORED)
    assert sender.send_due() == 0


def test_a_notice_is_tried_again_with_the_same_id_until_it_arrives(hook, receiver, sender, pool, blocks, client, owner):
    _end(pool, blocks)
    receiver.answers += [500, 302, 429]
    for _ in range(4):
        assert sender.send_due() == 1
        assert sender.send_due() == 0, "not before its pause is over"
        _due_at_once(pool)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert [(one["state"], one["attempts"]) for one in _deliveries(client, owner)] == [("delivered", 4)]


def test_a_notice_that_never_arrives_is_given_up_shown_and_tried_anew_on_demand(
    hook, receiver, sender, pool, blocks, client, owner, maintainer, login
):
    _end(pool, blocks)
    receiver.answers += [503] * 8
    for _ in range(8):
        assert sender.send_due() == 1
        _due_at_once(pool)
    assert sender.send_due() == 0
    dead = _deliveries(client, owner, state="dead")[0]
    assert dead["last_error"] == "it answered 503"
    assert _deliveries(client, maintainer, state="dead")[0]["id"] == dead["id"]
    assert _deliveries(client, login("Others")) == []
    assert client.post(f"/notices/deliveries/{dead['id']}/retry", headers=login("Others")).status_code == 404
    assert client.post(f"/notices/deliveries/{dead['id']}/retry", headers=owner).status_code == 202
    assert sender.send_due() == 1
    assert _deliveries(client, owner)[0]["state"] == "delivered"


def test_a_receiver_that_says_gone_is_not_asked_again(hook, receiver, sender, pool, blocks, client, owner):
    _end(pool, blocks)
    receiver.answers += [410]
    sender.send_due()
    assert _deliveries(client, owner)[0]["state"] == "dead"


def test_a_sender_that_dies_leaves_its_notice_to_the_next_and_cannot_end_it_late(hook, sender, pool, blocks):
    _end(pool, blocks)
    with transaction(pool) as conn:
        lost = store.claim(conn, limit=9, lease=timedelta(0))
    with transaction(pool) as conn:
        assert store.claim(conn, limit=9, lease=timedelta(minutes=1)) != []
    with transaction(pool) as conn:
        assert not store.bury(conn, lost[0], error="late")


def test_two_senders_never_send_one_notice_at_once(hook, receiver, sender, pool, blocks):
    for _ in range(6):
        _end(pool, blocks)
    receiver.pause = 0.2
    threads = [threading.Thread(target=sender.send_due) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [headers["webhook-id"] for headers, _ in receiver.got]
    assert len(ids) == len(set(ids)) == 6


@pytest.mark.parametrize(
    "number",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_of_the_public_internet_is_known_as_such(number):
    assert not is_public(number)


@pytest.mark.parametrize("number", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_known_as_such(number):
    assert is_public(number)


def test_no_webhook_leads_into_our_own_network(hook, receiver, settings, pool, blocks, client, owner):
    careful = settings.model_copy(update={"webhooks_to_private_addresses": False})
    _end(pool, blocks)
    Notices(settings=careful, pool=pool, dice=random.Random(7)).send_due()
    assert receiver.got == []
    assert _deliveries(client, owner)[0]["last_error"] == "the address is not one of the public internet"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://nowhere.invalid/", "http://localhost:1/"])
def test_what_cannot_be_reached_is_told_in_words_of_ours(url, client, owner, sender, pool, blocks):
    assert client.post("/notices/webhooks", json={"url": url}, headers=owner).status_code == 201
    _end(pool, blocks)
    sender.send_due()
    assert _deliveries(client, owner)[0]["last_error"] in {"no connection could be made", "its host name is not known"}


def test_an_e_mail_address_is_told_once_its_owner_has_confirmed_it(box, client, owner, sender, pool, blocks):
    added = client.post("/notices/emails", json={"address": "lab@example.org"}, headers=owner).json()
    assert added["secret"] is None
    _end(pool, blocks)
    sender.send_due()
    assert len(box.mails) == 1, "the code alone"
    code = re.search(rb"confirms it: (\w+)", box.mails[0].content).group(1).decode()
    assert client.post(f"/notices/{added['id']}/confirm", json={"code": "wrong"}, headers=owner).status_code == 422
    assert client.post(f"/notices/{added['id']}/confirm", json={"code": code}, headers=owner).status_code == 200
    _end(pool, blocks)
    sender.send_due()
    mail = box.mails[1]
    assert mail.rcpt_tos == ["lab@example.org"]
    assert f"[GSI-Bench] {MODEL}: Scored".encode() in mail.content
    assert b"Auto-Submitted: auto-generated" in mail.content
    assert b"66.6" not in mail.content


def test_an_address_that_the_mail_server_refuses_for_good_is_not_tried_again(box, client, owner, sender):
    client.post("/notices/emails", json={"address": "lab@example.org"}, headers=owner)
    box.refuse = "550 no such user: SECRET-WORDS"
    sender.send_due()
    dead = _deliveries(client, owner)[0]
    assert dead["state"] == "dead"
    assert dead["last_error"] == "the mail server refused the address (550)"


@pytest.mark.parametrize(
    "address",
    ["", "lab", "lab@", "@example.org", "a b@example.org", "lab@example", "lab@example.org\nBcc: x@y.z", "a@b..c"],
)
def test_what_is_no_e_mail_address_is_refused(address, client, owner):
    assert client.post("/notices/emails", json={"address": address}, headers=owner).status_code == 422


def test_a_service_without_a_mail_server_says_so(settings, queue, storage, pool, owner):
    app = create_app(settings.model_copy(update={"smtp_url": None}), queue=queue, storage=storage, pool=pool)
    with TestClient(app, base_url="http://test/api/v1") as client:
        answer = client.post("/notices/emails", json={"address": "lab@example.org"}, headers=owner)
    assert answer.status_code == 409
    assert "webhook" in answer.json()["remedy"]


def test_what_was_removed_is_told_nothing_more(hook, receiver, sender, pool, blocks, client, owner):
    _end(pool, blocks)
    assert client.delete(f"/notices/{hook['id']}", headers=owner).status_code == 204
    _end(pool, blocks)
    assert sender.send_due() == 0
    assert receiver.got == []
    assert client.get("/notices", headers=owner).json() == {"targets": []}
    assert client.delete(f"/notices/{hook['id']}", headers=owner).status_code == 404


def test_a_test_shows_that_a_webhook_works(hook, receiver, sender, client, owner):
    assert client.post(f"/notices/{hook['id']}/test", headers=owner).status_code == 202
    sender.send_due()
    (headers, body) = receiver.got[0]
    assert Webhook(hook["secret"]).verify(body, headers)["type"] == "test"


def test_another_teams_targets_do_not_exist(hook, client, login):
    other = login("Others")
    assert client.get("/notices", headers=other).json() == {"targets": []}
    for method, path in (("DELETE", ""), ("POST", "/test")):
        assert client.request(method, f"/notices/{hook['id']}{path}", headers=other).status_code == 404


def test_a_team_has_each_target_once_and_ten_at_most(hook, client, owner, receiver):
    assert client.post("/notices/webhooks", json={"url": receiver.url}, headers=owner).status_code == 409
    for number in range(9):
        answer = client.post("/notices/webhooks", json={"url": f"https://example.org/{number}"}, headers=owner)
        assert answer.status_code == 201
    assert client.post("/notices/webhooks", json={"url": "https://example.org/x"}, headers=owner).status_code == 409


def test_no_secret_is_stored_or_shown_twice(hook, client, owner, pool):
    assert "secret" not in client.get("/notices", headers=owner).text
    with transaction(pool) as conn:
        stored = conn.execute("select t::text from notice_targets t").fetchall()
    assert hook["secret"].removeprefix("whsec_") not in str(stored)
