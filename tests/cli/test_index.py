"""`reindex` and `status` against a whole stack."""

from tests.cli.conftest import Coburg
from tests.stack import Stack


def test_reindex_returns_when_the_new_index_serves(stack: Stack, coburg: Coburg) -> None:
    result = coburg(stack.home.environ, "reindex")

    assert result.returncode == 0, result.stderr
    assert "documents in" in result.stdout


def test_a_token_of_another_home_is_refused_with_a_remedy(stack: Stack, coburg: Coburg) -> None:
    result = coburg({**stack.home.environ, "COBURG_TOKEN": "nonsense"}, "reindex")

    assert result.returncode == 1
    assert "refused with 401" in result.stderr
    assert "COBURG_TOKEN" in result.stderr
