"""One example of each body and answer for the OpenAPI document: a test holds each against its model, and
what is no JSON against what reads or writes it."""

import json
from typing import Any, Final

_REGION: Final = {"province": "33", "city": "3301", "district": "330106"}
_PARCEL: Final[dict[str, Any]] = {
    "waybill_no": "73120000000001",
    "routing_code": "571-01-003",
    "bag_place": "HZ",
    "lines": [{"sku": "85123A", "qty": 2}],
    "packaging": {"code": "B3", "tare_g": 120},
    "expected_weight_g": 1500,
    "tolerance_g": 40,
}
_ORDER: Final[dict[str, Any]] = {
    "message_id": "erp-000001",
    "order_no": "SO-1",
    "version": 1,
    "customer_code": "K01",
    "carrier": "ZTO",
    "region": _REGION,
    "parcels": [_PARCEL],
    "cut_off": "2026-11-23T18:00:00+08:00",
    "flags": [],
    "extra": {"erp_ref": "7-1"},
}
_GOODS: Final[dict[str, Any]] = {"sku": "85123A", "barcodes": ["6901234567892"], "unit_weight_g": 690}
_RULE: Final[dict[str, Any]] = {"id": "zj", "carrier": "ZTO", "province": "33", "chutes": ["001", "002"]}
_TRACK: Final[dict[str, Any]] = {
    "track": 28,
    "state": "exited",
    "waybill": "73120000000001",
    "order_no": "SO-1",
    "order_version": 1,
    "customer_code": "K01",
    "shop": "",
    "carrier": "ZTO",
    "length_mm": 359,
    "read_quality": "good",
    "weight_g": 1504,
    "weight_quality": "good",
    "expected_g": 1500,
    "inducted_at": "2026-11-24T05:58:47.692000+00:00",
    "decided": {"reason": "ok", "chute": "001", "exit": 1, "rule": "zj", "plan": "east", "plan_version": 3},
    "decide_to_told_us": 30460,
    "exited_at": "2026-11-24T05:58:51.627000+00:00",
    "exit": 1,
    "chute": "001",
    "exit_reason": "ok",
    "shipped": True,
    "mis_sorted": False,
    "end_seq": 801,
}
_EVENT: Final[dict[str, Any]] = {
    "seq": 709,
    "at": "2026-11-24T05:58:49.138000+00:00",
    "at_us": 7429264290,
    "kind": "Told",
    "track": 28,
    "body": {"at_us": 7429264290, "exit": 8, "plc_wait_us": 17997, "seq": 27, "since_us": 30460, "track": 28},
}
_CANCEL: Final[dict[str, Any]] = {
    "message_id": "erp-000004",
    "order_no": "SO-1",
    "outcome": "too_late",
    "place": "001",
    "track": 28,
    "inbox_seq": 4,
    "final": True,
}

EXAMPLES: Final[dict[str, Any]] = {
    "OrderIn": _ORDER,
    "OrderBatch": {"orders": [_ORDER]},
    "MessageOnly": {"message_id": "erp-000002"},
    "GoodsIn": {"message_id": "erp-000005", **_GOODS},
    "GoodsBatch": {"message_id": "erp-000006", "goods": [_GOODS]},
    "PlanIn": {
        "message_id": "plan-3",
        "plan_id": "east",
        "version": 3,
        "rules": [_RULE],
        "blind_spots": [{"carrier": "ZTO", "province": "65"}],
    },
    "PlanActivation": {"message_id": "plan-3-on", "version": 3},
    "LineCommandIn": {"message_id": "op-17", "action": "disable_chute", "subject": "003"},
    "CodingIn": {"message_id": "station-2-9", "code": "73120000000001", "again": "73120000000001"},
    "CodingAnswer": {
        "waiting": [
            {
                "track": 29,
                "since": "2026-11-23T07:41:03.120000+00:00",
                "length_mm": 310,
                "picture": 29,
                "on_belt": True,
                "chute": None,
                "exit_reason": None,
                "codes": [{"text": "571-01-003", "symbology": "code128", "standing": "no_waybill"}],
            }
        ],
        "ready": [
            {
                "track": 27,
                "code": "73120000000002",
                "length_mm": 280,
                "picture": 27,
                "by": "station-2",
                "at": "2026-11-23T07:41:09.400000+00:00",
            }
        ],
    },
    "NoReadsAnswer": {
        "pictures": 14,
        "counts": [
            {
                "reader": "side",
                "carrier": "ZTO",
                "customer_code": "K01",
                "cause": "blurred",
                "pictures": 11,
            },
            {"reader": "side", "carrier": "", "customer_code": "", "cause": "nothing_seen", "pictures": 3},
        ],
    },
    "PicturesAnswer": {
        "pictures": [
            {
                "reader": "side",
                "at": "2026-11-23T07:41:02.870000+00:00",
                "width_px": 1280,
                "height_px": 1024,
                "cause": "blurred",
                "engines": ["zxing-cpp", "zbar"],
                "codes": [],
                "spent_us": 31000,
                "stripes": 1,
                "contrast_percent": 42,
                "sharpness_percent": 19,
                "module_tenths": 31,
            }
        ]
    },
    "TakenAnswer": {"outcome": "stored", "inbox_seq": 1, "version": 1},
    "BatchAnswer": {
        "stored": 1,
        "unchanged": 0,
        "refused": 0,
        "results": [{"index": 0, "order_no": "SO-1", "outcome": "stored", "inbox_seq": 1, "version": 1}],
    },
    "ImportAnswer": {"rows": 3, "orders": 2, "stored": 2, "unchanged": 0},
    "OrderAnswer": {
        **{name: value for name, value in _ORDER.items() if name != "message_id"},
        "status": "released",
        "shop": "",
        "platform": "",
        "wave": "",
        "pick_slip_no": "",
        "inbox_seq": 1,
        "review": None,
    },
    "CancelAnswer": _CANCEL,
    "ParcelAnswer": {"waybill": "73120000000001", "tracks": [_TRACK]},
    "ParcelsAnswer": {"parcels": [_TRACK], "next": 28, "more": False},
    "StoryAnswer": {"parcel": _TRACK, "events": [_EVENT]},
    "EventsAnswer": {"events": [_EVENT], "next": 709, "more": True},
    "ChangesAnswer": {
        "changes": [
            {
                "seq": 1,
                "at": "2026-11-24T05:50:00.000001+00:00",
                "kind": "put_order",
                "message_id": "erp-000001",
                "by": "erp-1",
                "role": "erp",
            }
        ],
        "next": 1,
        "more": False,
    },
    "LineAnswer": {
        "line": "demo",
        "process": "up",
        "state": "execute",
        "why": "ready",
        "since": "2026-11-24T05:40:00.000000+00:00",
        "induction": {"permitted": True, "why": "ready"},
        "plan": {"plan_id": "east", "version": 3},
        "on_belt": 4,
        "alarms": 0,
        "seq": 801,
    },
    "ChutesAnswer": {
        "chutes": [
            {
                "chute": "001",
                "kind": "shipping",
                "exit": 1,
                "reserve": 12,
                "enabled": True,
                "full": False,
                "since": None,
            }
        ]
    },
    "DevicesAnswer": {
        "process": "up",
        "devices": [
            {
                "device": "plc",
                "kind": "plc",
                "up": True,
                "heard_age_ms": 12,
                "why": "",
                "since": "2026-11-24T05:40:00.000000+00:00",
            }
        ],
    },
    "AlarmsAnswer": {
        "alarms": [
            {
                "kind": "chute_full",
                "subject": "003",
                "detail": "exit full",
                "raised_at": "2026-11-24T05:57:00.000000+00:00",
                "acknowledged_by": "operator-1",
                "acknowledged_at": "2026-11-24T05:57:12.000000+00:00",
            }
        ]
    },
    "HealthAnswer": {"status": "ok"},
    "RelayAnswer": {
        "targets": [
            {
                "target": "erp",
                "kind": "webhook",
                "up": True,
                "why": "",
                "seq": 801,
                "lag_rows": 0,
                "dead_letters": 1,
            }
        ]
    },
    "DeadLettersAnswer": {
        "dead_letters": [
            {
                "id": 1,
                "target": "erp",
                "seq": 709,
                "message_id": "demo/709",
                "kind": "Told",
                "tries": 7,
                "why": "answered 422",
                "tried_at": "2026-11-25T10:12:31.000000+00:00",
                "next_try_at": "2026-11-25T12:12:31.000000+00:00",
                "wanted": False,
            }
        ],
        "next": 1,
    },
    "SentAgainAnswer": {"id": 1, "wanted": True},
}

ORDERS_CSV: Final = (
    "order_no,customer_code,carrier,province,city,district,waybill_no,sku,qty,expected_weight_g\r\n"
    "SO-11,K01,ZTO,33,3301,330106,73120000000011,85123A,2,1500\r\n"
    "SO-11,,,,,,,22423,1,\r\n"
    "SO-12,K01,ZTO,44,4403,,73120000000012,85123A,1,\r\n"
)
"""The second row is a further line of goods of the first one's order."""
PLAN_CSV: Final = (
    "rule,carrier,routing_code,province,city,district,chutes,blind_spot\r\n"
    "zj,ZTO,,33,,,001;002,\r\n"
    ",ZTO,,65,,,,yes\r\n"
)
PARCELS_CSV: Final = (
    "track,waybill,order_no,customer_code,shop,carrier,inducted_at,length_mm,read_quality,weight_g,expected_g,"
    "weight_quality,decided_chute,rule,plan,plan_version,exited_at,chute,reason,reason_text,shipped,"
    "mis_sorted\r\n"
    "28,73120000000001\t,SO-1,K01,,ZTO,2026-11-24 13:58:47,359,good,1504,1500,good,001\t,zj,east,3,"
    "2026-11-24 13:58:51,001\t,ok,OK,yes,no\r\n"
)
STREAM: Final = f"retry: 1000\n\nid: {_EVENT['seq']}\ndata: {json.dumps(_EVENT, separators=(',', ':'))}\n\n"
METRICS: Final = (
    "# HELP beltkeeper_gateway_inbox_seq Last inbox row committed.\n"
    "# TYPE beltkeeper_gateway_inbox_seq gauge\n"
    "beltkeeper_gateway_inbox_seq 801.0\n"
)
LINE_METRICS: Final = (
    "# HELP beltkeeper_parcels_inducted_total Parcels that were inducted.\n"
    "# TYPE beltkeeper_parcels_inducted_total counter\n"
    "beltkeeper_parcels_inducted_total 28.0\n"
)
