"""What this installation measures with: where weights lie, which model judges. Read from one JSON file.

The file decides nothing that is not written into the report: names come from the run's manifest, hashes of weights and
the judge's model, revision and prompt go into the report as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from scorer.contract import RunManifest, Strict
from scorer.detectors.installed import DetectorSettings
from scorer.errors import BenchmarkError
from scorer.installation import anchored, default_weights_folder
from scorer.judges.endpoint import EndpointJudge, EndpointSettings
from scorer.judges.journal import Journal
from scorer.judges.local import LocalJudge, LocalSettings
from scorer.judges.port import KEY_VARIABLE, Judge
from scorer.judges.recorded import RecordedJudge
from scorer.measures.port import Perceptual
from scorer.originals import DISK_BYTES, Originals

FILE = "instruments.json"
"""Its name in a run's folder."""

Folder = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class Endpoint(EndpointSettings):
    """A served model; its key, if it wants one, comes from the environment."""

    adapter: Literal["endpoint"]


class Local(LocalSettings):
    """A model run in the scorer's own process."""

    adapter: Literal["local"]


class Recorded(Strict):
    """Answers given before: a journal."""

    adapter: Literal["recorded"]
    journal: Folder


class KeptOriginals(Strict):
    """``folder``: where the originals' share of the work is kept for later runs; ``bytes``: how much of it at most.

    ``read_only``: what is not there is made and not kept, so that no run can change what another is measured with.
    """

    folder: Folder
    bytes: Annotated[int, Field(ge=1)] = DISK_BYTES
    read_only: bool = False


class InstrumentSettings(Strict):
    """``weights``: the folder of ``fetch-weights``; None: its default. ``judge``: the language judge, if there is one.

    ``detector``: how GSI-Bench's detector runs, and whether the terms of its weights are accepted.
    ``journals``: where judgements are kept, so that a run that is tried again asks only what is missing.
    ``originals``: where the originals' share of the work is kept; None: nowhere, each run makes it.
    """

    weights: Folder | None = None
    judge: Annotated[Endpoint | Local | Recorded, Field(discriminator="adapter")] | None = None
    detector: DetectorSettings = DetectorSettings()
    journals: Folder | None = None
    originals: KeptOriginals | None = None

    def reached_through(self, socket: str | None) -> InstrumentSettings:
        """The same, with a unix socket that leads to the judge's endpoint; None for the network."""
        if socket is None or not isinstance(self.judge, Endpoint):
            return self
        return self.model_copy(update={"judge": self.judge.model_copy(update={"socket": socket})})

    def weights_folder(self, environment: Mapping[str, str]) -> Path:
        """Where weights are."""
        return Path(self.weights) if self.weights else default_weights_folder(environment)


def read(path: Path) -> InstrumentSettings:
    """The settings of a file; the defaults where there is none. Raises BenchmarkError where it cannot be used."""
    try:
        content = json.loads(path.read_bytes())
        if isinstance(content, dict):
            content = anchored(content, base=path.parent)
        return InstrumentSettings.model_validate(content)
    except FileNotFoundError:
        return InstrumentSettings()
    except ValueError as error:
        if not isinstance(error, ValidationError):
            raise BenchmarkError(f"{path.name} is not valid JSON") from error
        raise _unusable(path, error) from None


def _unusable(path: Path, error: ValidationError) -> BenchmarkError:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return BenchmarkError(f"{path.name} is not valid: {where or 'content'}: {first['msg'].lower()}")


def named(path: str | None) -> InstrumentSettings:
    """The settings of the file that an operator named; the defaults for none. Raises BenchmarkError."""
    if not path:
        return InstrumentSettings()
    if not Path(path).is_file():
        raise BenchmarkError(f"there is no file {path}")
    return read(Path(path))


def originals(settings: InstrumentSettings, network: Perceptual) -> Originals:
    """What is kept of the originals. Raises BenchmarkError where the folder of the settings cannot be used."""
    kept = settings.originals
    if kept is None:
        return Originals(network=network)
    try:
        return Originals(network=network, folder=Path(kept.folder), disk_bytes=kept.bytes, read_only=kept.read_only)
    except OSError as error:
        raise BenchmarkError(
            f"{FILE} of this installation: originals.folder cannot be used: {error.strerror}; "
            "name a folder that the scorer may write, or leave originals out"
        ) from error


def language_judge(settings: InstrumentSettings, manifest: RunManifest) -> Judge:
    """The judge of the settings. Raises BenchmarkError where none is set up, JudgeError where it cannot work."""
    if settings.judge is None:
        raise BenchmarkError(f"the run asks for {manifest.judge}, but {FILE} of this installation names no judge")
    if isinstance(settings.judge, Recorded):
        return RecordedJudge.from_journal(Path(settings.judge.journal))
    journal = None
    if settings.journals is not None:
        journal = Journal(Path(settings.journals) / f"{manifest.submission}-{manifest.subset}.jsonl")
    if isinstance(settings.judge, Local):
        return LocalJudge(settings.judge, journal=journal)
    return EndpointJudge(settings.judge, api_key=os.environ.get(KEY_VARIABLE), journal=journal)
