"""What a request may say: strict models, nothing extra, a bound and a pattern on everything.

Names and units are the order push of docs/api.md: grams, whole numbers. No names, phones or streets.
Region codes are those of GB/T 2260 (National Bureau of Statistics): province 2, city 4, district 6 digits.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from api.settings import BATCH_MAX
from line_config.regions import exists, provinces

ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
MESSAGE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
KEY_PATTERN: Final = r'^("[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"|[A-Za-z0-9][A-Za-z0-9._:-]{0,63})?$'
WAYBILL_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9-]{3,39}$"
CODE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._ -]{0,47}$"
TEXT_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
SLUG_PATTERN: Final = r"^[a-z0-9][a-z0-9_]{0,31}$"
CUT_OFF_PATTERN: Final = r"^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$"

VERSION_MAX: Final = 2**53 - 1
"""The largest whole number every JSON reader keeps exactly; milliseconds since 1970 fit."""
CURSOR_MAX: Final = VERSION_MAX
PAGE_MAX: Final = 500
"""Rows or parcels a page."""
WEIGHT_MAX_G: Final = 1_000_000
LINES_MAX: Final = 500
RULES_MAX: Final = 5_000

Identifier = Annotated[str, Field(pattern=ID_PATTERN)]
MessageIdText = Annotated[str, Field(pattern=MESSAGE_PATTERN)]
WaybillText = Annotated[str, Field(pattern=WAYBILL_PATTERN)]
Text = Annotated[str, Field(max_length=64, pattern=TEXT_PATTERN)]
Version = Annotated[int, Field(ge=1, le=VERSION_MAX)]
Quantity = Annotated[int, Field(ge=1, le=100_000)]
PROVINCE_PATTERN = f"({'|'.join(sorted(provinces()))})"
ProvinceCode = Annotated[str, Field(pattern=f"^{PROVINCE_PATTERN}?$")]
CityCode = Annotated[str, Field(pattern=f"^({PROVINCE_PATTERN}[0-9]{{2}})?$")]
DistrictCode = Annotated[str, Field(pattern=f"^({PROVINCE_PATTERN}[0-9]{{4}})?$")]
"""Of an order: in a province that exists. Finer codes change from year to year, and an order is older or
newer than the table."""


def _known_region(code: str) -> str:
    if code and not exists(code):
        raise PydanticCustomError("region_unknown", "no such region in GB/T 2260")
    return code


KnownCity = Annotated[CityCode, AfterValidator(_known_region)]
KnownDistrict = Annotated[DistrictCode, AfterValidator(_known_region)]
"""Of a sort plan: a rule for a region that does not exist would never be used, and nobody would know."""


def _one_place(province: str, city: str, district: str) -> None:
    """Raises ``PydanticCustomError`` where the finer code is not within the coarser."""
    if district and not district.startswith(city or province):
        raise PydanticCustomError("district_outside", "the district is not in the city or province")
    if city and not city.startswith(province):
        raise PydanticCustomError("city_outside", "the city is not in the province")


def _real_moment(text: str) -> str:
    if text:
        try:
            datetime.fromisoformat(text)
        except ValueError as error:
            raise PydanticCustomError("no_such_moment", "no such moment") from error
    return text


CutOff = Annotated[str, Field(max_length=32, pattern=CUT_OFF_PATTERN), AfterValidator(_real_moment)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _unchecked_list(model: str, least: int, most: int) -> Any:
    """A list whose items are checked one by one later, and documented as ``model``."""
    items = {"$ref": f"#/components/schemas/{model}"}
    schema = {"type": "array", "items": items, "minItems": least, "maxItems": most}
    return Annotated[list[Any], Field(min_length=least, max_length=most), WithJsonSchema(schema)]


class RegionIn(Strict):
    province: ProvinceCode = ""
    city: CityCode = ""
    district: DistrictCode = ""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        _one_place(self.province, self.city, self.district)
        return self


class LineIn(Strict):
    sku: Identifier
    qty: Quantity
    is_gift: bool = False


class PackagingIn(Strict):
    code: Annotated[str, Field(max_length=64, pattern=TEXT_PATTERN)] = ""
    tare_g: Annotated[int, Field(ge=0, le=WEIGHT_MAX_G)] = 0


class ParcelIn(Strict):
    waybill_no: WaybillText
    routing_code: Text = ""
    bag_place: Text = ""
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=LINES_MAX)]
    packaging: PackagingIn = PackagingIn()
    expected_weight_g: Annotated[int, Field(ge=1, le=WEIGHT_MAX_G)] | None = None
    tolerance_g: Annotated[int, Field(ge=0, le=WEIGHT_MAX_G)] = 0


class OrderIn(Strict):
    """An order as the ERP pushes it; ``version`` only ever rises."""

    message_id: MessageIdText
    order_no: Identifier
    version: Version
    customer_code: Text
    shop: Text = ""
    platform: Text = ""
    wave: Text = ""
    pick_slip_no: Text = ""
    carrier: Annotated[str, Field(min_length=1, max_length=32, pattern=TEXT_PATTERN)]
    region: RegionIn
    parcels: Annotated[list[ParcelIn], Field(min_length=1, max_length=100)]
    cut_off: CutOff = ""
    flags: Annotated[list[Annotated[str, Field(pattern=SLUG_PATTERN)]], Field(max_length=16)] = []
    extra: Annotated[
        dict[
            Annotated[str, Field(pattern=SLUG_PATTERN)],
            Annotated[str, Field(max_length=256, pattern=TEXT_PATTERN)],
        ],
        Field(max_length=32),
    ] = {}


if TYPE_CHECKING:
    OrderItems = list[Any]
    GoodsItems = list[Any]
    RuleItems = list[Any]
    BlindSpotItems = list[Any]
else:
    OrderItems = _unchecked_list("OrderIn", 1, BATCH_MAX)
    GoodsItems = _unchecked_list("GoodsItem", 1, BATCH_MAX)
    RuleItems = _unchecked_list("RuleIn", 1, RULES_MAX)
    BlindSpotItems = _unchecked_list("BlindSpotIn", 0, RULES_MAX)


class OrderBatch(Strict):
    """The envelope; each order is then checked on its own."""

    orders: OrderItems


class MessageOnly(Strict):
    """Cancel, hold, release: the path says which order."""

    message_id: MessageIdText


class PartIn(Strict):
    sku: Identifier
    qty: Quantity


class GoodsItem(Strict):
    sku: Identifier
    barcodes: Annotated[list[Annotated[str, Field(pattern=CODE_PATTERN)]], Field(max_length=32)] = []
    unit_weight_g: Annotated[int, Field(ge=1, le=WEIGHT_MAX_G)]
    parts: Annotated[list[PartIn], Field(max_length=100)] = []


class GoodsIn(GoodsItem):
    message_id: MessageIdText


class GoodsBatch(Strict):
    """One message: all of it is stored in one commit, or none."""

    message_id: MessageIdText
    goods: GoodsItems


class RuleIn(Strict):
    """Empty fields match everything; ``chutes`` are candidates, best first."""

    id: Identifier
    carrier: Annotated[str, Field(max_length=32, pattern=TEXT_PATTERN)] = ""
    routing_code: Text = ""
    province: ProvinceCode = ""
    city: KnownCity = ""
    district: KnownDistrict = ""
    chutes: Annotated[list[Identifier], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        _one_place(self.province, self.city, self.district)
        return self


class BlindSpotIn(Strict):
    carrier: Annotated[str, Field(min_length=1, max_length=32, pattern=TEXT_PATTERN)]
    province: Annotated[str, Field(pattern=f"^{PROVINCE_PATTERN}$")]
    city: KnownCity = ""
    district: KnownDistrict = ""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        _one_place(self.province, self.city, self.district)
        return self


class PlanIn(Strict):
    message_id: MessageIdText
    plan_id: Identifier
    version: Version
    rules: RuleItems
    blind_spots: BlindSpotItems = []


class PlanActivation(Strict):
    message_id: MessageIdText
    version: Version


class CodingIn(Strict):
    """The code of a parcel that no reader could read; ``again``: typed a second time."""

    message_id: MessageIdText
    code: WaybillText
    again: Annotated[str, Field(max_length=40, pattern=TEXT_PATTERN)] = ""


class AcknowledgeIn(Strict):
    """``subject``: ``kind`` or ``kind:subject`` of an alarm."""

    message_id: MessageIdText
    subject: Annotated[str, Field(min_length=1, max_length=96, pattern=TEXT_PATTERN)]


class LineCommandIn(Strict):
    """``subject``: a chute for enable and disable, ``kind`` or ``kind:subject`` for an alarm, a waybill or
    ``track:N`` for a parcel, an order's number for a review, else empty."""

    message_id: MessageIdText
    action: Literal[
        "enable_chute",
        "disable_chute",
        "hold_line",
        "release_line",
        "purge",
        "confirm_clock",
        "acknowledge_alarm",
        "reject_parcel",
        "reopen_review",
    ]
    subject: Annotated[str, Field(max_length=96, pattern=TEXT_PATTERN)] = ""
