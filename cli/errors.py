"""The one way a command gives up: a sentence for a person, never a traceback."""


class Trouble(Exception):  # noqa: N818  # not an error in the code
    """Foreseeable trouble: what is wrong, and what to do about it."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        """Both parts, the remedy on a line of its own."""
        return f"{self.problem}\n  {self.remedy}" if self.remedy else self.problem
