import os
from pathlib import Path

import pytest

from server.scoring.handover import UnreadableError, User, hand_over, user_of_jobs
from server.scoring.runner import Job, JobKind


def job(folder: Path, **more: object) -> Job:
    for name in ("input/truth", "output"):
        (folder / name).mkdir(mode=0o700, parents=True)
    (folder / "input").chmod(0o700)
    (folder / "input/truth/truth.json").write_text("hidden")
    (folder / "input/truth/truth.json").chmod(0o600)
    (folder / "input/script").touch(mode=0o700)
    bounds = {"kind": JobKind.GATE, "timeout": 1.0, "memory_bytes": 1}
    return Job(input_dir=folder / "input", output_dir=folder / "output", **{**bounds, **more})  # type: ignore[arg-type]


def modes(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777) for path in sorted(folder.rglob("*"))}


def test_a_worker_that_is_no_root_runs_jobs_as_itself_and_opens_nothing(tmp_path: Path) -> None:
    made = job(tmp_path)
    before = modes(tmp_path)
    hand_over(made, User(os.geteuid(), os.getegid()))
    assert modes(tmp_path) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_gives_the_output_away_and_opens_the_input_for_reading(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / "elsewhere").chmod(0o600)
    made = job(tmp_path / "job")
    (made.input_dir / "link").symlink_to(tmp_path / "elsewhere")
    hand_over(made, User(54_321, 54_321))
    assert (made.output_dir.stat().st_uid, made.output_dir.stat().st_mode & 0o777) == (54_321, 0o700)
    (made.input_dir / "link").unlink()
    opened = modes(tmp_path / "job")
    assert opened["input"] == opened["input/truth"] == "0o755"
    assert opened["input/truth/truth.json"] == "0o644"
    assert opened["input/script"] == "0o744"
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs jobs as others")
def test_a_granted_path_that_is_closed_is_told_and_not_opened(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir(mode=0o700)
    with pytest.raises(UnreadableError, match="weights may not be read by user 54321"):
        hand_over(job(tmp_path / "job", read_only=(tmp_path / "weights",)), User(54_321, 54_321))
    assert (tmp_path / "weights").stat().st_mode & 0o777 == 0o700


def test_only_root_needs_another_user() -> None:
    user = user_of_jobs(if_root=54_321)
    assert user.uid == (54_321 if os.geteuid() == 0 else os.geteuid())
