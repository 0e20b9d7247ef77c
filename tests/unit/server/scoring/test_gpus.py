import multiprocessing
import time
from pathlib import Path

from server.scoring.gpus import Gpus


def _hold(folder: Path, held: "multiprocessing.synchronize.Event") -> None:  # type: ignore[name-defined]
    with Gpus(["0"], folder=folder).one(lambda: True):
        held.set()
        time.sleep(60)


def test_two_jobs_get_two_gpus_and_a_third_waits(tmp_path: Path) -> None:
    asked = []

    def give_up() -> bool:
        asked.append(1)
        return len(asked) < 2

    def gpus() -> Gpus:
        return Gpus(["0", "1"], folder=tmp_path)

    with gpus().one(lambda: False) as first, gpus().one(lambda: False) as second:
        assert {first, second} == {"0", "1"}
        with gpus().one(give_up) as third:
            assert third is None
        assert len(asked) == 2
    with gpus().one(lambda: False) as again:
        assert again == "0"


def test_a_process_that_is_killed_holds_no_gpu(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=_hold, args=(tmp_path, held))
    other.start()
    assert held.wait(20)
    with Gpus(["0"], folder=tmp_path).one(lambda: False) as mine:
        assert mine is None
    other.kill()
    other.join()
    with Gpus(["0"], folder=tmp_path).one(lambda: False) as mine:
        assert mine == "0"
