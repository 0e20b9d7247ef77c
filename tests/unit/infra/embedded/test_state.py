from pathlib import Path

import pytest

from infra.embedded.process import StartError
from infra.embedded.state import (
    AlreadyRunningError,
    StackState,
    is_locked,
    locked,
    read_state,
    remove_state,
    secret_of,
)

STATE = StackState(url="http://127.0.0.1:8000", pid=1, started_at="2026-01-01T00:00:00+00:00")


def test_a_data_directory_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path):
        STATE.write(tmp_path)
        assert is_locked(tmp_path)
        with pytest.raises(AlreadyRunningError, match=r"http://127\.0\.0\.1:8000"), locked(tmp_path):
            pass
    assert not is_locked(tmp_path)


def test_a_state_left_by_a_dead_process_counts_for_nothing(tmp_path: Path) -> None:
    STATE.write(tmp_path)
    assert read_state(tmp_path) is None


def test_the_state_is_read_back_while_the_stack_runs(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert read_state(tmp_path) is None
        STATE.write(tmp_path)
        assert read_state(tmp_path) == STATE
        remove_state(tmp_path)
        assert read_state(tmp_path) is None


def test_the_secret_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first = secret_of(tmp_path)
    assert first == secret_of(tmp_path)
    assert len(first) >= 32
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_a_data_directory_whose_lock_cannot_be_opened_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(StartError, match=r"lock.*--data-dir"), locked(tmp_path):
        pass
