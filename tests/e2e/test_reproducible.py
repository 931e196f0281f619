# SPDX-License-Identifier: Apache-2.0
"""The static program: the same sources give the same bytes from any folder, with or without ccache."""
import itertools
import os
import pathlib
import re
import shutil
import subprocess

from helpers.program import ROOT

STATIC = pathlib.Path(os.environ.get("SALVAGE_STATIC_BIN", ROOT / "build" / "static" / "salvage"))
WITHOUT = {"CMAKE_C_COMPILER_LAUNCHER", "CCACHE_BASEDIR", "CCACHE_NOHASHDIR", "CFLAGS", "LDFLAGS", "SOURCE_DATE_EPOCH"}
EVERY = 12  # of the objects of one folder so many share one that is compiled
OF_PLACE_OR_TIME = re.compile(r"__(FILE|BASE_FILE|FILE_NAME|DATE|TIME|TIMESTAMP)__")

# Before each compiler: what lies in $TAKEN is copied, all else is compiled, and its name is kept.
LAUNCHER = """#!/bin/sh
last= object=
for word; do
    [ "$last" != -o ] || object=${PWD#"$BUILD"}/$word
    last=$word
done
case $object in
*.o) if [ -e "$TAKEN/$object" ]; then exec cp "$TAKEN/$object" "$BUILD/$object"; fi && echo "$object" >>"$TAKEN.compiled" ;;
esac
exec "$@"
"""


def source_of(copy, name):
    """Of an object of ours."""
    _, _, source = name.rpartition(".dir/")
    return copy / source[:-len(".o")]


def to_take(copy):
    """Which objects of build/static the copy takes as they are: compilers are given the same options for all files of a
    folder, and the first and every twelfth of each is compiled, as is all that may name its place or the time."""
    objects = sorted(str(path.relative_to(STATIC.parent)) for path in STATIC.parent.rglob("*.c.o"))
    for _, folder in itertools.groupby(sorted(objects, key=os.path.dirname), os.path.dirname):
        for number, name in enumerate(folder):
            source = source_of(copy, name)
            if number % EVERY and not (source.is_file() and OF_PLACE_OR_TIME.search(source.read_text(encoding="utf-8"))):
                yield name


def test_a_build_in_another_folder_gives_the_same_bytes(work):
    """Against build/static, which has to be up to date. Compiles some files of each folder, and links all."""
    copy = work / "elsewhere"
    copy.mkdir()
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copy(ROOT / name, copy)
    for name in ("cmake", "src", "docs"):
        shutil.copytree(ROOT / name, copy / name)
    built, taken, launcher = copy / "build" / "static", work / "taken", work / "launcher"
    for name in to_take(copy):
        (taken / name).parent.mkdir(parents=True, exist_ok=True)
        (taken / name).symlink_to(STATIC.parent / name)
    launcher.write_text(LAUNCHER, encoding="utf-8")
    launcher.chmod(0o755)
    env = {name: value for name, value in os.environ.items() if name not in WITHOUT}
    env.update(CCACHE_DISABLE="1", SALVAGE_SOURCES=os.environ.get("SALVAGE_SOURCES", str(ROOT / "build" / "sources")),
               CMAKE_C_COMPILER_LAUNCHER=str(launcher), TAKEN=str(taken), BUILD=str(built))
    with open(work / "log", "w", encoding="utf-8") as log:
        for command in (["--preset", "static"], ["--build", "--preset", "static", "-j2"]):
            done = subprocess.run(["nice", "cmake", *command], cwd=copy, env=env, stdout=log, stderr=log, check=False)
            assert done.returncode == 0, (work / "log").read_text(encoding="utf-8")[-4000:]
    compiled = (work / "taken.compiled").read_text(encoding="utf-8")
    for part in ("core.dir/src/base/", "core.dir/components", "salvage.dir/src/", "dash_parts.dir/", "microhttpd.dir/", "libcurl"):
        assert part in compiled, "%s: nothing of it was compiled" % part
    for file in ("salvage", "salvage.debug"):
        assert (built / file).read_bytes() == STATIC.with_name(file).read_bytes(), \
            "%s differs: is %s built of these sources?" % (file, STATIC)
