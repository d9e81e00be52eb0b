"""The examples of the OpenAPI document are true, and there is one of everything."""

import pytest
from pydantic import BaseModel

from api.http import answers, coding_answers, schemas
from api.http.examples import EXAMPLES
from api.http.schemas import GoodsItem, OrderIn, RuleIn


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_fits_its_model(name: str) -> None:
    model = next(getattr(one, name) for one in (schemas, answers, coding_answers) if hasattr(one, name))
    assert issubclass(model, BaseModel)
    value = model.model_validate(EXAMPLES[name])
    for items, item in (("orders", OrderIn), ("goods", GoodsItem), ("rules", RuleIn)):
        for inner in getattr(value, items, []) if isinstance(getattr(value, items, None), list) else []:
            item.model_validate(inner)
