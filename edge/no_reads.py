"""`beltkeeper no-reads`: why labels are not read, counted over a line's archive; and with ``--again`` which
of its pictures the pipeline of today reads, and on which rung of its ladder."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

from drivers.streams.frame_sources import one_core
from drivers.streams.picture_files import pixels_of
from drivers.streams.strange_files import without_remarks
from drivers.vision.ladder import CodeSeen, Ladder
from edge.model.ids import ReaderId
from edge.reading_rules import line_rules
from edge.store.inbox_reader import InboxReader
from edge.store.journal_reader import JournalReader
from edge.store.no_reads import KnownPicture, NoReadKind, count_bodies, counted, known
from edge.store.pictures import MAX_PICTURES, PictureArchive
from edge.store.places import Places
from line_config.description import LineDescription
from line_config.model import CameraSettings
from line_config.reading import cause_texts

HEAD = {
    "en": "No-reads of line {line}: {pictures} pictures in {folder}",
    "zh": "产线 {line} 的未读：{folder} 中有 {pictures} 张照片",
}
COLUMNS = {
    "en": ("pictures", "camera", "carrier", "customer", "cause"),
    "zh": ("张数", "相机", "快递", "客户", "原因"),
}
AGAIN = {
    "en": "{read} of {pictures} are read today:",
    "zh": "其中 {read} 张（共 {pictures} 张）如今能读出：",
}
AGAIN_COLUMNS = {
    "en": ("track", "camera", "rung", "symbology", "code", "keyed by a person"),
    "zh": ("包裹", "相机", "阶段", "码制", "条码", "人工录入"),
}


class Archive:
    """One line's pictures, and its record. Every call may raise ``StoreUnreadable``."""

    def __init__(self, line: LineDescription, data: Path) -> None:
        places = Places(data)
        cameras = [port.reader for port in line.scanners if isinstance(port.connection, CameraSettings)]
        self.folder = places.pictures
        self._line = line
        self._archive = PictureArchive(places.pictures, cameras)
        self._journal = JournalReader(places.journal)
        self._inbox = InboxReader(places.inbox)

    def close(self) -> None:
        self._journal.close()
        self._inbox.close()

    def pictures(self) -> Iterator[KnownPicture]:
        """Of each camera, the latest first. One at a time: an archive may hold more than memory."""
        return known(self._archive.newest(MAX_PICTURES), self._journal, self._inbox)

    def again(self, pictures: Iterable[KnownPicture]) -> Iterator[tuple[KnownPicture, tuple[CodeSeen, ...]]]:
        """What counts today and did not when a picture was taken. As a camera of the line, but with every
        effort: without a budget in time."""
        one_core()
        ladder = Ladder(line_rules(self._line.file.reading), budget_us=None)
        for one in pictures:
            jpeg = self._archive.jpeg(ReaderId(one.note.reader), one.note.track)
            with without_remarks():
                pixels = None if jpeg is None else pixels_of(jpeg)
            if pixels is None:
                continue
            before = {(code.symbology, code.text, code.hex) for code in one.note.codes if code.why}
            now = tuple(code for code in ladder.read(pixels).codes if code.why and _key(code) not in before)
            if now:
                yield one, now


def _key(code: CodeSeen) -> tuple[Any, str, str]:
    one = code.sighting
    return one.symbology, one.text, one.data.hex() if one.binary else ""


def tell_no_reads(
    line: LineDescription, data: Path, language: str, json_to: str | None, *, again: bool
) -> None:
    """For people, unless the JSON goes to stdout. Raises ``StoreUnreadable``, ``OSError``."""
    archive = Archive(line, data)
    try:
        counts = counted(archive.pictures())
        total = sum(number for _, number in counts)
        read = list(archive.again(_watched(archive.pictures(), total))) if again else None
    finally:
        archive.close()
    if json_to is not None:
        _write(_as_json(total, counts, read), json_to)
    if json_to != "-":
        out = Console()
        head = HEAD[language].format(line=line.topology.line_id, pictures=total, folder=archive.folder)
        out.print(head, markup=False, soft_wrap=True)
        if counts:
            out.print(_counts_table(counts, language))
        if read is not None:
            out.print(AGAIN[language].format(read=len(read), pictures=total), markup=False)
            if read:
                out.print(_read_table(read, language))


def _watched(pictures: Iterable[KnownPicture], total: int) -> Iterable[KnownPicture]:
    """With a bar for whoever waits at a terminal."""
    return track(
        pictures,
        "",
        total=total,
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )


def _write(found: dict[str, Any], json_to: str) -> None:
    text = json.dumps(found, ensure_ascii=False, indent=1) + "\n"
    if json_to == "-":
        sys.stdout.write(text)
    else:
        Path(json_to).write_text(text, encoding="utf-8")


Read = tuple[KnownPicture, tuple[CodeSeen, ...]]


def _as_json(
    pictures: int, counts: Sequence[tuple[NoReadKind, int]], read: Sequence[Read] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "pictures": pictures,
        "counts": count_bodies(counts),
    }
    if read is not None:
        found["again"] = [_again_json(one, codes) for one, codes in read]
    return found


def _again_json(one: KnownPicture, codes: Sequence[CodeSeen]) -> dict[str, Any]:
    return {
        "track": one.note.track,
        "reader": one.note.reader,
        "keyed": one.waybill,
        "codes": [_code_json(code) for code in codes],
    }


def _code_json(code: CodeSeen) -> dict[str, Any]:
    """``bytes`` in hex where they are no text, as ``beltkeeper read`` has them."""
    found: dict[str, Any] = {
        "text": code.sighting.text,
        "symbology": code.sighting.symbology.value,
        "engines": sorted(engine.value for engine in code.engines),
        "rung": code.rung.value,
        "why": code.why,
    }
    if code.sighting.binary:
        found["bytes"] = code.sighting.data.hex()
    return found


def _table(heads: Sequence[str]) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    table.add_column(heads[0], justify="right", no_wrap=True)
    for head in heads[1:]:
        table.add_column(head, overflow="fold")
    return table


def _counts_table(counts: Sequence[tuple[NoReadKind, int]], language: str) -> Table:
    table, texts = _table(COLUMNS[language]), cause_texts(language)
    for kind, number in counts:
        cells = (str(number), kind.reader, kind.carrier or "–", kind.customer_code or "–", texts[kind.cause])
        table.add_row(*map(Text, cells))
    return table


def _read_table(read: Sequence[Read], language: str) -> Table:
    table = _table(AGAIN_COLUMNS[language])
    for one, codes in read:
        for code in codes:
            told = code.sighting
            cells = (str(one.note.track), one.note.reader, code.rung.value, told.symbology.value)
            table.add_row(*map(Text, (*cells, told.text or told.data.hex(), one.waybill or "–")))
    return table
