"""Hashes of the pinned packages: writes `requirements*.lock`, and says what to install from.

A lock has the pins of the requirements file of the same name, each with the hashes of all of its
files, for every platform and Python. It names no package index, so it is right for any of them.

    python scripts/lock.py                              write the locks that are out of date
    python scripts/lock.py --options requirements.txt   print the options of `pip install`
"""

import os
import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?==[^\s;\\]+")
_HASH = re.compile(r"\s*--hash=sha256:[0-9a-f]{64}\s*\\?")
_INCLUDED = re.compile(r"-r\s+(.+?)\.(txt|lock)")


def files(folder: Path = PROJECT) -> list[Path]:
    """The requirements files of a folder."""
    return sorted(folder.glob("requirements*.txt"))


def lock_of(requirements: Path) -> Path:
    """The lock beside a requirements file."""
    return requirements.with_suffix(".lock")


def pins(path: Path) -> set[str]:
    """The pins of a requirements file or a lock, spelled alike, and the files that it includes.

    Raises:
        ValueError: a line is neither; it has no fixed version, for example.
    """
    found = set()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = re.sub(r"(^|\s)#.*", "", line).strip()
        if not text or _HASH.fullmatch(text):
            continue
        if included := _INCLUDED.fullmatch(text):
            found.add(f"-r {included[1]}")
            continue
        name, separator, marker = text.rstrip("\\ ").partition(";")
        if not _PIN.fullmatch(name.strip()):
            raise ValueError(f"{path.name}:{number}: {text} is not a pin such as click==8.4.2")
        package, _, version = re.sub(r"\[.*\]", "", name.strip()).partition("==")
        package = re.sub(r"[-_.]+", "-", package).lower()
        found.add(f"{package}=={version}" + separator + re.sub(r"\W", "", marker))
    return found


def out_of_date(requirements: Path) -> str:
    """Why the lock of a requirements file cannot be installed from; empty if it can."""
    lock = lock_of(requirements)
    if not lock.is_file():
        return f"{lock.name} does not exist"
    wanted, locked = pins(requirements), pins(lock)
    if wanted == locked:
        return ""
    differing = ", ".join(sorted(wanted ^ locked)[:5])
    return f"{lock.name} is out of date with {requirements.name} ({differing})"


def options(requirements: Path) -> str:
    """The options by which pip installs a requirements file, with hashes if it has a lock.

    Raises:
        ValueError: the lock is out of date.
    """
    if not lock_of(requirements).is_file():
        return f"-r {requirements}"
    if reason := out_of_date(requirements):
        raise ValueError(f"{reason}; run `make lock`, or delete the lock to install without hashes")
    # All that is needed has a pin. pip would look for pins of its own for packages with extras.
    return f"--require-hashes --no-deps -r {lock_of(requirements)}"


def write(requirements: Path) -> None:
    """Write the lock of a requirements file, from what the package index says of its pins.

    Raises:
        CalledProcessError: uv cannot reach the index, or a pin is not on it.
    """
    lines = requirements.read_text(encoding="utf-8").splitlines()
    included = [line for line in lines if _INCLUDED.match(line)]
    own = "\n".join(line for line in lines if line not in included)
    command = "pip compile --quiet --generate-hashes --no-deps --universal --no-strip-extras"
    command += " --no-header --no-annotate --no-config --system-certs --python-version 3.11 -"
    index = os.environ.get("PIP_INDEX_URL")
    hashed = subprocess.run(
        [sys.executable, "-m", "uv", *command.split()],
        input=own,
        env=os.environ | ({"UV_DEFAULT_INDEX": index} if index else {}),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    head = [
        f"# The hashes of all files of each pin in {requirements.name}, written by `make lock`.",
        *(_INCLUDED.sub(r"-r \1.lock", line) for line in included),
    ]
    lock_of(requirements).write_text("\n".join([*head, "", hashed]), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the locks, or print options for pip."""
    try:
        if arguments:
            print(options(Path(arguments[-1])))
            return 0
        for requirements in files():
            if reason := out_of_date(requirements):
                write(requirements)
                print(f"wrote {lock_of(requirements).name}: {reason}")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
