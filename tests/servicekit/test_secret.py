"""Secrets in files: one for all who ask, and for their owner only."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from libs.servicekit.secret import secret


def test_a_secret_is_made_once_even_by_many_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "key"
    with ThreadPoolExecutor(8) as pool:
        (made,) = set(pool.map(lambda _: secret(file), range(32)))
    assert len(made) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file], "nothing half-made is left"


def test_what_is_there_is_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("ours")
    assert secret(file) == "ours"


def test_where_none_can_be_kept_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(OSError, match="keys"):
        secret(tmp_path / "keys" / "key")
