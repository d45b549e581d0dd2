"""One line of the benchmark's table: what was measured, and whether it is within its goal."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """What a process took, with all its children.

    Attributes:
        seconds: wall time.
        cpu: seconds of all cores, in the program and in the system for it.
        peak: most memory at one time, in gigabytes.
    """

    seconds: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0

    def __add__(self, other: "Run") -> "Run":
        """One process after the other."""
        return Run(self.seconds + other.seconds, self.cpu + other.cpu, max(self.peak, other.peak))

    def __str__(self) -> str:
        """Wall time, CPU time and memory, such as `4.0 s, 7.5 CPU s, 1.20 GB`."""
        return f"{self.seconds:.1f} s, {self.cpu:.1f} CPU s, {self.peak:.2f} GB"

    def against(self, other: "Run") -> str:
        """The ratios to another run, such as `4.0 s / 2.0 s = 2.00, CPU 7.5 / 3.0 = 2.50`."""
        return (
            f"{self.seconds:.1f} s / {other.seconds:.1f} s = {self.seconds / other.seconds:.2f}, "
            f"CPU {self.cpu:.1f} / {other.cpu:.1f} = {self.cpu / other.cpu:.2f}"
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """A value and its limit; the value must be at most the limit, or at least if it is a floor."""

    value: float
    limit: float
    unit: str = ""
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the value is within the limit, which itself is."""
        return self.value >= self.limit if self.is_floor else self.value <= self.limit

    def __str__(self) -> str:
        """The limit, such as `at most 55 s`."""
        return f"{'at least' if self.is_floor else 'at most'} {self.limit:,.12g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table; one without goals is for comparison."""

    what: str
    scale: str
    measured: str
    goals: Sequence[Goal] = ()

    def __str__(self) -> str:
        """The line, which ends with `met` or `missed` if there is a goal."""
        verdict = "met" if all(goal.is_met for goal in self.goals) else "missed"
        goal = f"{', '.join(map(str, self.goals))}: {verdict}" if self.goals else "no goal"
        return f"{self.what:<66} {self.scale:<7} {self.measured:<64} {goal}"
