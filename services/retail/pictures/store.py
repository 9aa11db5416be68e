"""Where pictures lie: files below the service's home, by the picture's id. What is there never changes."""

import os
import re
import shutil
from pathlib import Path

from uuid_utils import uuid7

from services.retail.pictures.processing import Shape

_NAME = re.compile(r"[a-z0-9]{1,10}\.(?:avif|webp|jpg)\Z")


class Store:
    """Files in folders of their own; made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, picture_id: str, shapes: list[Shape]) -> None:
        """Keep all shapes, or none of them when the disk is full; a second time changes nothing."""
        place = self._place(picture_id)
        if place.exists():
            return
        making = self._folder / f".{uuid7().hex}"
        try:
            making.mkdir(parents=True, mode=0o700)
            for shape in shapes:
                with (making / shape.name).open("wb") as file:
                    file.write(shape.content)
                    file.flush()
                    os.fsync(file.fileno())
            place.parent.mkdir(parents=True, exist_ok=True)
            making.rename(place)
        except FileExistsError:  # somebody sent the same picture at the same time
            shutil.rmtree(making, ignore_errors=True)
        except OSError:
            shutil.rmtree(making, ignore_errors=True)
            if not place.exists():
                raise

    def path(self, picture_id: str, name: str) -> Path | None:
        """The file of a shape; None when there is none of that name."""
        found = self._place(picture_id) / name
        return found if _NAME.match(name) and found.is_file() else None

    def delete(self, picture_id: str) -> None:
        """Forget a picture."""
        shutil.rmtree(self._place(picture_id), ignore_errors=True)

    def _place(self, picture_id: str) -> Path:
        return self._folder / picture_id[:2] / picture_id
