"""The home's own keys and tokens."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from cli import components, keys
from cli.errors import Trouble
from cli.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.of({"COBURG_HOME": str(tmp_path)})


def test_a_token_is_verified_by_the_published_keys(home: Home) -> None:
    token = keys.token(home, ["provider"], ["p1"], hours=1, subject="eva")

    published = KeySet.import_key_set(json.loads((home.keys / "jwks.json").read_text()))
    claims = jwt.decode(token, published).claims
    assert (claims["sub"], claims["roles"], claims["providers"]) == ("eva", ["provider"], ["p1"])
    assert (claims["iss"], claims["aud"]) == ("https://coburg.local", "coburg")
    assert claims["exp"] - claims["iat"] == 3600


def test_private_keys_are_for_their_owner_only(home: Home) -> None:
    keys.ensure(home)
    keys.meilisearch_key(home)

    modes = [stat.S_IMODE((home.keys / name).stat().st_mode) for name in ("signing.json", "meilisearch")]
    assert modes == [0o600, 0o600]
    assert '"d"' not in (home.keys / "jwks.json").read_text()


def test_an_unknown_role_is_refused(home: Home) -> None:
    with pytest.raises(Trouble, match="no role king"):
        keys.token(home, ["king"])


def test_a_home_is_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir(mode=0o755)
    home = Home.of({"COBURG_HOME": str(folder)})
    components.prepare(home)
    assert folder.stat().st_mode & 0o077 == 0
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('x')"
    component = components.Component("x", "", "", (sys.executable, "-c", code, str(folder / "offers.db")), {})
    subprocess.run(check=True, **components.launch(component))
    assert (folder / "offers.db").stat().st_mode & 0o077 == 0
