"""Where the command line finds the service, and who it is there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A saved token and the team it speaks for (empty for a maintainer)."""

    token: str
    team: str


def find_url(*, given: str, environment: Mapping[str, str], folder: Path) -> str:
    """--url, else GSI_URL, else the stack that runs in `folder` or above (.gsi/*/state.json), else the default."""
    return (given or environment.get("GSI_URL", "") or _running(folder) or DEFAULT_URL).rstrip("/")


def _running(folder: Path) -> str:
    """The address of the latest stack started in this folder or one above it."""
    for place in (folder, *folder.parents):
        states = sorted(place.glob(".gsi/*/state.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for state in states:
            url = _member(state, "url")
            if url:
                return url
    return ""


def _member(path: Path, name: str) -> str:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(found.get(name) or "") if isinstance(found, dict) else ""


def credentials_file(environment: Mapping[str, str]) -> Path:
    """Where tokens are kept: $XDG_CONFIG_HOME/gsi or ~/.config/gsi."""
    base = environment.get("XDG_CONFIG_HOME", "")
    return (Path(base) if base else Path.home() / ".config") / "gsi" / "credentials.json"


def saved(path: Path, *, url: str) -> Credential | None:
    """The credential for a service, if one was saved."""
    entry = _all(path).get(url)
    if not isinstance(entry, dict) or not entry.get("token"):
        return None
    return Credential(token=str(entry["token"]), team=str(entry.get("team") or ""))


def save(path: Path, *, url: str, credential: Credential) -> None:
    """Keep a credential for a service, readable by its owner only, replacing an older one."""
    entries = {**_all(path), url: {"token": credential.token, "team": credential.team}}
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        json.dump(entries, stream, indent=1)
    fresh.replace(path)


def _all(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
