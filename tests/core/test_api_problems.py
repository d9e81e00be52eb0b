"""One body for every error; languages by Accept-Language."""

import re

import pytest
from starlette.datastructures import Headers

from api.csv_cells import Words
from api.http.answers import _OUTCOMES, _REFUSALS, problem_of
from api.http.problems import KINDS, FieldError, Problem, Slug, negotiated_language
from api.intake import Outcome, Refusal, Refused, Taken
from edge.model.ids import InboxSeq


def test_every_slug_has_a_status_and_a_title_in_both_languages() -> None:
    assert set(KINDS) == set(Slug)
    for slug, kind in KINDS.items():
        assert re.fullmatch(r"[a-z_]+", slug)
        assert 400 <= kind.status < 600
        assert kind.en
        assert re.search(r"[\u4e00-\u9fff]", kind.zh)


def test_titles_tell_problems_apart() -> None:
    for language in ("en", "zh"):
        titles = [getattr(kind, language) for kind in KINDS.values()]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("zh", "zh-CN"),
        ("zh-CN", "zh-CN"),
        ("zh-Hans-CN;q=0.3, en;q=0.2", "zh-CN"),
        ("en;q=0.9, zh;q=0.9", "en"),
        ("en;q=0.1, ZH;q=0.2", "zh-CN"),
        ("fr, de", "en"),
        ("*", "en"),
        ("zh;q=0", "en"),
        ("zh;q=nan", "en"),
        ("zh;q=inf", "en"),
        ("zh;q=-1, en", "en"),
        ("zh;q=", "en"),
        (",;;,=,", "en"),
        ("a," * 5_000 + "zh", "en"),
    ],
)
def test_languages(accept: str, language: str) -> None:
    assert negotiated_language(accept) == language


def test_a_whole_body() -> None:
    problem = Problem(
        Slug.FIELDS_INVALID,
        "two fields",
        errors=(FieldError(loc=("parcels", 0, "lines"), msg=Words(en="too short", zh="太短")),),
        retry_after_s=3,
        headers={"Location": "/there"},
        more={"version": 4},
    )
    answer = problem.response(Headers({"accept-language": "zh"}))
    assert problem.body("zh-CN") == {
        "type": "urn:beltkeeper:problem:fields_invalid",
        "title": "部分字段无效",
        "status": 422,
        "detail": "two fields",
        "errors": [{"loc": ["parcels", 0, "lines"], "msg": "太短"}],
        "version": 4,
    }
    assert answer.status_code == 422
    assert dict(answer.headers) | {"content-length": ""} == {
        "content-language": "zh-CN",
        "vary": "Accept-Language",
        "location": "/there",
        "retry-after": "3",
        "content-type": "application/problem+json",
        "content-length": "",
    }


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_is_an_answer_or_a_problem(outcome: Outcome) -> None:
    taken = Taken(outcome=outcome, repeated=False, inbox_seq=InboxSeq(0), version=0, detail="")
    good = outcome in (Outcome.STORED, Outcome.UNCHANGED)
    assert (problem_of(taken) is None) == good
    assert set(_OUTCOMES) == set(Outcome)


@pytest.mark.parametrize("refusal", Refusal)
def test_each_refusal_is_a_client_error(refusal: Refusal) -> None:
    problem = problem_of(Refused(refusal=refusal, detail="why"))
    assert problem is not None
    assert KINDS[problem.slug].status in (413, 422)
    assert set(_REFUSALS) == set(Refusal)
