"""deploy/postgres/init on a real server: each service gets a database that no other service enters."""

import os
import subprocess
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from cli.home import ROOT
from tests.postgres import programs

SCRIPT = ROOT / "deploy" / "postgres" / "init" / "services.sh"
CLIENTS = programs()
PASSWORD = 'it\'s "quoted" $HOME; DROP'


@pytest.fixture
def services(postgres_url: str) -> Iterator[list[str]]:
    """Two services that the script has made room for."""
    names = [f"{name}{uuid.uuid4().hex[:8]}" for name in ("offers", "agenda")]
    run(
        postgres_url, names, {f"COBURG_{name.upper()}_DATABASE_PASSWORD": PASSWORD for name in names}
    ).check_returncode()
    yield names
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for name in names:
            connection.execute(f'DROP DATABASE "{name}"'.encode())
            connection.execute(f'DROP ROLE "{name}"'.encode())


def run(url: str, names: list[str], passwords: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """The script as the image's entry point runs it."""
    server = conninfo_to_dict(url)
    where = {"PGHOST": server["host"], "PGPORT": server.get("port"), "PGPASSWORD": server.get("password")}
    own = {
        "POSTGRES_USER": server["user"],
        "POSTGRES_DB": server["dbname"],
        "COBURG_DATABASES": " ".join(names),
    }
    environ = {**os.environ, **where, **own, **passwords, "PATH": f"{CLIENTS}:{os.environ['PATH']}"}
    plain = {key: str(value) for key, value in environ.items() if value is not None}
    return subprocess.run([SCRIPT], check=False, env=plain, capture_output=True, text=True)


def test_a_service_owns_its_database(postgres_url: str, services: list[str]) -> None:
    for name in services:
        with psycopg.connect(postgres_url, dbname=name, user=name, password=PASSWORD) as connection:
            connection.execute("CREATE TABLE public.mine (id int)")


def test_a_service_enters_no_other_database(postgres_url: str, services: list[str]) -> None:
    offers, agenda = services
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(postgres_url, dbname=agenda, user=offers, password=PASSWORD)


def test_a_forgotten_password_is_named(postgres_url: str) -> None:
    result = run(postgres_url, ["forgotten"], {})
    assert result.returncode == 1
    assert "COBURG_FORGOTTEN_DATABASE_PASSWORD is not set" in result.stderr
