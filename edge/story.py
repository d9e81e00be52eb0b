"""One parcel's whole way, told from the record: every step with time, values, rule and versions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.model.ids import OrderNo, TrackId, Waybill
from edge.model.verdict import Reason
from edge.store.journal_reader import JournalReader
from edge.store.journal_types import JournalRow, ParcelRow, ReviewRow
from edge.store.places import Places
from line_config.description import LineDescription
from line_config.record import record_words

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TITLE = {"en": "Parcel {track} · waybill {waybill}", "zh": "包裹 {track} · 面单 {waybill}"}
COLUMNS = {"en": ("row", "time", "+ms", "what", "values"), "zh": ("行", "时间", "+毫秒", "事件", "数值")}
NOT_FOUND = {
    "en": "no parcel {key} on record in {folder}: give a waybill or a track number",
    "zh": "{folder} 的记录中没有包裹 {key}：请输入面单号或包裹编号",
}
REVIEW = {
    "en": {
        "head": "Review of order {order} by slip {slip} at {bench}: {state}{reason}",
        "open": "open",
        "interrupted": "interrupted",
        "failed": "failed",
        "passed": "passed, on its way to packing",
        "released": "passed",
        "unconfirmed": "passed, but not seen on its way to packing",
        "reopened": "to be done anew",
        "missing": "  missing: ",
        "extra": "  extra: ",
    },
    "zh": {
        "head": "订单 {order} 复核（配货单 {slip}，{bench}）：{state}{reason}",
        "open": "进行中",
        "interrupted": "已中断",
        "failed": "不符",
        "passed": "相符，正送往打包",
        "released": "通过",
        "unconfirmed": "相符，但未见送往打包",
        "reopened": "须重新复核",
        "missing": "  缺少：",
        "extra": "  多出：",
    },
}
END = {"en": "Ended as {reason}: {text}", "zh": "结果 {reason}：{text}"}


def parcels_of(reader: JournalReader, key: str) -> tuple[ParcelRow, ...]:
    """By waybill (several passes are possible), else by track number."""
    found = reader.parcels(Waybill(key))
    if not found and key.isascii() and key.isdigit():
        one = reader.parcel(TrackId(int(key)))
        found = () if one is None else (one,)
    return found


def _told(values: Iterable[tuple[str, str]]) -> str:
    """On one line, but for what is explained in words: that has a line of its own."""
    lines = [""]
    for name, text in values:
        if ": " in text:
            lines += [f"{name}={text}", ""]
        else:
            lines[-1] += f" {name}={text}"
    return "\n".join(line.strip() for line in lines if line)


def _clock(row: JournalRow, zone: ZoneInfo) -> str:
    if row.utc_us is None:
        return ""
    return (EPOCH + timedelta(microseconds=row.utc_us)).astimezone(zone).strftime("%m-%d %H:%M:%S.%f")[:-3]


def story_table(
    rows: tuple[JournalRow, ...], parcel: ParcelRow, line: LineDescription, language: str
) -> Table:
    """Every row of the parcel: sequence, wall time, milliseconds since its induction, what, values."""
    zone = ZoneInfo(line.topology.timezone)
    title = TITLE[language].format(track=parcel.track, waybill=parcel.waybill or "–")
    table = Table(title=Text(title), title_justify="left", show_edge=False, pad_edge=False)
    row_head, time_head, since_head, what_head, values_head = COLUMNS[language]
    table.add_column(row_head, justify="right", no_wrap=True)
    table.add_column(time_head, no_wrap=True)
    table.add_column(since_head, justify="right", no_wrap=True)
    table.add_column(what_head, no_wrap=True)
    table.add_column(values_head, overflow="fold")
    words = record_words(language)
    reason = partial(reason_text, line, language=language)
    for row in rows:
        since_ms = (row.at_us - parcel.inducted_at_us) // 1000
        told = _told(words.values(row.item(), reason))
        table.add_row(str(row.seq), _clock(row, zone), str(since_ms), words.step(row.kind), Text(told))
    return table


def reason_text(line: LineDescription, reason: str, language: str) -> str:
    """The reason in words for operators, from ``reasons.yaml``."""
    for entry in line.reasons:
        if entry.reason.value == reason:
            return entry.text.zh if language == "zh" else entry.text.en
    return reason


def review_text(review: ReviewRow, line: LineDescription, language: str) -> str:
    """What the review of its order came to, in one paragraph."""
    words = REVIEW[language]
    told = review.reason not in (None, Reason.OK)
    reason = reason_text(line, str(review.reason), language) if told else ""
    parts = [
        words["head"].format(
            order=review.order_no,
            slip=review.slip,
            bench=review.bench,
            state=words[review.state.value],
            reason=f" · {reason}" if reason else "",
        )
    ]
    for name, some in (("missing", review.missing), ("extra", review.extra)):
        if some:
            parts.append(words[name] + ", ".join(f"{one.sku or one.code} × {one.qty}" for one in some))
    return "\n".join(parts)


def tell_parcel(
    data: Path, line: LineDescription, key: str, language: str, console: Console | None = None
) -> bool:
    """Print the review of its order and the way of every parcel of that key, which may be an order's number
    too; False when the record has none."""
    out = console or Console()
    reader = JournalReader(Places(data).journal)
    try:
        review = reader.review_of(Waybill(key)) or reader.review(OrderNo(key))
        if review is not None:
            out.print(review_text(review, line, language), markup=False)
        parcels = parcels_of(reader, review.waybill if review is not None else key)
        for parcel in parcels:
            out.print(story_table(reader.story(TrackId(parcel.track)), parcel, line, language))
            reason = parcel.exit_reason or parcel.decided_reason
            if reason:
                text = reason_text(line, reason, language)
                out.print(END[language].format(reason=reason, text=text), markup=False)
    finally:
        reader.close()
    if not parcels and review is None:
        out.print(NOT_FOUND[language].format(key=key, folder=data), markup=False)
    return bool(parcels) or review is not None
