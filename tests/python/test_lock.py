"""Locks hold the hashes of the pinned packages, and pip installs nothing else."""

import hashlib
import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import lock

_HASH = f"    --hash=sha256:{'0' * 64}"


def _files(folder: Path, requirements: str, locked: str = "") -> Path:
    path = folder / "requirements.txt"
    path.write_text(requirements)
    if locked:
        lock.lock_of(path).write_text(locked)
    return path


@pytest.mark.parametrize(
    ("requirements", "locked"),
    [
        ("# Why.\nPyYAML==6.0.3  # a comment\n", f"pyyaml==6.0.3 \\\n{_HASH} \\\n{_HASH}\n"),
        (
            "-r base.txt\n\nclick==8.4.2\n",
            f"# Written.\n-r base.lock\n\nclick==8.4.2 \\\n{_HASH}\n",
        ),
        (
            "a_b[c]==1.0; python_version < '3.12'\n",
            f'a-b[c]==1.0 ; python_version < "3.12" \\\n{_HASH}\n',
        ),
    ],
)
def test_a_lock_with_the_same_pins_is_up_to_date(
    tmp_path: Path, requirements: str, locked: str
) -> None:
    path = _files(tmp_path, requirements, locked)
    assert lock.out_of_date(path) == ""
    assert lock.options(path) == f"--require-hashes --no-deps -r {lock.lock_of(path)}"


@pytest.mark.parametrize(
    ("requirements", "differing"),
    [
        ("click==8.4.3\n", "click==8.4.2, click==8.4.3"),
        ("click==8.4.2\nsix==1.17.0\n", "six==1.17.0"),
        ("# nothing\n", "click==8.4.2"),
        ("-r base.txt\nclick==8.4.2\n", "-r base"),
        ("click==8.4.2; python_version < '3.12'\n", "click==8.4.2, click==8.4.2;python_version312"),
    ],
)
def test_a_lock_with_other_pins_is_out_of_date(
    tmp_path: Path, requirements: str, differing: str
) -> None:
    path = _files(tmp_path, requirements, f"click==8.4.2 \\\n{_HASH}\n")
    expected = f"requirements.lock is out of date with requirements.txt ({differing})"
    assert lock.out_of_date(path) == expected
    with pytest.raises(ValueError, match="run `make lock`"):
        lock.options(path)


def test_without_a_lock_the_pins_are_installed(tmp_path: Path) -> None:
    path = _files(tmp_path, "click==8.4.2\n")
    assert lock.options(path) == f"-r {path}"


@pytest.mark.parametrize("line", ["click", "click>=8", "click~=8.4.0", "git+ssh://host/click"])
def test_a_requirement_without_a_version_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"requirements\.txt:2: .* is not a pin"):
        lock.pins(_files(tmp_path, f"six==1.17.0\n{line}\n"))


@pytest.mark.parametrize("path", lock.files(), ids=lambda path: str(path.name))
def test_whatever_a_pinned_package_needs_is_pinned_too(path: Path) -> None:
    """pip installs a lock without looking for more. Packages that are not installed are skipped."""
    pinned = {pin.partition("==")[0] for pin in _all_pins(path)}
    needed = {name for name in pinned if _is_installed(name)}
    waiting = [(name, "") for name in sorted(needed)]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = waiting.pop()
        for text in distribution(name).requires or []:
            requirement = Requirement(text)
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            needs = re.sub(r"[-_.]+", "-", requirement.name).lower()
            assert needs in pinned, f"{name} needs {needs}"
            extras = {(needs, one) for one in requirement.extras} - seen
            seen |= extras
            waiting += sorted(extras)


def _all_pins(path: Path) -> set[str]:
    found = lock.pins(path)
    included = {pin for pin in found if pin.startswith("-r ")}
    for pin in included:
        found |= _all_pins(path.with_name(f"{pin[3:]}.txt"))
    return found - included


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def test_pip_installs_a_file_only_if_it_has_the_locked_hash(tmp_path: Path) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("demo.py", "")
        archive.writestr(
            "demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
        )
        archive.writestr(
            "demo-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("demo-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert _install(tmp_path, "0" * 64) == 1
    assert not (tmp_path / "installed/demo.py").exists()
    assert _install(tmp_path, digest) == 0
    assert (tmp_path / "installed/demo.py").exists()


def _install(folder: Path, digest: str) -> int:
    path = _files(folder, "demo==1.0\n", f"demo==1.0 \\\n    --hash=sha256:{digest}\n")
    command = ["install", "--isolated", "--no-index", "--find-links", str(folder)]
    command += ["--target", str(folder / "installed"), *lock.options(path).split()]
    return subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *command],
        capture_output=True,
        check=False,
    ).returncode
