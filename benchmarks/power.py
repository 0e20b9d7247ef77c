"""What the instrument can tell: power and false positives of both profiles, by simulation.

    python -m benchmarks.power                     (the table of docs/protocol.md; under three minutes on two cores)
    python -m benchmarks.power --scenes 200 --seed 7

Two to four things, two of them twins, with sides of 16 to 40 cm, are looked at before and after by a detector that
errs by 2 cm in each coordinate of a centre and each side, 3 pixels in each number of a rectangle and 3 degrees about
the vertical. *Power* is how often a perfect edit complies (IC); *untouched* and *wrong object* (the twin) how often
those do. No picture is made: neither the locality gate nor the viewpoint test takes part, which can only lower rates.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
from scipy.stats import binomtest

from benchmarks.simulation import Noise, amount_of, case_of, edited, random_world, seen_again
from scorer.deviations import FAIR, OFFICIAL, Profile
from scorer.rules import Case, judge

NOISE = Noise()
PROFILES = (OFFICIAL, FAIR)
MAGNITUDES = {
    "move": (0.05, 0.08, 0.10, 0.15, 0.20, 0.30, 0.40, 0.50, 1.00, 2.00),
    "rotate": (5.0, 10.0, 12.0, 15.0, 30.0, 45.0, 90.0, 135.0, 180.0),
    "scale": (0.5, 0.7, 0.8, 0.9, 1.1, 1.2, 1.3, 1.5, 2.0),
    "remove": (0.0,),
}
UNITS = {"move": "{:g} m", "rotate": "{:.0f}°", "scale": "× {:g}", "remove": "–"}

POWER, FALSE_POSITIVES = 0.95, 0.05


@dataclass
class Rates:
    """How often IC was 1 under one profile, of ``trials`` each."""

    trials: int
    perfect: int = 0
    untouched: int = 0
    wrong: int = 0

    @property
    def tells(self) -> bool:
        """Whether perfect edits are told from none: the estimates hold both bounds."""
        worst = max(self.untouched, self.wrong) / self.trials
        return self.perfect / self.trials >= POWER and worst <= FALSE_POSITIVES


Found = Mapping[Profile, Rates]
"""The rates of one edit under each profile."""


def rates(operation: str, magnitude: float, *, scenes: int, repeats: int, seed: int) -> Found:
    """Both profiles on the same scenes and the same noise: ``scenes`` of them, each seen ``repeats`` times."""
    found = {profile: Rates(scenes * repeats) for profile in PROFILES}
    rng = np.random.default_rng([seed, *operation.encode(), round(magnitude * 1000)])
    for _ in range(scenes):
        world = random_world(rng, count=int(rng.integers(2, 5)), twins=1)
        amount = amount_of(world, rng, operation, magnitude)
        goal = edited(world.target, operation, amount)
        scenes_after = {
            "perfect": world.with_change(goal),
            "untouched": world.things,
            "wrong": world.with_change(edited(world.things[1], operation, amount), index=1),
        }
        for _ in range(repeats):
            before = world.seen(world.things, NOISE, rng)
            case = case_of(world, operation, goal, before=before, after=[])
            for name, things in scenes_after.items():
                _count(found, name, seen_again(case, world.seen(things, NOISE, rng)))
    return found


def _count(found: Found, name: str, case: Case) -> None:
    for profile, rate in found.items():
        setattr(rate, name, getattr(rate, name) + int(judge(case, profile).compliance > 0))


def _row(operation: str, magnitude: float, found: Found) -> str:
    size = UNITS[operation].format(magnitude)
    cells = [
        f"{100 * count / rate.trials:.1f}"
        for rate in found.values()
        for count in (rate.perfect, rate.untouched, rate.wrong)
    ]
    return f"| {operation} | {size} | " + " | ".join(cells) + " |"


def _smallest(operation: str, table: Sequence[tuple[float, Found]], profile: Profile) -> str:
    """The magnitude from which on all larger ones can be told; a scale has one on either side of 1."""

    def from_here(side: list[tuple[float, bool]]) -> str:
        told = None
        for magnitude, tells in reversed(side):
            if not tells:
                break
            told = magnitude
        return "none" if told is None else UNITS[operation].format(told)

    answers = [(magnitude, found[profile].tells) for magnitude, found in table]
    if operation == "remove":
        return "yes" if answers[0][1] else "none"
    if operation != "scale":
        return from_here(answers)
    return f"{from_here([a for a in reversed(answers) if a[0] < 1])}, {from_here([a for a in answers if a[0] > 1])}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=100, help="scenes for each magnitude")
    parser.add_argument("--repeats", type=int, default=10, help="looks at each scene")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    trials = options.scenes * options.repeats
    width = 100 * max(0.5 - binomtest(ceil(trials / 2), trials).proportion_ci(0.95).low, 0)
    print(f"{trials} trials a row, seed {options.seed}; a rate is known to ± {width:.1f} points at worst (95%).\n")
    print("| operation | size | official: power | untouched | wrong object | fair: power | untouched | wrong object |")
    print("|---|---|---|---|---|---|---|---|")
    tables: dict[str, list[tuple[float, Found]]] = {}
    rows = [(operation, magnitude) for operation, magnitudes in MAGNITUDES.items() for magnitude in magnitudes]
    measure = partial(rates, scenes=options.scenes, repeats=options.repeats, seed=options.seed)
    with ProcessPoolExecutor(options.processes) as pool:
        for (operation, magnitude), found in zip(rows, pool.map(measure, *zip(*rows, strict=True)), strict=True):
            tables.setdefault(operation, []).append((magnitude, found))
            print(_row(operation, magnitude, found), flush=True)
    print("\n| smallest edit told from none | " + " | ".join(tables) + " |")
    print("|---|" + "---|" * len(tables))
    for profile in PROFILES:
        cells = [_smallest(operation, table, profile) for operation, table in tables.items()]
        print(f"| `{profile.name}` | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
