"""docs/events/ is up to date, and its check would tell if it were not."""

from pathlib import Path

import pytest

from libs.contracts import docs, reference
from libs.contracts.catalogue import CATALOGUE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(docs, "FOLDER", tmp_path)
    return tmp_path


def test_the_committed_files_are_up_to_date() -> None:
    assert docs.main(["--check"]) == 0


def test_writing_makes_a_folder_that_passes_its_own_check(folder: Path) -> None:
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0


def test_a_check_names_what_differs_is_missing_or_is_no_more(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docs.main([])
    (folder / "README.md").write_text("edited", encoding="utf-8")
    (folder / "asyncapi.json").unlink()
    (folder / "schemas" / "offers.offer.lost.v1.json").write_text("{}", encoding="utf-8")
    assert docs.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert all(name in told for name in ("README.md", "asyncapi.json", "offers.offer.lost.v1.json"))
    docs.main([])
    assert not (folder / "schemas" / "offers.offer.lost.v1.json").exists()


def test_the_reference_tells_of_every_event_and_links_to_what_it_tells() -> None:
    text = reference.markdown()
    for name in CATALOGUE:
        assert f"\n### {name}\n" in text
        assert f"`city.{name}.<id>`" in text
        assert f"(#{name.replace('.', '')})" in text


def test_links_to_shared_values_lead_to_a_heading() -> None:
    text = reference.markdown()
    headings = {
        line.lstrip("# ").lower().replace(".", "") for line in text.splitlines() if line.startswith("#")
    }
    links = {part.split(")")[0] for part in text.split("](#")[1:]}
    assert links <= headings
