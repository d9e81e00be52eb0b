"""`beltkeeper read`: the reading pipeline on picture files, with every effort.

The answer is a list, one entry for each path as given: ``image``, ``codes`` (``text``, ``symbology``,
``engines``, ``agreed``; ``bytes`` in hex where they are not the text in UTF-8), ``ms``, and ``why`` where
nothing counts.
"""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from drivers.streams.frame_sources import MAX_PIXELS, one_core, read_picture
from drivers.streams.strange_files import is_too_large, without_remarks
from drivers.vision.agreement import ReadRules, goods_numbers
from drivers.vision.engines import zbar_missing
from drivers.vision.ladder import CodeSeen, Ladder, PictureRead
from edge.model.codes import Symbology

SYMBOLOGIES = tuple(one for one in Symbology if one is not Symbology.UNKNOWN)
ESCAPED = "backslashreplace"
"""Of bytes in a path that are no UTF-8 it makes what JSON has for them too: ``\\udcff`` is read back as the
same path."""
BARCODE = "barcode"
"""The column of a goods list that counts."""
MAX_GOODS = 1_000_000
ENCODINGS = ("utf-8-sig", "gb18030")
"""The second is a superset of GBK, in which a Chinese Excel saves CSV."""


class WrongOptions(Exception):
    """One sentence: which option, what is wrong with it, what is allowed."""


def symbologies_of(words: Sequence[str]) -> frozenset[Symbology]:
    """``code128,qr`` and the like, several times; none given: all. Raises ``WrongOptions``."""
    given = [word.strip() for one in words for word in one.split(",") if word.strip()]
    known = {one.value: one for one in SYMBOLOGIES}
    for word in given:
        if word not in known:
            raise WrongOptions(f"--symbologies {word}: no such symbology; known: {', '.join(known)}")
    return frozenset(known[word] for word in given) or frozenset(SYMBOLOGIES)


def goods_of(path: Path) -> frozenset[str]:
    """The ``barcode`` column of a CSV file with a head, in UTF-8 or GBK. Raises ``WrongOptions``."""
    for encoding in ENCODINGS:
        try:
            return goods_numbers(_barcodes(path, encoding))
        except OSError as error:
            raise WrongOptions(f"--goods {path}: {error.strerror}") from error
        except csv.Error as error:
            raise WrongOptions(f"--goods {path}: no CSV: {error}") from error
        except UnicodeDecodeError:
            continue
    raise WrongOptions(f"--goods {path}: neither UTF-8 nor GBK: save it as CSV UTF-8")


def _barcodes(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding, newline="") as stream:
        rows = csv.DictReader(stream)
        heads = [head.strip() for head in rows.fieldnames or ()]
        if BARCODE not in heads:
            found = ", ".join(heads) or "nothing"
            raise WrongOptions(f"--goods {path}: no column {BARCODE} in its head, which has {found}")
        rows.fieldnames = heads
        barcodes = [row[BARCODE] or "" for _, row in zip(range(MAX_GOODS + 1), rows, strict=False)]
    if len(barcodes) > MAX_GOODS:
        raise WrongOptions(f"--goods {path}: more than {MAX_GOODS} rows")
    return barcodes


def read_files(
    paths: Iterable[str], wanted: frozenset[Symbology], goods: frozenset[str]
) -> list[dict[str, object]]:
    """One entry for each path, in their order; never raises for a picture."""
    one_core()
    ladder = Ladder(ReadRules(wanted=wanted, goods=goods, strict=False), budget_us=None)
    return [_entry(path, ladder) for path in paths]


def _entry(path: str, ladder: Ladder) -> dict[str, object]:
    try:
        with without_remarks():
            pixels = read_picture(Path(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return _nothing(path, f"cannot be read: {reason}")
    if pixels is None:
        if is_too_large(Path(path)):
            return _nothing(path, f"a picture of more than {MAX_PIXELS >> 20} megapixels")
        return _nothing(path, "no picture that can be decoded: damaged, or of an unknown kind")
    read = ladder.read(pixels)
    entry: dict[str, object] = {
        "image": path,
        "codes": [_code(one) for one in read.codes],
        "ms": round(read.spent_us / 1_000, 1),
    }
    if not any(one.why for one in read.codes):
        entry["why"] = _why(read)
    return entry


def _nothing(path: str, why: str) -> dict[str, object]:
    return {"image": path, "codes": [], "ms": 0.0, "why": why}


def _code(one: CodeSeen) -> dict[str, object]:
    sighting = one.sighting
    found: dict[str, object] = {
        "text": sighting.text,
        "symbology": sighting.symbology.value,
        "engines": sorted(engine.value for engine in one.engines),
        "agreed": bool(one.why),
    }
    if sighting.transcoded:
        found["bytes"] = sighting.data.hex()
    return found


def _why(read: PictureRead) -> str:
    if read.codes:
        return "what was decoded does not count: it needs a second engine, or a goods list that has it"
    return "stripes, but nothing decodes" if read.stripes else "no code found"


def tell(entries: Sequence[dict[str, object]], json_to: str | None) -> None:
    """For people, unless the JSON goes to stdout. Raises ``OSError``."""
    if zbar_missing():
        sys.stderr.write(f"{zbar_missing()}\n")
    text = json.dumps(entries, ensure_ascii=False, indent=1) + "\n"
    if json_to == "-":
        _write(text, "utf-8")
        return
    if json_to is not None:
        Path(json_to).write_bytes(text.encode("utf-8", ESCAPED))
    for entry in entries:
        _write(f"{entry['image']}: {entry.get('why', '')}".rstrip() + f" ({entry['ms']} ms)\n")
        codes = entry["codes"]
        assert isinstance(codes, list)
        for code in codes:
            mark = "agreed" if code["agreed"] else "in doubt"
            shown = code["text"] or code.get("bytes", "")
            engines = ", ".join(code["engines"])
            _write(f"  {code['symbology']} {shown!r}: {mark}, by {engines}\n")


def _write(text: str, encoding: str | None = None) -> None:
    """To stdout, whatever it can say, by default in its own encoding."""
    stream = sys.stdout
    stream.flush()
    stream.buffer.write(text.encode(encoding or stream.encoding, ESCAPED))
    stream.flush()
