"""Options and arguments that many commands take."""

from typing import Annotated

import typer

Url = Annotated[
    str,
    typer.Option("--url", help="Address of the service. Else GSI_URL, else the stack that runs in this folder."),
]
Token = Annotated[str, typer.Option("--token", help="Your token. Else GSI_TOKEN, else the one `gsi login` saved.")]
Json = Annotated[bool, typer.Option("--json", help="Write the result as JSON, for programs.")]
Benchmark = Annotated[str, typer.Option("--benchmark", help="Which benchmark the images belong to.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The submission's id, as `gsi submit` printed it.")]
