"""What can be wrong with a submission: every kind once, in words for the person who made it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from scorer.contract import Defect, Severity

SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class Kind:
    """One kind of defect; ``message`` and ``remedy`` are format strings over the facts of the case."""

    code: str
    severity: Severity
    message: str
    remedy: str


def _error(code: str, message: str, remedy: str) -> Kind:
    return Kind(code, "error", message, remedy)


def _warning(code: str, message: str, remedy: str) -> Kind:
    return Kind(code, "warning", message, remedy)


_ZIP_AGAIN = "Zip the folder again with a common tool (zip, the file manager, Python's shutil.make_archive)."
_PLAIN_PATHS = "Use plain relative names with forward slashes: <subset>/<sample id>.png."
_SAVE_AGAIN = "Save the image again as an ordinary PNG, JPEG or WebP file and look at it in a viewer before zipping."

_KINDS = (
    # the archive as a whole
    _error(
        "archive-too-large", "The archive has {size} bytes; at most {limit} are read.", "Save images as JPEG or WebP."
    ),
    _error("not-a-zip", "This is not a zip archive.", "Upload one .zip file with the images inside. " + _ZIP_AGAIN),
    _error(
        "truncated-archive",
        "The archive ends before its table of contents: the file is incomplete.",
        "The upload or the zipping was cut off. " + _ZIP_AGAIN,
    ),
    _error("damaged-archive", "The archive's table of contents cannot be trusted: {detail}.", _ZIP_AGAIN),
    _error(
        "split-archive",
        "The archive is one part of several.",
        "Make one archive of everything. " + _ZIP_AGAIN,
    ),
    _error(
        "too-many-files",
        "The archive lists more entries than can be read (limit {limit}).",
        "Keep one image per sample and nothing else.",
    ),
    _error(
        "overlapping-files",
        "Files in the archive share the same bytes, as in a zip bomb.",
        "Make the archive with a common tool. " + _ZIP_AGAIN,
    ),
    _error(
        "foreign-data",
        "Before, between or behind its files the archive holds {count} bytes that belong to none of them.",
        "Nothing may be hidden in an archive or stand around it. " + _ZIP_AGAIN,
    ),
    _error(
        "too-much-data",
        "The images are larger than {limit} bytes when unpacked; none was looked at.",
        "Send one image per sample at the original's size; JPEG or WebP keep the archive small.",
    ),
    _error(
        "nothing-usable",
        "No usable image for any sample of {benchmark} was found.",
        "The archive must hold <subset>/<sample id>.png (or .jpg, .webp), for example {example}.",
    ),
    # entries
    _error("absolute-path", "The entry has an absolute path.", _PLAIN_PATHS),
    _error("parent-path", "The entry's path leads outside the archive ('..').", _PLAIN_PATHS),
    _error("backslash-path", "The entry's name contains a backslash.", _PLAIN_PATHS),
    _error("strange-name", "The entry's name contains invisible characters or is empty or too long.", _PLAIN_PATHS),
    _error(
        "link",
        "The entry is a symbolic link, not a file.",
        "Replace the link by the image itself (zip follows links unless -y is given).",
    ),
    _error("special-file", "The entry is a device, pipe or socket, not a file.", "Leave it out."),
    _error("folder-with-content", "The entry is a folder by its name and has content.", _ZIP_AGAIN),
    _error("encrypted-file", "The file is encrypted.", "Make the archive without a password."),
    _error(
        "unsupported-compression",
        "The file is compressed in a way that is not supported (method {method}).",
        "Use the ordinary compression (deflate) or none.",
    ),
    _error(
        "lying-header",
        "The archive says two different things about this file: {what}.",
        "Readers would disagree about what is in it. " + _ZIP_AGAIN,
    ),
    _error("duplicate-name", "The archive holds this name more than once.", "Keep one file of each name."),
    _error(
        "colliding-name",
        "Some systems take the name for that of {other}: only case or composition of the characters differ.",
        "Keep one of them; sample ids are written exactly as in the manifest.",
    ),
    _error(
        "nested-archive",
        "The entry is an archive inside the archive; it is not opened.",
        "Unpack it first and zip the images themselves.",
    ),
    # names against the manifest
    _error(
        "unexpected-file",
        "The file is not an image of a sample.",
        "Leave it out; only <subset>/<sample id>.(png|jpg|jpeg|webp) is read.",
    ),
    _error("unknown-sample", "{benchmark} has no sample '{sample}'.", "{hint}"),
    _error("wrong-folder", "The sample '{sample}' belongs to the subset '{subset}'.", "Move the file to {expected}."),
    _error(
        "duplicate-sample",
        "The sample '{sample}' has another image already: {other}.",
        "Keep one image for each sample.",
    ),
    _warning(
        "ignored-file",
        "The file was made by the system that zipped the folder; it is ignored.",
        "Nothing needs to be done.",
    ),
    _warning(
        "ignored-evaluation",
        "The file is of an evaluation made elsewhere; it is ignored, for everything is measured here.",
        "Leave the folders <dataset>_eval out.",
    ),
    _warning(
        "missing-sample",
        "The sample '{sample}' has no image; it scores zero.",
        "Add {expected}, unless you mean to leave it out.",
    ),
    _warning(
        "missing-subset",
        "All {count} samples of the subset '{subset}' are missing; they score zero.",
        "Add their images, for example {expected}, unless you mean to leave the subset out.",
    ),
    # contents
    _error("empty-file", "The file is empty.", _SAVE_AGAIN),
    _error(
        "damaged-file", "The file cannot be unpacked: {detail}.", "The archive was damaged on its way. " + _ZIP_AGAIN
    ),
    _error(
        "file-too-large",
        "The file is larger than {limit} bytes when unpacked.",
        "Save the image at the original's size, as JPEG or WebP if need be.",
    ),
    _error(
        "suspicious-compression",
        "The file unpacks to more than {ratio} times its compressed size, as in a zip bomb.",
        "Images hardly compress further; " + _SAVE_AGAIN[0].lower() + _SAVE_AGAIN[1:],
    ),
    _error(
        "too-many-pixels",
        "The image has {width} x {height} pixels; at most {limit} pixels are decoded.",
        "Tell the maintainers: the original of this sample is too large.",
    ),
    _error("not-an-image", "The content is not a PNG, JPEG or WebP image, whatever the name says.", _SAVE_AGAIN),
    _error("damaged-image", "The image data cannot be decoded; the file is damaged or cut off.", _SAVE_AGAIN),
    _error(
        "several-pictures", "The file holds {frames} pictures (an animation or a burst).", "Save a single still image."
    ),
    _error(
        "wrong-size",
        "The image is {width} x {height} pixels; the original of this sample is {expected_width} x {expected_height}.",
        "Resize or crop the edited image to {expected_width} x {expected_height}, aligned with the original.",
    ),
    _error(
        "too-many-scans",
        "The JPEG paints its picture in {count} passes; at most {limit} are read.",
        "Save it again with the usual settings; a progressive JPEG has about ten.",
    ),
    _error("unsupported-colours", "The image's colours are {mode}, not RGB or grey.", "Convert it to 8-bit sRGB."),
    _error(
        "transparent",
        "Parts of the image are transparent.",
        "Flatten the image onto its background and save it without an alpha channel.",
    ),
    _error(
        "rotated-by-tag",
        "An EXIF tag asks viewers to rotate or mirror the image (orientation {orientation}).",
        "Rotate the pixels themselves and remove the tag.",
    ),
    _warning(
        "sixteen-bit",
        "The image has 16 bits per channel; the upper 8 are used.",
        "Save it with 8 bits per channel to be sure what is scored.",
    ),
    _warning(
        "colour-profile",
        "The image carries a colour profile other than sRGB; it is not applied, the pixels are taken as they are.",
        "Convert it to sRGB if it was made in another colour space.",
    ),
    _warning(
        "format-mismatch",
        "The name ends in {suffix} but the content is {format}; the content counts.",
        "Rename the file if you like.",
    ),
)

KINDS = {kind.code: kind for kind in _KINDS}
"""Every kind of defect by its code."""

Fact = str | int


def shown(name: str) -> str:
    """A file name fit to be printed: control and direction characters escaped, long names cut in the middle."""
    safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)
    if len(safe) <= SHOWN_CHARACTERS:
        return safe
    half = SHOWN_CHARACTERS // 2 - 1
    return f"{safe[:half]}…{safe[-half:]}"


def defect(code: str, *, file: str | None = None, **facts: Fact) -> Defect:
    """One defect of a known kind; ``facts`` fill its words."""
    kind = KINDS[code]
    clean = {name: shown(value) if isinstance(value, str) else value for name, value in facts.items()}
    return Defect(
        code=code,
        severity=kind.severity,
        file=None if file is None else shown(file),
        message=kind.message.format(**clean),
        remedy=kind.remedy.format(**clean),
    )


@dataclass
class Findings:
    """Collects defects; of each kind the first ``listed`` are kept in full and the rest counted."""

    listed: int
    _kept: list[Defect] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def add(self, code: str, *, file: str | None = None, **facts: Fact) -> None:
        """Note one defect."""
        if self._seen[code] < self.listed:
            self._kept.append(defect(code, file=file, **facts))
        self._seen[code] += 1

    def note(self, found: Defect) -> None:
        """Note a defect that was made elsewhere."""
        self._seen[found.code] += 1
        if self._seen[found.code] <= self.listed:
            self._kept.append(found)

    def __contains__(self, code: str) -> bool:
        """Whether a defect of this kind was noted."""
        return self._seen[code] > 0

    @property
    def has_errors(self) -> bool:
        """Whether any defect so far refuses the archive."""
        return any(KINDS[code].severity == "error" for code in +self._seen)

    def told(self) -> list[Defect]:
        """All defects, errors first, each kind together and followed by how many more there are."""
        order = {code: index for index, code in enumerate(KINDS)}

        def rank(code: str) -> tuple[Literal[0, 1], int]:
            return (0 if KINDS[code].severity == "error" else 1, order[code])

        result: list[Defect] = []
        for code in sorted(+self._seen, key=rank):
            result += [found for found in self._kept if found.code == code]
            if (more := self._seen[code] - self.listed) > 0:
                result.append(self._and_more(code, more))
        return result

    def _and_more(self, code: str, more: int) -> Defect:
        kind = KINDS[code]
        last = next(found for found in reversed(self._kept) if found.code == code)
        return Defect(
            code=code,
            severity=kind.severity,
            file=None,
            message=f"… and {more} more of this kind.",
            remedy=last.remedy if last.remedy == kind.remedy else "As above.",
        )
