from __future__ import annotations

import pytest

from scorer.operations.parsing import parse_operation


def test_every_instruction_is_read_as_by_the_official_parser(cases):
    for case in cases("operation"):
        if case["prompt"] is None:
            continue  # a sample without a prompt: our manifest refuses it before
        if "exception" in case:
            with pytest.raises(ValueError):
                parse_operation(case["prompt"])
        else:
            assert parse_operation(case["prompt"]) == case["value"], case["id"]
