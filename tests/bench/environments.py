"""The virtual environments of the bench in `.bench/`.

They are certmail's, the Celery peers', and the one of arq and taskiq.

Runs before anything is installed, so it needs only the standard library. All contestants get the
same interpreter, the quickest at hand: a Python built without profile-guided optimisation makes
everything look 1.6 times slower.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BENCH = ROOT / ".bench"
LOCKS = {
    "certmail": [ROOT / "requirements.lock", HERE / "requirements-tools.lock"],
    "celery": [HERE / "requirements-celery.lock"],
    "async": [HERE / "requirements-async.lock"],
}
"""The lock of each environment.

Celery wants redis-py 6.4 or newer, arq and taskiq-redis one before 6: they cannot live together.
"""

PROBE = """
import ensurepip, json, sys, sysconfig, time, venv
def loop():
    begun, x = time.perf_counter(), 0
    for i in range(1000000): x = (x * 31 + i) & 0xffff
    return time.perf_counter() - begun
names = ("CONFIG_ARGS", "PY_CFLAGS", "PY_CORE_LDFLAGS")
flags = " ".join(str(sysconfig.get_config_var(n)) for n in names)
print(json.dumps({
    "python": sys.executable, "version": sys.version.split()[0],
    "implementation": sys.implementation.name,
    "says_pgo": "--enable-optimizations" in flags or "-fprofile-use" in flags,
    "says_lto": "-flto" in flags or "--with-lto" in flags,
    "loop_ns": round(min(loop() for _ in range(7)) * 1000),
}))
"""


def say(line: str) -> None:
    """Progress goes to stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def candidates() -> list[str]:
    """The interpreters worth a look.

    They are the one that was asked for, or the system's and the one that runs this.
    """
    if asked := os.environ.get("BENCH_PYTHON"):
        return [asked]

    found = [
        shutil.which(name, path="/usr/bin")
        for name in ("python3", "python3.13", "python3.12", "python3.11")
    ]
    return [*dict.fromkeys(path for path in found if path), sys.executable]


def probe(python: str) -> dict[str, Any] | None:
    """What an interpreter is, or None if it is too old or cannot make virtual environments."""
    done = subprocess.run([python, "-c", PROBE], capture_output=True, check=False, text=True)
    if done.returncode != 0:
        return None
    facts: dict[str, Any] = json.loads(done.stdout)
    version = tuple(int(part) for part in facts["version"].split(".")[:2])
    return facts if version >= (3, 11) else None


def choose() -> dict[str, Any]:
    """The quickest interpreter; the choice is kept, so that runs can be compared."""
    kept = BENCH / "python.json"
    if kept.exists() and "BENCH_PYTHON" not in os.environ:
        known: dict[str, Any] = json.loads(kept.read_text("utf-8"))
        if Path(known["python"]).exists():
            return known

    found = [facts for python in candidates() if (facts := probe(python))]
    if not found:
        sys.exit("bench: no Python 3.11 or newer with venv was found; set BENCH_PYTHON.")
    best = min(found, key=lambda facts: facts["loop_ns"])
    kept.write_text(json.dumps(best), "utf-8")
    return best


def make(name: str, python: str) -> Path:
    """Make one environment, unless it is there and its locks are what they were."""
    folder, locks = BENCH / f"venv-{name}", LOCKS[name]
    mark = hashlib.sha256(
        python.encode() + b"".join(lock.read_bytes() for lock in locks)
    ).hexdigest()
    stamp = folder / "bench.stamp"
    if stamp.exists() and stamp.read_text("ascii") == mark:
        return folder

    say(f"Installing what the contestant {name!r} needs into {folder.relative_to(ROOT)} (once) ...")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([python, "-m", "venv", folder], check=True)
    pip: list[str | Path] = [
        folder / "bin" / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "install",
        "--no-deps",
    ]

    for lock in locks:
        subprocess.run([*pip, "--require-hashes", "-r", lock], check=True)
    if name == "certmail":
        subprocess.run([*pip, "--no-build-isolation", "--editable", ROOT], check=True)
    stamp.write_text(mark, "ascii")
    return folder


def main() -> None:
    """Make them all."""
    BENCH.mkdir(exist_ok=True)
    facts = choose()
    say(
        f"Python for all contestants: {facts['python']} {facts['version']}, {facts['loop_ns']} ns per turn of a small loop."
    )
    with ThreadPoolExecutor() as together:
        list(together.map(lambda name: make(name, facts["python"]), LOCKS))


if __name__ == "__main__":
    main()
