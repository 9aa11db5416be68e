"""docker-compose.yml: every service is there, hardened, pinned, and told everything that its parts ask for."""

import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from cli.components import SERVICES
from cli.home import ROOT
from libs.servicekit.settings import ServiceSettings, Settings
from services.notify.config import NotifySettings
from services.search.config import SearchSettings

Block = dict[str, Any]

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: Block = yaml.safe_load(TEXT)
BLOCKS: dict[str, Block] = COMPOSE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
NATS = "".join(file.read_text() for file in sorted((ROOT / "deploy" / "nats").glob("*.conf")))

every_block = pytest.mark.parametrize("name", BLOCKS)
every_service = pytest.mark.parametrize("name", SERVICES)


@every_block
def test_is_hardened(name: str) -> None:
    block = BLOCKS[name]
    assert block["read_only"] is True
    assert block["cap_drop"] == ["ALL"]
    assert "cap_add" not in block
    assert block["security_opt"] == ["no-new-privileges:true"]
    assert {"cpus", "memory", "pids"} <= block["deploy"]["resources"]["limits"].keys()


@every_block
def test_is_pinned(name: str) -> None:
    image = BLOCKS[name]["image"]
    assert re.search(r":v?\d+\.\d+", image) or image.startswith("coburg-digital/")


@every_block
def test_is_reached_from_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in BLOCKS[name].get("ports", []))
    inside = BLOCKS[name]["networks"] == ["inside"]
    assert inside == ("ports" not in BLOCKS[name]), "what has no port of its own has no way out"


@every_block
def test_waits_for_what_it_needs(name: str) -> None:
    for needed, how in BLOCKS[name].get("depends_on", {}).items():
        once = "restart" in BLOCKS[needed] and BLOCKS[needed]["restart"].startswith("on-failure")
        assert how["condition"] == ("service_completed_successfully" if once else "service_healthy")


@every_service
def test_has_a_block_an_image_and_its_own_rights(name: str) -> None:
    assert name in BLOCKS, "docker-compose.yml has no block of this service"
    block = BLOCKS[name]
    assert block["build"]["args"] == {"SERVICE": name}
    assert block["image"].startswith(f"coburg-digital/{name}:")
    assert block["environment"]["COBURG_NATS_URL"].startswith(f"nats://{name}:")
    assert f"user: {name}\n" in NATS, "deploy/nats/nats.conf has no user of this name"


@every_service
def test_is_published_where_the_embedded_stack_has_it(name: str) -> None:
    assert BLOCKS[name]["ports"] == [f"127.0.0.1:{8000 + SERVICES[name]}:8000"]


@every_service
def test_is_told_only_what_is_read(name: str) -> None:
    prefixes = {f"COBURG_{name.upper()}_{key.upper()}" for key in ServiceSettings.model_fields}
    known = {
        f"COBURG_{key.upper()}"
        for key in (*Settings.model_fields, *SearchSettings.model_fields, *NotifySettings.model_fields)
    }
    told = set(BLOCKS[name]["environment"]) - {"OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert told <= known | prefixes


def test_the_broker_is_given_every_password_that_its_configuration_names() -> None:
    named = set(re.findall(r"\$(COBURG_NATS_\w+)", NATS))
    assert named == set(BLOCKS["nats"]["environment"])


def test_a_database_is_made_for_every_service_that_uses_one() -> None:
    using = {
        name
        for name, block in BLOCKS.items()
        if f"COBURG_{name.upper()}_DATABASE_URL" in block.get("environment", {})
    }
    assert set(BLOCKS["postgres"]["environment"]["COBURG_DATABASES"].split()) == using


def test_what_must_be_set_is_in_the_example_and_no_secret_is() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", TEXT))
    given = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if re.match(r"[A-Z_]+=", line))
    assert needed <= given.keys()
    assert all(not value for key, value in given.items() if key.endswith(("_PASSWORD", "_KEY")))
    assert given.keys() <= set(re.findall(r"\$\{(\w+)", TEXT))
