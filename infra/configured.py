"""What the doctor says of the settings, and of the parts of the operator's own that they name."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from server.settings import Settings


class Finding(NamedTuple):
    """One thing looked at: whether it is fine, worth knowing, or must be mended, and how."""

    what: str
    state: Literal["ok", "note", "mend"]
    found: str
    remedy: str = ""


def settings_findings() -> Iterator[Finding]:
    """Each setting that is unusable, by the name under which the operator set it."""
    from pydantic import ValidationError

    from server.settings import unusable

    try:
        _settings_of_up()
    except ValidationError as error:
        for wrong in unusable(error):
            yield Finding("settings", "mend", wrong, "see docs/operations.md for what it may be")
    else:
        yield Finding("settings", "ok", "all usable")


def _settings_of_up() -> Settings:
    """The settings as `gsi up` would have them. Raises pydantic.ValidationError."""
    from server.settings import Settings

    filled_in = {
        "DATABASE_URL": ("postgresql:///embedded", ("DATABASE_URL", "GSI_DATABASE_URL")),
        "secret_key": ("made in the data directory, then kept", ("GSI_SECRET_KEY",)),
        "storage_dir": (".", ("GSI_STORAGE_DIR",)),
    }
    return Settings(
        **{name: value for name, (value, names) in filled_in.items() if not any(n in os.environ for n in names)}  # type: ignore[arg-type]  # read as from the environment
    )


def runner_findings() -> Iterator[Finding]:
    """Which runner scorers would get here and why, and what it lacks."""
    from pydantic import ValidationError

    from server.errors import ConfigurationError
    from server.scoring.choose_runner import choose
    from server.scoring.containers import Engine, EngineError

    try:
        settings = _settings_of_up()
        choice = choose(settings)
    except ValidationError:
        return  # told already
    except ConfigurationError as error:
        yield Finding("runner", "mend", error.detail, error.remedy)
        return
    found = f"{choice.name}: {choice.why}"
    if choice.name != "container":
        remedy = "docs/operations.md, What participants' files are decoded in" if choice.warning else ""
        yield Finding("runner", "note" if choice.warning else "ok", choice.warning or found, remedy)
        return
    engine = Engine(settings.docker_host)
    try:
        version = engine.require(settings.scorer_image or "")
    except EngineError as error:
        remedy = "check GSI_DOCKER_HOST and that the engine runs; load the image into it (docker load, docker pull)"
        yield Finding("runner", "mend", f"{found}, but {error}", remedy)
    else:
        yield Finding("runner", "ok", f"{found}; engine {version} has the image")
    finally:
        engine.close()


def instruments_finding() -> Finding:
    """Whether the file of instruments can be used, where the environment names one."""
    from scorer import instruments, weights
    from scorer.errors import ScorerError

    named = os.environ.get("GSI_INSTRUMENTS")
    if not named:
        return Finding("instruments", "ok", "none set up (GSI_INSTRUMENTS names no file); Blocks needs none")
    remedy = "see docs/operations.md, Instruments"
    try:
        found = instruments.named(named)
    except ScorerError as error:
        return Finding("instruments", "mend", f"GSI_INSTRUMENTS: {error}", remedy)
    judge = f"judge: {found.judge.adapter if found.judge else 'none'}"
    try:
        kept = [name for name in weights.KNOWN if weights.locate(name, folder=found.weights_folder(os.environ))]
    except ScorerError as error:
        return Finding("instruments", "note", f"{judge}; {error}", "Blocks needs no weights; GSI-Bench does")
    return Finding("instruments", "ok", f"{judge}; weights: {', '.join(kept)}")


def detector_finding() -> Finding:
    """Whether GSI-Bench's detector can be made here: files of both networks, the operator's word on their terms."""
    from scorer import instruments
    from scorer.detectors.grounded import NAME
    from scorer.errors import ScorerError
    from scorer.registry import detector_named

    asked_for = False
    try:
        settings = instruments.named(os.environ.get("GSI_INSTRUMENTS"))
        asked_for = settings.detector.accept_noncommercial_weights
        detector_named(NAME, settings)
    except ScorerError as error:
        remedy = "see docs/detector.md; Blocks needs none of it, GSI-Bench does"
        return Finding("detector", "mend" if asked_for else "note", f"{NAME}: {error}", remedy)
    return Finding("detector", "ok", f"{NAME} on {settings.detector.device}, {settings.detector.mode} mode")


def parts_findings() -> Iterator[Finding]:
    """Parts of the operator's own, where the environment names any."""
    database = os.environ.get("GSI_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if database:
        yield _tried("database", lambda: _database(database), "check DATABASE_URL and that the server runs")
    else:
        yield Finding("database", "ok", "embedded PostgreSQL (DATABASE_URL names none)")
    broker = os.environ.get("GSI_BROKER_URL")
    if broker:
        yield _tried("broker", lambda: _broker(broker), "check GSI_BROKER_URL and that the broker runs")
    else:
        yield Finding("broker", "ok", "embedded Redis (GSI_BROKER_URL names none)")
    if os.environ.get("GSI_S3_BUCKET"):
        yield _tried("storage", _bucket, "check GSI_S3_ENDPOINT_URL, GSI_S3_BUCKET and the keys")
    else:
        yield Finding("storage", "ok", "a local directory (GSI_S3_BUCKET names no bucket)")


def _tried(what: str, look: Callable[[], Finding], remedy: str) -> Finding:
    try:
        return look()
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
        return Finding(what, "mend", _in_our_words(error), remedy)


def _in_our_words(error: Exception) -> str:
    """What went wrong, without a driver's words: those may hold parts of an address, and of its password."""
    import psycopg

    from server.db.trouble import trouble
    from server.errors import GsiError

    if isinstance(error, psycopg.Error):
        return f"cannot be used: {trouble(error)}"
    if isinstance(error, GsiError):
        return f"{type(error).__name__}: {error.detail}"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be reached: {error.strerror}"
    return f"cannot be used ({type(error).__name__})"


def _database(url: str) -> Finding:
    from server.addresses import is_database_address
    from server.db.migrate import pending

    if not is_database_address(url):
        return _no_address("database", "DATABASE_URL")
    waiting = pending(url)
    if waiting:
        return Finding("database", "mend", f"migrations wait: {', '.join(waiting)}", "gsi migrate")
    return Finding("database", "ok", "answers, migrations up to date")


def _broker(url: str) -> Finding:
    from server.addresses import is_broker_address

    if not is_broker_address(url):
        return _no_address("broker", "GSI_BROKER_URL")
    parts = urlsplit(url)
    default = 5672 if parts.scheme.startswith("amqp") else 6379
    where = (parts.hostname or "127.0.0.1", parts.port or default)
    with socket.create_connection(where, timeout=3):
        return Finding("broker", "ok", f"{parts.scheme} at {where[0]}:{where[1]} accepts connections")


def _no_address(what: str, setting: str) -> Finding:
    return Finding(what, "mend", "could not be tried", f"correct {setting}: it is no address")


def _bucket() -> Finding:
    from server.storage.choose import storage_of

    storage_of(_settings_of_up()).check()
    return Finding("storage", "ok", "the bucket answers")
