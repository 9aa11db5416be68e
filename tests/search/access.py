"""Who may do what at the search service."""

from tests.conformance.access import EVERYBODY, OPERATORS, Access

TABLE = {
    ("GET", "/v1/search"): EVERYBODY,
    ("GET", "/v1/search/token"): EVERYBODY,
    ("POST", "/v1/feedback"): EVERYBODY,
    ("GET", "/opensearch.xml"): EVERYBODY,
    ("GET", "/v1/suggest/opensearch"): EVERYBODY,
    ("GET", "/v1/facets"): EVERYBODY,
    ("GET", "/v1/suggest"): EVERYBODY,
    ("GET", "/v1/index/status"): EVERYBODY,
    ("POST", "/v1/index/reindex"): OPERATORS,
}

ACCESS = Access(
    "search",
    TABLE,
    bodies={"/v1/feedback": {"thing_id": "nothing", "helpful": True}},
    # Ratings have a setting of their own.
    rates={"/v1/feedback": 20},
    limited_for_all=frozenset({"/v1/feedback"}),
)
