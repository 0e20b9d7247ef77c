import json
import os
from pathlib import Path

from frontend.connection import DEFAULT_URL, Credential, credentials_file, find_url, save, saved


def running(folder: Path, name: str, url: object, *, at: int) -> None:
    state = folder / ".gsi" / name / "state.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"url": url, "pid": 1}))
    os.utime(state, (at, at))


def test_the_address_is_the_given_one_before_all_others(tmp_path: Path) -> None:
    running(tmp_path, "data", "http://127.0.0.1:9", at=1)
    environment = {"GSI_URL": "http://b/"}
    assert find_url(given="http://a/", environment=environment, folder=tmp_path) == "http://a"
    assert find_url(given="", environment=environment, folder=tmp_path) == "http://b"


def test_the_latest_running_stack_is_found_from_a_folder_below(tmp_path: Path) -> None:
    running(tmp_path, "data", "http://127.0.0.1:1", at=1)
    running(tmp_path, "demo", "http://127.0.0.1:2", at=2)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_url(given="", environment={}, folder=below) == "http://127.0.0.1:2"


def test_a_broken_state_file_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / ".gsi" / "data" / "state.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    running(tmp_path, "demo", None, at=1)
    assert find_url(given="", environment={}, folder=tmp_path) == DEFAULT_URL


def test_tokens_are_kept_for_each_service_and_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = credentials_file({"XDG_CONFIG_HOME": str(tmp_path)})
    save(path, url="http://a", credential=Credential(token="one", team="A"))
    save(path, url="http://b", credential=Credential(token="two", team=""))
    assert saved(path, url="http://a") == Credential(token="one", team="A")
    assert saved(path, url="http://b") == Credential(token="two", team="")
    assert saved(path, url="http://c") is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["credentials.json"]


def test_a_spoilt_credentials_file_counts_as_logged_out(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"http://a": "odd"}')
    assert saved(path, url="http://a") is None
    path.write_text("odd")
    assert saved(path, url="http://a") is None
