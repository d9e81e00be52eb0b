"""One body for every error: RFC 9457 problem details, titles in zh-CN and en.

``type`` is ``urn:beltkeeper:problem:<slug>``; slugs are stable and listed in docs/api.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from api.csv_cells import CellError, Words

PROBLEM_MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:beltkeeper:problem:"


class Slug(StrEnum):
    """Stable names of what can be wrong with a request, or with us."""

    JSON_MALFORMED = "json_malformed"
    FIELDS_INVALID = "fields_invalid"
    CSV_INVALID = "csv_invalid"
    BODY_TOO_LARGE = "body_too_large"
    BODY_TIMEOUT = "body_timeout"
    MEDIA_TYPE = "media_type_unsupported"
    REQUEST_MALFORMED = "request_malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    PATH_DISAGREES = "path_disagrees"
    KEY_DISAGREES = "idempotency_key_disagrees"
    MULTI_PARCEL = "multi_parcel_unsupported"
    BATCH_TOO_LARGE = "batch_too_large"
    DOUBLED = "doubled"
    MESSAGE_ID_REUSED = "message_id_reused"
    VERSION_STALE = "version_stale"
    WAYBILL_TAKEN = "waybill_taken"
    ORDER_UNKNOWN = "order_unknown"
    ORDER_CANCELLED = "order_cancelled"
    PLAN_UNKNOWN = "plan_unknown"
    CHUTE_UNKNOWN = "chute_unknown"
    CHUTE_NOT_SHIPPING = "chute_not_shipping"
    SUBJECT_INVALID = "subject_invalid"
    CODES_DIFFER = "codes_differ"
    CODE_UNCHECKED = "code_unchecked"
    CANCEL_UNKNOWN = "cancel_unknown"
    PARCEL_UNKNOWN = "parcel_unknown"
    PICTURE_UNKNOWN = "picture_unknown"
    CURSOR_AHEAD = "cursor_ahead"
    CANCEL_PENDING = "cancel_pending"
    TOO_MANY_REQUESTS = "too_many_requests"
    OVERLOADED = "overloaded"
    STORE_UNAVAILABLE = "store_unavailable"
    LINE_DOWN = "line_down"
    INTERNAL = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Status and title of a problem, the same at every occurrence (RFC 9457 section 3.1.3)."""

    status: int
    en: str
    zh: str


KINDS: dict[Slug, Kind] = {
    Slug.JSON_MALFORMED: Kind(status=400, en="The body is not well-formed JSON", zh="请求体不是合法的 JSON"),
    Slug.FIELDS_INVALID: Kind(status=422, en="Some fields are not valid", zh="部分字段无效"),
    Slug.CSV_INVALID: Kind(
        status=422, en="Nothing was imported: some cells are wrong", zh="未导入任何内容：部分单元格有误"
    ),
    Slug.BODY_TOO_LARGE: Kind(status=413, en="The body is too large", zh="请求体过大"),
    Slug.BODY_TIMEOUT: Kind(status=408, en="The body did not arrive in time", zh="请求体未能按时到达"),
    Slug.MEDIA_TYPE: Kind(
        status=415, en="The body has another media type than is wanted here", zh="请求体的媒体类型不符"
    ),
    Slug.REQUEST_MALFORMED: Kind(status=400, en="The HTTP request is malformed", zh="HTTP 请求格式错误"),
    Slug.UNAUTHENTICATED: Kind(status=401, en="A valid API key is needed", zh="需要有效的 API 密钥"),
    Slug.FORBIDDEN: Kind(status=403, en="This key may not do that", zh="该密钥无此权限"),
    Slug.NOT_FOUND: Kind(status=404, en="There is nothing at this address", zh="该地址不存在"),
    Slug.METHOD_NOT_ALLOWED: Kind(status=405, en="This method is not allowed here", zh="该地址不支持此方法"),
    Slug.PATH_DISAGREES: Kind(
        status=422, en="The path and the body name different things", zh="路径与请求体中的编号不一致"
    ),
    Slug.KEY_DISAGREES: Kind(
        status=422,
        en="Idempotency-Key and message_id are not the same",
        zh="Idempotency-Key 与 message_id 不一致",
    ),
    Slug.MULTI_PARCEL: Kind(
        status=422,
        en="Orders of more than one parcel are not supported yet",
        zh="暂不支持一单多件",
    ),
    Slug.BATCH_TOO_LARGE: Kind(status=422, en="The batch is too large", zh="批量条数超限"),
    Slug.DOUBLED: Kind(status=422, en="One thing is named twice in one message", zh="同一消息中有重复项"),
    Slug.MESSAGE_ID_REUSED: Kind(
        status=409, en="This message id was used with another body", zh="该消息编号已用于不同内容"
    ),
    Slug.VERSION_STALE: Kind(
        status=409,
        en="That version or a newer one is known, with other content",
        zh="该版本或更新的版本已存在且内容不同",
    ),
    Slug.WAYBILL_TAKEN: Kind(
        status=409, en="The waybill belongs to another order", zh="该运单号属于其他订单"
    ),
    Slug.ORDER_UNKNOWN: Kind(status=404, en="No such order", zh="订单不存在"),
    Slug.ORDER_CANCELLED: Kind(status=409, en="The order is cancelled", zh="订单已取消"),
    Slug.PLAN_UNKNOWN: Kind(status=404, en="No such sort plan in that version", zh="该版本的分拣方案不存在"),
    Slug.CHUTE_UNKNOWN: Kind(status=422, en="The line has no such chute", zh="产线没有该格口"),
    Slug.CHUTE_NOT_SHIPPING: Kind(
        status=422, en="A sort plan may name shipping chutes only", zh="分拣方案只能使用发货格口"
    ),
    Slug.SUBJECT_INVALID: Kind(
        status=422, en="The command's subject is missing or not wanted", zh="命令对象缺失或多余"
    ),
    Slug.CODES_DIFFER: Kind(status=422, en="The code was not typed twice alike", zh="两次录入的条码不一致"),
    Slug.CODE_UNCHECKED: Kind(
        status=422,
        en="Typed once, a code must fit a carrier of this line and have an order: type it twice",
        zh="只录入一次的条码须符合本线承运商规则且有订单，请录入两次",
    ),
    Slug.CANCEL_UNKNOWN: Kind(status=404, en="No cancel with this message id", zh="没有该编号的取消请求"),
    Slug.PICTURE_UNKNOWN: Kind(status=404, en="There is no such picture", zh="没有这张照片"),
    Slug.PARCEL_UNKNOWN: Kind(
        status=404, en="No parcel with this waybill is on record", zh="没有该运单号的包裹记录"
    ),
    Slug.CURSOR_AHEAD: Kind(
        status=409,
        en="The record has no such row yet: the cursor is of another record",
        zh="记录中尚无此序号，游标不属于本记录",
    ),
    Slug.CANCEL_PENDING: Kind(
        status=503,
        en="The cancel is in force; its outcome is not known yet",
        zh="取消已生效，结果稍后可查",
    ),
    Slug.TOO_MANY_REQUESTS: Kind(status=429, en="Too many requests of this key", zh="该密钥的请求过多"),
    Slug.OVERLOADED: Kind(status=503, en="Too busy, try again", zh="系统繁忙，请稍后重试"),
    Slug.STORE_UNAVAILABLE: Kind(status=503, en="The store cannot be used", zh="存储不可用"),
    Slug.LINE_DOWN: Kind(status=503, en="The line process does not answer", zh="产线进程无响应"),
    Slug.INTERNAL: Kind(status=500, en="Our fault; it is in the log", zh="内部错误，已记录日志"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """Where in the body (or path) something is wrong, and what."""

    loc: tuple[str | int, ...]
    msg: Words


class Problem(Exception):
    """Raised anywhere in a request; becomes its one answer."""

    def __init__(
        self,
        slug: Slug,
        detail: str = "",
        *,
        errors: tuple[FieldError, ...] = (),
        cells: tuple[CellError, ...] = (),
        retry_after_s: int | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, str | int] | None = None,
    ) -> None:
        super().__init__(slug)
        self.slug = slug
        self.detail = detail
        self.errors = errors
        self.cells = cells
        self.retry_after_s = retry_after_s
        self.headers = headers or {}
        self.more = more or {}

    def body(self, language: str) -> dict[str, Any]:
        """The problem object; ``language`` is ``zh-CN`` or ``en``."""
        kind = KINDS[self.slug]
        body: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": kind.zh if language == "zh-CN" else kind.en,
            "status": kind.status,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = [{"loc": list(e.loc), "msg": e.msg.told_in(language)} for e in self.errors]
        if self.cells:
            body["cells"] = [
                {"row": c.row, "column": c.column, "value": c.value, "do": c.do.told_in(language)}
                for c in self.cells
            ]
        return body | self.more

    def response(self, headers: Headers) -> JSONResponse:
        """The answer to a request that came with ``headers``."""
        language = negotiated_language(headers.get("accept-language", ""))
        answer = JSONResponse(
            self.body(language),
            status_code=KINDS[self.slug].status,
            media_type=PROBLEM_MEDIA_TYPE,
            headers={"Content-Language": language, "Vary": "Accept-Language", **self.headers},
        )
        if self.retry_after_s is not None:
            answer.headers["Retry-After"] = str(self.retry_after_s)
        return answer


MAX_LANGUAGE_RANGES = 8
"""Ranges looked at; a longer header is cut, not refused."""


def negotiated_language(accept: str) -> str:
    """``zh-CN`` or ``en`` (RFC 9110 section 12.5.4); ``en`` where neither is asked for."""
    best, best_q = "en", 0.0
    for part in accept.split(",")[:MAX_LANGUAGE_RANGES]:
        tag, _, params = part.strip().partition(";")
        quality = _quality(params)
        primary = tag.strip().lower().split("-")[0]
        if primary in ("zh", "en") and quality > best_q:
            best, best_q = ("zh-CN" if primary == "zh" else "en"), quality
    return best


def _quality(params: str) -> float:
    name, _, value = params.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
