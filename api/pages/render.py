"""Templates to answers: language, headers, static files by name."""

from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.http.problems import Problem, Slug, negotiated_language
from api.pages.texts import LANGUAGES, TEXTS, Language

COOKIE: Final = "bk_lang"
POLICY: Final = (
    "default-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
"""Nothing from elsewhere, no inline script or style."""
STATIC: Final = {
    "coding.js": "text/javascript; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
}
"""Every file there is, by name; a path is never joined."""

_pages: Final = Environment(
    loader=PackageLoader("api.pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language_of(request: Request) -> Language:
    """Asked for now (``lang``), else before (the cookie), else by the browser."""
    asked = request.query_params.get("lang") or request.cookies.get(COOKIE, "")
    for language in LANGUAGES:
        if asked == language:
            return language
    return "zh" if negotiated_language(request.headers.get("accept-language", "")) == "zh-CN" else "en"


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """One page. The language asked for is remembered by the browser."""
    language = language_of(request)
    text = _pages.get_template(template).render(t=TEXTS[language], language=language, **values)
    answer = HTMLResponse(
        text,
        status_code=status,
        headers={
            "Content-Security-Policy": POLICY,
            "Content-Language": language,
            "Vary": "Accept-Language, Cookie",
        },
    )
    if request.query_params.get("lang") == language:
        answer.set_cookie(COOKIE, language, max_age=31_536_000, httponly=True, samesite="strict")
    return answer


def from_our_page(request: Request) -> None:
    """A browser sends its Basic key wherever a form points: only our own pages may change anything
    (Fetch Metadata, and Origin where it is missing). Raises ``Problem``."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "").partition("://")[2]
    if site != "same-origin" and (site or origin != request.headers.get("host", "")):
        raise Problem(Slug.FORBIDDEN)


def static(name: str) -> Response:
    """Raises ``Problem`` for a name that is no file of ours."""
    kind = STATIC.get(name)
    if kind is None:
        raise Problem(Slug.NOT_FOUND)
    content = files("api.pages").joinpath("static", name).read_bytes()
    return Response(content, headers={"Content-Type": kind, "Content-Security-Policy": POLICY})
