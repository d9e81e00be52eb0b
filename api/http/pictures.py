"""Pictures of parcels that no reader could read, and what is known of each: the no-read archive."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import JSONResponse, Response

from api.gateway import Gateway
from api.http.coding_answers import NoReadsAnswer, PicturesAnswer
from api.http.deps import GatewayDep, ReaderPath, TrackPath
from api.http.problems import Problem, Slug
from api.moments import moment
from edge.model.ids import ReaderId, TrackId
from edge.model.pictures import PictureNote
from edge.store.journal_types import ParcelRow
from edge.store.no_reads import count_bodies

router = APIRouter(prefix="/v1", tags=["coding"])

JPEG = "image/jpeg"
COUNTED_MAX = 5_000
"""Of each camera: a file and two look-ups each."""
LatestQuery = Annotated[
    int, Query(ge=1, le=COUNTED_MAX, description="At most so many of each camera, the latest.")
]


@router.get("/tracks/{track}/pictures", responses={200: {"model": PicturesAnswer}})
async def get_pictures(track: TrackPath, gateway: GatewayDep) -> JSONResponse:
    """Of a parcel that no reader could read: what each camera has kept of it. None: all are gone, or
    none was kept."""
    (notes,) = await gateway.pictures.of([await _parcel(gateway, track)])
    return JSONResponse({"pictures": [picture_body(note) for note in notes]})


@router.get(
    "/tracks/{track}/pictures/{reader}",
    response_class=Response,
    responses={200: {"content": {JPEG: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_picture(track: TrackPath, reader: ReaderPath, gateway: GatewayDep) -> Response:
    """One picture, as the camera of that id took it."""
    return await picture_of(gateway, track, reader)


@router.get("/no-reads", responses={200: {"model": NoReadsAnswer}})
async def get_no_reads(gateway: GatewayDep, limit: LatestQuery = 1_000) -> JSONResponse:
    """Why labels were not read, counted by camera (the label's side), carrier and customer, the most frequent
    first. A parcel's carrier and customer are known once its code was keyed; until then they are empty."""
    found = await gateway.recorded(gateway.pictures.no_reads(limit))
    return JSONResponse(
        {
            "pictures": sum(number for _, number in found),
            "counts": count_bodies(found),
        }
    )


async def picture_of(gateway: Gateway, track: int, reader: str) -> Response:
    """Raises ``Problem``."""
    data = await gateway.pictures.jpeg(await _parcel(gateway, track), ReaderId(reader))
    if data is None:
        raise Problem(Slug.PICTURE_UNKNOWN)
    return Response(data, media_type=JPEG)


async def _parcel(gateway: Gateway, track: int) -> ParcelRow:
    found = await gateway.recorded(gateway.record.parcel(TrackId(track)))
    if found is None:
        raise Problem(Slug.PARCEL_UNKNOWN)
    return found


def picture_body(note: PictureNote) -> dict[str, Any]:
    return {
        "reader": note.reader,
        "at": moment(note.taken_utc_us),
        "width_px": note.width_px,
        "height_px": note.height_px,
        "cause": note.cause.value,
        "engines": list(note.engines),
        "codes": [
            {
                "text": code.text,
                "hex": code.hex,
                "symbology": code.symbology.value,
                "engines": list(code.engines),
                "rung": code.rung,
                "why": code.why,
            }
            for code in note.codes
        ],
        "spent_us": note.spent_us,
        "stripes": note.stripes,
        "contrast_percent": note.contrast_percent,
        "sharpness_percent": note.sharpness_percent,
        "module_tenths": note.module_tenths,
    }
