"""Boards (Börsen): exchanges that declare their own fields in `city/boards/`."""
