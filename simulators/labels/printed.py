"""A waybill as it leaves the printer: a large code, region text, further codes below; ink on white."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edge.model.codes import Code
from simulators.labels.symbols import modules_of

Pixels = NDArray[np.uint8]
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
)
"""The first that is there; Chinese is drawn where the font has it."""
QUIET_MODULES = 10
MARGIN_MODULES = 6
PAPER, INK = 235, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPrint:
    """``module_px`` pixels a module of the largest code; ``bars_modules`` high are its bars."""

    codes: tuple[Code, ...]
    lines: tuple[str, ...] = ()
    module_px: int = 3
    bars_modules: int = 40


def print_label(label: LabelPrint) -> Pixels:
    """Grey pixels; as wide as the widest part asks for. Raises ``SymbolUnprintable``."""
    parts = [_text_line(label.lines[0], label.module_px)] if label.lines else []
    for number, code in enumerate(label.codes):
        modules = modules_of(code)
        if modules.shape[0] == 1:
            height = label.bars_modules if number == 0 else label.bars_modules // 2
            modules = np.repeat(modules, height, axis=0)
        parts.append(_enlarged(modules, label.module_px))
        parts.append(_text_line(code.text[:40], label.module_px))
    parts += [_text_line(line, label.module_px) for line in label.lines[1:]]
    return _stacked(parts, label.module_px)


def _enlarged(modules: NDArray[np.bool_], module_px: int) -> Pixels:
    drawn = np.where(modules, INK, PAPER).astype(np.uint8)
    return drawn.repeat(module_px, axis=0).repeat(module_px, axis=1)


def _stacked(parts: Sequence[Pixels], module_px: int) -> Pixels:
    margin, quiet = MARGIN_MODULES * module_px, QUIET_MODULES * module_px
    width = max((part.shape[1] for part in parts), default=0) + 2 * quiet
    height = sum(part.shape[0] + margin for part in parts) + margin
    label = np.full((height, width), PAPER, np.uint8)
    top = margin
    for part in parts:
        rows, columns = part.shape
        left = (width - columns) // 2
        label[top : top + rows, left : left + columns] = part
        top += rows + margin
    return label


@lru_cache(maxsize=8)
def font_of(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The best font of this machine in that size; a plain one where there is none."""
    for path in FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, size)
    return ImageFont.load_default(size)


def _text_line(text: str, module_px: int) -> Pixels:
    font = font_of(max(10, 8 * module_px))
    left, top, right, bottom = (int(side) for side in font.getbbox(text or " "))
    picture = Image.new("L", (max(1, right - left), max(1, bottom - top)), PAPER)
    ImageDraw.Draw(picture).text((-left, -top), text, fill=INK, font=font)
    return np.array(picture)
