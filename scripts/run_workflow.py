"""Runs the commands of a workflow's jobs on this machine, each job in a clean clone of HEAD.

    python scripts/run_workflow.py .github/workflows/pull_request.yml [JOB ...]

Actions (`uses:`) are listed and left out: checking out, installing Python, caches and artifacts are
GitHub's own. `gh` only prints what it is asked. A step that fails ends its job, except steps for
which the workflow says otherwise.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_PROJECT = Path(__file__).resolve().parents[1]
_GH = '#!/bin/sh\necho "gh $*" >&2\n'


def _git(*arguments: str, folder: Path = _PROJECT) -> str:
    command = ("git", *arguments)
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def _value(text: str, outputs: dict[str, str]) -> str:
    """A setting with GitHub's expressions replaced; what only GitHub knows is empty."""
    known = {"github.sha": _git("rev-parse", "HEAD"), "github.repository": "owner/name", **outputs}

    def replaced(found: re.Match[str]) -> str:
        for one in found[1].split("||"):
            name = one.strip()
            if value := name.strip("'") if name.startswith("'") else known.get(name, ""):
                return value
        return ""

    return re.sub(r"\$\{\{(.*?)\}\}", replaced, text)


def _run(name: str, job: dict[str, Any], folder: Path) -> bool:
    """Runs one job's steps and returns whether they succeeded."""
    clone = folder / "clone"
    _git("clone", "--quiet", str(_PROJECT), str(clone), folder=folder)
    (folder / "bin").mkdir()
    (folder / "bin/gh").write_text(_GH)
    (folder / "bin/gh").chmod(0o755)
    written = {kind: folder / kind for kind in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    outputs: dict[str, str] = {}
    is_well = True
    for step in job["steps"]:
        command = step.get("run")
        if command is None:
            print(f"{name}: left out: {step['uses'].partition('@')[0]}", flush=True)
            continue
        if not is_well and "!cancelled()" not in step.get("if", ""):
            continue
        print(f"{name}: {command.strip().splitlines()[0]}", flush=True)
        settings = {**job.get("env", {}), **step.get("env", {})}
        for path in written.values():
            path.write_text("")
        done = subprocess.run(
            ["bash", "-e", "-c", command],  # noqa: S607
            cwd=clone,
            env={
                **{key: os.environ[key] for key in ("HOME", "LANG", "TERM") if key in os.environ},
                "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                "CI": "true",
                **{kind: str(path) for kind, path in written.items()},
                **{key: _value(str(value), outputs) for key, value in settings.items()},
            },
            check=False,
        )
        for line in written["GITHUB_OUTPUT"].read_text().splitlines():
            key, _, value = line.partition("=")
            outputs[f"steps.{step.get('id')}.outputs.{key}"] = value
        if done.returncode:
            print(f"{name}: failed with code {done.returncode}", file=sys.stderr)
            is_well = False
    return is_well


def main(path: str, *chosen: str) -> int:
    """Runs the jobs named, or all of the workflow."""
    jobs = yaml.safe_load(Path(path).read_text())["jobs"]
    if unknown := set(chosen) - set(jobs):
        print(f"{path} has no job {', '.join(sorted(unknown))}: {', '.join(jobs)}", file=sys.stderr)
        return 2
    results = []
    for name in chosen or jobs:
        with tempfile.TemporaryDirectory() as folder:
            results.append(_run(name, jobs[name], Path(folder)))
    return 0 if all(results) else 1


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
