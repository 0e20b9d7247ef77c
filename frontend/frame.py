"""The HTML frame of every page: head, first paint, foot; and answers made of it."""

import re
from functools import cache
from importlib.resources import files

from markupsafe import escape
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from frontend.errors import ClientError
from frontend.render import render
from frontend.theme import style_sheet
from frontend.views.page import Page, problem_page

STAND_IN = "site.invalid"  # the host that Gradio is told (RFC 2606); `decorate` takes it out again
_LINKS = (
    ("/", "Leaderboard"),
    ("/submit", "Submit"),
    ("/submissions", "My submissions"),
    ("/account", "Account"),
    ("/about", "About"),
)
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%2317566b' "
    "stroke-width='2' stroke-linejoin='round'%3E%3Cpath d='M12 2.5 20.5 7v10L12 21.5 3.5 17V7Z'/%3E"
    "%3Cpath d='M3.5 7 12 11.6 20.5 7M12 11.6v9.9'/%3E%3C/svg%3E"
)


def respond(html: str, *, status: int, uploads_to: str = "") -> Response:
    """An answer of HTML that no cache keeps and no other site may frame.

    `uploads_to` is the one other origin that its scripts may talk to; empty: none.
    """
    talks_to = f"; connect-src 'self' {uploads_to}" if uploads_to else ""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY + talks_to,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status_code=status, headers=headers)


def content(page: Page) -> str:
    """A page's body as it stands in the document and as the live updates deliver it."""
    return f'<div id="content" tabindex="-1">{page.body}</div>'


@cache
def _script() -> str:
    return files("frontend").joinpath("assets/site.js").read_text(encoding="utf-8")


def _head(page: Page) -> str:
    return (
        f"<title>{escape(page.title)} · GSI-Bench</title>"
        f'<meta name="description" content="{escape(page.description)}">'
        f'<link rel="icon" href="{_ICON}">'
        f"<script>{_script()}</script>"
    )


def decorate(html: str, *, page: Page, path: str) -> str:
    """Gradio's page with our head, first paint and foot. Our style sheet goes last so that it decides."""
    html = re.sub(r'<meta\s+(?:property="og:|name="twitter:)[^>]*?/>\s*', "", html)
    html = html.replace('<link rel="manifest" href="/manifest.json" />', "")
    # Where the site is, the browser knows best; a request's headers may lie.
    html = html.replace(f'"http://{STAND_IN}"', "location.origin").replace(f"http://{STAND_IN}/", "/")
    html = html.replace('control_page_title="true"', 'control_page_title="false"')
    html = html.replace("<head>", "<head>" + _head(page), 1)
    html = html.replace("</head>", f"<style>{style_sheet()}</style></head>", 1)
    before = f'{render("header.html", links=_LINKS, path=path)}<main id="first-paint">{content(page)}</main>'
    html = html.replace("<gradio-app", before + "<gradio-app", 1)
    return html.replace("</body>", render("footer.html") + "</body>", 1)


def _alone(page: Page, scope: Scope) -> str:
    """A page without Gradio, for errors."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{_head(page)}<style>{style_sheet()}</style></head>"
        f"<body>{render('header.html', links=_LINKS, path=scope['path'])}<main>{content(page)}</main>"
        f"{render('footer.html')}</body></html>"
    )


def refuse(error: ClientError, scope: Scope, *, headers: dict[str, str] | None = None) -> Response:
    """An error as a page of the site; as a problem document (RFC 9457) to a client that asks for JSON and not HTML."""
    page = problem_page(error)
    answer = (
        _problem(error, status=page.status) if wants_json(scope) else respond(_alone(page, scope), status=page.status)
    )
    answer.headers.update({"Vary": "Accept", **(headers or {})})
    return answer


def wants_json(scope: Scope) -> bool:
    """Whether the request's Accept header names JSON and does not name HTML."""
    accept = Headers(scope=scope).get("accept", "")
    return "json" in accept and "html" not in accept


def _problem(error: ClientError, *, status: int) -> JSONResponse:
    members = {"detail": error.detail, "remedy": error.remedy}
    body = {"title": error.title, "status": status, "code": error.code, **{k: v for k, v in members.items() if v}}
    return JSONResponse(
        body, status_code=status, headers={"Cache-Control": "no-store"}, media_type="application/problem+json"
    )


def no_such_page() -> ClientError:
    """The error for an address that leads nowhere."""
    return ClientError(
        code="no_such_page",
        title="There is no such page",
        remedy="Check the address, or begin at the leaderboard.",
        status=404,
    )


def broken() -> ClientError:
    """The error for a fault of the site itself."""
    return ClientError(
        code="site_fault",
        title="The site could not show this page",
        remedy="It is our fault and has been noted. Try again in a minute; /plain has the boards as plain tables.",
        status=500,
    )


def refuse_method(scope: Scope, *, allowed: str) -> Response:
    """OPTIONS is answered with what is allowed, any other method refused with it (RFC 9110, 9.3.7 and 15.5.6).

    `allowed` is GET (HEAD comes with it) or POST.
    """
    allow = {"Allow": "GET, HEAD, OPTIONS" if allowed == "GET" else f"{allowed}, OPTIONS"}
    if scope["method"] == "OPTIONS":
        return Response(status_code=204, headers=allow)
    error = ClientError(
        code="method_not_allowed",
        title="This address does not take that method",
        detail=f"It takes {allow['Allow']}.",
        status=405,
    )
    return refuse(error, scope, headers=allow)
