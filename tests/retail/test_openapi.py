"""The retail service answers as its API document says, whatever it is asked."""

import pytest
from schemathesis import GenerationMode

from tests.conformance.documented import complaints, in_each_mode
from tests.retail.conftest import Retail


@pytest.fixture(scope="module")
def there(lone: Retail) -> dict[str, str]:
    """One of everything that a path may name."""
    shop = lone.shop()["id"]
    order = lone.imported(b'{"features": [{"type": "Feature", "id": "x", "properties": {}}]}')
    return {"shop_id": shop, "provider_id": shop, "import_id": order["id"]}


@in_each_mode
def test_answers_are_as_documented(lone: Retail, there: dict[str, str], mode: GenerationMode) -> None:
    headers = lone.stack.headers("caretaker")
    assert not complaints(lone.stack.url("retail"), headers, mode, **there)
