"""A real browser sends an archive from the real site straight to a real bucket: signed URLs, CORS and CSP together."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import sync_playwright

from frontend.app import mount
from server.app import create_app
from server.db.pool import transaction
from tests.contract.conftest import s3_storage, vendor_client
from tests.unit.frontend.serving import Server, free_port
from tests.unit.frontend.test_browser import CHROMIUM, FLAGS

MIB = 1024 * 1024
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="needs Chromium: apt-get install chromium"),
]


@pytest.fixture
def storage(s3, bucket):
    return s3_storage(s3, bucket=bucket, prefix=f"{uuid4()}/")


@pytest.fixture
def site(settings, queue, storage, pool, blocks, s3, bucket):
    large = settings.model_copy(update={"upload_part_bytes": 5 * MIB, "max_archive_bytes": 64 * MIB})
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    rule = {"AllowedOrigins": [url], "AllowedMethods": ["PUT"], "AllowedHeaders": ["x-amz-checksum-sha256"]}
    vendor_client(s3).put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    app = create_app(large, queue=queue, storage=storage, pool=pool)
    server = Server(mount(app, api_url=url, uploads_to=storage.parts.origin), port=port)
    server.start()
    yield url
    server.stop()


def test_the_archive_goes_from_the_browser_to_the_bucket_and_no_token_with_it(site, storage, pool, queue):
    content = random.Random(5).randbytes(11 * MIB)
    told: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page()
        elsewhere = []
        page.on("request", lambda sent: elsewhere.append(sent) if not sent.url.startswith((site, "data:")) else None)
        page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
        page.goto(f"{site}/submit")
        page.wait_for_selector("html.adopted", timeout=20_000)
        page.locator("#team").fill("Lab")
        page.locator("#model").fill("My editor")
        archive = {"name": "edits.zip", "mimeType": "application/zip", "buffer": content}
        page.locator("#archive").set_input_files(archive)
        page.get_by_role("button", name="Upload and score").click()
        page.wait_for_url("**/submission?id=*", timeout=30_000)
        methods = {(sent.method, sent.url.startswith(storage.parts.origin)) for sent in elsewhere}
        assert methods == {("PUT", True)}
        assert not [sent for sent in elsewhere if {"authorization", "cookie"} & set(sent.all_headers())]
        browser.close()
    assert told == []
    with transaction(pool) as conn:
        key, size = conn.execute("select archive_key, archive_bytes from submissions").fetchone()
    assert size == len(content)
    assert b"".join(storage.read(key)) == content
    assert len(queue.validated) == 1
