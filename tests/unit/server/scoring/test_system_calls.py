import errno
import socket
import struct

import pytest

from server.scoring.system_calls import filter_program

ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ALLOWED, KILLED = "allowed", "killed"


def answer(machine: str, number: int, argument: int = 0, *, architecture: int | None = None) -> str | int:
    """What the filter says to one call, by the rules of the kernel's packet filter; a number is an error."""
    program = filter_program(machine)
    assert program is not None
    words = {0: number, 4: architecture or ARCHITECTURE[machine], 16: argument}
    steps = list(struct.iter_unpack("=HBBI", program))
    loaded = at = 0
    while True:
        code, when_true, when_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                loaded = words[value]
            case 0x06:
                return {0x7FFF0000: ALLOWED, 0x80000000: KILLED}.get(value, value & 0xFFFF)
            case _:
                holds = {0x15: loaded == value, 0x35: loaded >= value, 0x45: bool(loaded & value)}[code]
                at += when_true if holds else when_false


@pytest.mark.parametrize(
    ("machine", "denied", "allowed"),
    [
        ("x86_64", (272, 165, 101, 250, 321, 319), (0, 1, 9, 59, 231)),
        ("aarch64", (97, 40, 117, 219, 280, 279), (63, 64, 222, 221)),
    ],
)
def test_named_calls_are_refused_and_ordinary_ones_are_not(
    machine: str, denied: tuple[int], allowed: tuple[int]
) -> None:
    assert {answer(machine, number) for number in denied} == {errno.EPERM}
    assert {answer(machine, number) for number in allowed} == {ALLOWED}


@pytest.mark.parametrize(("machine", "clone"), [("x86_64", 56), ("aarch64", 220)])
def test_threads_and_processes_are_made_but_no_namespaces(machine: str, clone: int) -> None:
    threads, process = 0x3D0F00, 17
    assert answer(machine, clone, threads) == answer(machine, clone, process) == ALLOWED
    for new in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(machine, clone, new | process) == errno.EPERM
    assert answer(machine, 435) == errno.ENOSYS


@pytest.mark.parametrize(("machine", "make"), [("x86_64", 41), ("aarch64", 198)])
def test_sockets_are_of_three_families(machine: str, make: int) -> None:
    for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        assert answer(machine, make, family) == ALLOWED
    for family in (socket.AF_NETLINK, socket.AF_PACKET, 40):
        assert answer(machine, make, family) == errno.EAFNOSUPPORT


def test_calls_of_another_architecture_end_the_job() -> None:
    assert answer("x86_64", 1, architecture=0x40000003) == KILLED
    assert answer("x86_64", 0x40000001) == errno.EPERM


def test_there_is_none_for_an_architecture_that_nobody_wrote_it_for() -> None:
    assert filter_program("riscv64") is None
