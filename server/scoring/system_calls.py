"""A filter of system calls for sandboxes that bring none: what no scorer needs, and what breaking out begins with.

A program of the kernel's classic packet filter, for x86-64 and arm64, as `bwrap --seccomp` reads it. Denied are new
namespaces and mounts, looking into other processes, keys, tracing and loading of code into the kernel, memory that
nobody maps (it would escape the count), and sockets of other families than unix and internet: some, such as vsock, know
no namespaces. Numbers: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import errno
import platform
import socket
import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Machine(NamedTuple):
    """How the kernel names an architecture (``AUDIT_ARCH_…``), and its column in `_DENIED`."""

    audit: int
    column: int


_MACHINES: Mapping[str, Machine] = MappingProxyType(
    {"x86_64": Machine(0xC000003E, 0), "aarch64": Machine(0xC00000B7, 1)}
)
_DENIED: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {
        "unshare": (272, 97),
        "setns": (308, 268),
        "mount": (165, 40),
        "umount2": (166, 39),
        "pivot_root": (155, 41),
        "chroot": (161, 51),
        "open_tree": (428, 428),
        "move_mount": (429, 429),
        "fsopen": (430, 430),
        "fsconfig": (431, 431),
        "fsmount": (432, 432),
        "fspick": (433, 433),
        "mount_setattr": (442, 442),
        "ptrace": (101, 117),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "kcmp": (312, 272),
        "pidfd_getfd": (438, 438),
        "add_key": (248, 217),
        "request_key": (249, 218),
        "keyctl": (250, 219),
        "bpf": (321, 280),
        "perf_event_open": (298, 241),
        "userfaultfd": (323, 282),
        "io_uring_setup": (425, 425),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "init_module": (175, 105),
        "finit_module": (313, 273),
        "delete_module": (176, 106),
        "kexec_load": (246, 104),
        "kexec_file_load": (320, 294),
        "name_to_handle_at": (303, 264),
        "open_by_handle_at": (304, 265),
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "shmget": (29, 194),
        "quotactl": (179, 60),
        "acct": (163, 89),
        "syslog": (103, 116),
        "swapon": (167, 224),
        "reboot": (169, 142),
        "modify_ldt": (154, None),
        "iopl": (172, None),
        "ioperm": (173, None),
    }
)
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, …CGROUP, …UTS, …IPC, …USER, …PID and …NET."""
_FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000


def filter_program(machine: str | None = None) -> bytes | None:
    """The filter for ``machine`` (this one), None for an architecture that it is not written for."""
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return None
    at = found.column
    program = [
        *(_step(_LOAD, _ARCHITECTURE), _step(_EQUAL, found.audit, 1, 0), _step(_RETURN, _KILL)),
        *(_step(_LOAD, _NUMBER), _step(_AT_LEAST, _X32, 0, 1), _refuse(errno.EPERM)),
    ]
    for numbers in _DENIED.values():
        if (number := numbers[at]) is not None:
            program += [_step(_EQUAL, number, 0, 1), _refuse(errno.EPERM)]
    program += [
        _step(_EQUAL, _CLONE3[at], 0, 1),
        _refuse(errno.ENOSYS),
    ]  # then libraries use clone, which shows its flags
    program += [_step(_EQUAL, _CLONE[at], 0, 4), _step(_LOAD, _FIRST_ARGUMENT)]
    program += [_step(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _step(_RETURN, _ALLOW)]
    program += [_step(_EQUAL, _SOCKET[at], 0, len(_FAMILIES) + 3), _step(_LOAD, _FIRST_ARGUMENT)]
    program += [_step(_EQUAL, family, len(_FAMILIES) - number, 0) for number, family in enumerate(_FAMILIES)]
    program += [_refuse(errno.EAFNOSUPPORT), _step(_RETURN, _ALLOW), _step(_RETURN, _ALLOW)]
    return b"".join(program)


def _step(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    """One `sock_filter`: what to do, with which number, how many steps to skip."""
    return struct.pack("=HBBI", code, when_true, when_false, value)


def _refuse(error: int) -> bytes:
    return _step(_RETURN, _REFUSE | error)
