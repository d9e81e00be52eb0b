"""Between the wire's models and the house's types; nothing is converted anywhere else."""

from typing import Any

from api.http.schemas import BlindSpotIn, GoodsItem, LineIn, OrderIn, ParcelIn, PartIn, PlanIn, RuleIn
from api.moments import moment
from api.record import ReviewOnRecord
from edge.model.ids import ChuteId, OrderNo, PlanId, Sku, Waybill
from edge.model.order import Goods, Order, OrderLine, OrderParcel, OrderStatus, Region
from edge.model.route import BlindSpot, SortPlan, SortRule
from edge.model.units import Grams


def order_of(body: OrderIn) -> Order:
    return Order(
        order_no=OrderNo(body.order_no),
        version=body.version,
        customer_code=body.customer_code,
        shop=body.shop,
        platform=body.platform,
        wave=body.wave,
        pick_slip_no=body.pick_slip_no,
        carrier=body.carrier,
        region=Region(province=body.region.province, city=body.region.city, district=body.region.district),
        parcels=tuple(_parcel(parcel) for parcel in body.parcels),
        cut_off=body.cut_off,
        flags=tuple(body.flags),
        extra=tuple(sorted(body.extra.items())),
    )


def _parcel(body: ParcelIn) -> OrderParcel:
    weight = body.expected_weight_g
    return OrderParcel(
        waybill_no=Waybill(body.waybill_no),
        routing_code=body.routing_code,
        bag_place=body.bag_place,
        lines=tuple(_line(line) for line in body.lines),
        packaging_code=body.packaging.code,
        tare_g=Grams(body.packaging.tare_g),
        expected_weight_g=None if weight is None else Grams(weight),
        tolerance_g=Grams(body.tolerance_g),
    )


def _line(body: LineIn | PartIn) -> OrderLine:
    gift = isinstance(body, LineIn) and body.is_gift
    return OrderLine(sku=Sku(body.sku), qty=body.qty, is_gift=gift)


def goods_of(body: GoodsItem) -> Goods:
    return Goods(
        sku=Sku(body.sku),
        barcodes=tuple(body.barcodes),
        unit_weight_g=Grams(body.unit_weight_g),
        parts=tuple(_line(part) for part in body.parts),
    )


def plan_of(body: PlanIn, rules: list[RuleIn], blind_spots: list[BlindSpotIn]) -> SortPlan:
    return SortPlan(
        id=PlanId(body.plan_id),
        version=body.version,
        rules=tuple(_rule(rule) for rule in rules),
        blind_spots=tuple(
            BlindSpot(carrier=spot.carrier, province=spot.province, city=spot.city, district=spot.district)
            for spot in blind_spots
        ),
    )


def _rule(body: RuleIn) -> SortRule:
    return SortRule(
        id=body.id,
        carrier=body.carrier,
        routing_code=body.routing_code,
        province=body.province,
        city=body.city,
        district=body.district,
        chutes=tuple(ChuteId(chute) for chute in body.chutes),
    )


def review_body(review: ReviewOnRecord) -> dict[str, Any]:
    """From ``reason`` on its latest verdict, null and empty before the first. What is extra and not of the
    order is told by its code, with the goods that have it."""
    row = review.row
    return {
        "state": row.state.value,
        "bench": row.bench,
        "slip": row.slip,
        "order_version": row.order_version,
        "opened_at": moment(row.opened_utc_us),
        "reason": None if row.reason is None else row.reason.value,
        "pieces": row.pieces,
        "missing": [{"sku": one.sku, "qty": one.qty} for one in row.missing],
        "extra": [
            {"sku": one.sku, "qty": one.qty}
            if one.sku
            else {"code": one.code, "qty": one.qty, "skus": list(review.named.get(one.code, ()))}
            for one in row.extra
        ],
        "judged_at": moment(row.judged_utc_us),
    }


def order_body(order: Order, status: OrderStatus) -> dict[str, Any]:
    """An order as GET gives it: the pushed fields, and its status."""
    region = order.region
    return {
        "order_no": order.order_no,
        "version": order.version,
        "status": status.value,
        "customer_code": order.customer_code,
        "shop": order.shop,
        "platform": order.platform,
        "wave": order.wave,
        "pick_slip_no": order.pick_slip_no,
        "carrier": order.carrier,
        "region": {"province": region.province, "city": region.city, "district": region.district},
        "parcels": [_parcel_body(parcel) for parcel in order.parcels],
        "cut_off": order.cut_off,
        "flags": list(order.flags),
        "extra": dict(order.extra),
    }


def _parcel_body(parcel: OrderParcel) -> dict[str, Any]:
    return {
        "waybill_no": parcel.waybill_no,
        "routing_code": parcel.routing_code,
        "bag_place": parcel.bag_place,
        "lines": [{"sku": x.sku, "qty": x.qty, "is_gift": x.is_gift} for x in parcel.lines],
        "packaging": {"code": parcel.packaging_code, "tare_g": parcel.tare_g},
        "expected_weight_g": parcel.expected_weight_g,
        "tolerance_g": parcel.tolerance_g,
    }
