"""Templates with escaping always on; an unknown name in a template is an error, not an empty string."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from frontend import present


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("frontend", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"number": present.number, "day": present.day, "clock": present.clock}
    made.globals |= {
        "access_badge": present.access_badge,
        "duration": present.duration,
        "dimension_label": present.dimension_label,
        "dimension_title": present.dimension_title,
        "operation_title": present.operation_title,
        "protocol_title": present.protocol_title,
        "percent": present.percent,
        "provenance_badge": present.provenance_badge,
        "run_word": present.run_word,
        "score_cell": present.score_cell,
        "state_badge": present.state_badge,
        "terminal_states": present.TERMINAL,
    }
    return made


def render(template: str, /, **context: Any) -> str:
    """HTML of a template in frontend/templates."""
    return _environment().get_template(template).render(**context)
