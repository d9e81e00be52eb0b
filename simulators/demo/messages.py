"""What the simulated ERP says, as the gateway's JSON (its schemas are at /openapi.json)."""

from typing import Any

from edge.model.ids import MessageId
from edge.model.order import Goods, Order, OrderLine, OrderParcel
from edge.model.route import BlindSpot, SortPlan, SortRule


def wire_id(message_id: MessageId) -> str:
    """Message ids have no slash on the wire."""
    return message_id.replace("/", ":")


def goods_json(goods: Goods) -> dict[str, Any]:
    return {
        "sku": goods.sku,
        "barcodes": list(goods.barcodes),
        "unit_weight_g": goods.unit_weight_g,
        "parts": [{"sku": part.sku, "qty": part.qty} for part in goods.parts],
    }


def order_json(message_id: MessageId, order: Order) -> dict[str, Any]:
    region = order.region
    return {
        "message_id": wire_id(message_id),
        "order_no": order.order_no,
        "version": order.version,
        "customer_code": order.customer_code,
        "shop": order.shop,
        "platform": order.platform,
        "wave": order.wave,
        "pick_slip_no": order.pick_slip_no,
        "carrier": order.carrier,
        "region": {"province": region.province, "city": region.city, "district": region.district},
        "parcels": [_parcel(one) for one in order.parcels],
        "cut_off": order.cut_off,
        "flags": list(order.flags),
        "extra": dict(order.extra),
    }


def _parcel(parcel: OrderParcel) -> dict[str, Any]:
    return {
        "waybill_no": parcel.waybill_no,
        "routing_code": parcel.routing_code,
        "bag_place": parcel.bag_place,
        "lines": [_line(one) for one in parcel.lines],
        "packaging": {"code": parcel.packaging_code, "tare_g": parcel.tare_g},
        "expected_weight_g": parcel.expected_weight_g,
        "tolerance_g": parcel.tolerance_g,
    }


def _line(line: OrderLine) -> dict[str, Any]:
    return {"sku": line.sku, "qty": line.qty, "is_gift": line.is_gift}


def plan_json(plan: SortPlan) -> dict[str, Any]:
    """Without a message id."""
    return {
        "plan_id": plan.id,
        "version": plan.version,
        "rules": [_rule(one) for one in plan.rules],
        "blind_spots": [_blind_spot(one) for one in plan.blind_spots],
    }


def _rule(rule: SortRule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "carrier": rule.carrier,
        "routing_code": rule.routing_code,
        "province": rule.province,
        "city": rule.city,
        "district": rule.district,
        "chutes": list(rule.chutes),
    }


def _blind_spot(spot: BlindSpot) -> dict[str, Any]:
    return {
        "carrier": spot.carrier,
        "province": spot.province,
        "city": spot.city,
        "district": spot.district,
    }
