# SPDX-License-Identifier: Apache-2.0
"""The static program: the same sources give the same bytes from any folder, with or without ccache."""
import os
import pathlib
import shutil
import subprocess

from helpers.program import ROOT

STATIC = pathlib.Path(os.environ.get("SALVAGE_STATIC_BIN", ROOT / "build" / "static" / "salvage"))
WITHOUT = {"CMAKE_C_COMPILER_LAUNCHER", "CCACHE_BASEDIR", "CCACHE_NOHASHDIR", "CFLAGS", "LDFLAGS", "SOURCE_DATE_EPOCH"}


def test_a_build_in_another_folder_gives_the_same_bytes(work):
    """Against build/static, which has to be up to date. Compiles all there is: half a minute of two cores."""
    copy = work / "elsewhere"
    copy.mkdir()
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copy(ROOT / name, copy)
    for name in ("cmake", "src", "docs"):
        shutil.copytree(ROOT / name, copy / name)
    env = {name: value for name, value in os.environ.items() if name not in WITHOUT}
    env.update(CCACHE_DISABLE="1", SALVAGE_SOURCES=os.environ.get("SALVAGE_SOURCES", str(ROOT / "build" / "sources")))
    with open(work / "log", "w", encoding="utf-8") as log:
        for command in (["--preset", "static"], ["--build", "--preset", "static", "-j2"]):
            done = subprocess.run(["nice", "cmake", *command], cwd=copy, env=env, stdout=log, stderr=log, check=False)
            assert done.returncode == 0, (work / "log").read_text(encoding="utf-8")[-4000:]
    built = copy / "build" / "static"
    for file in ("salvage", "salvage.debug"):
        assert (built / file).read_bytes() == STATIC.with_name(file).read_bytes(), \
            "%s differs: is %s built of these sources?" % (file, STATIC)
