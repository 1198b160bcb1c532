"""Extensions and the mapping of top-level folders to the import package `speeddata`.

Metadata and tool settings are in pyproject.toml. The mapping is spelled here and nowhere else.
"""

import os
import shutil
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
TREE = ROOT / "build" / "tree"
PACKAGES = {
    "speeddata": "lib",
    "speeddata.relay": "relay",
    "speeddata.registry": "registry",
    "speeddata.stripchart": "stripchart",
    "speeddata.pivot": "pivot",
    "speeddata.config": "config",
    "speeddata.examples": "examples",
}


def link_tree() -> None:
    """Lay out build/tree as the code is imported: Cython and type checkers look for files there."""
    shutil.rmtree(TREE, ignore_errors=True)
    for package, folder in PACKAGES.items():
        target = TREE.joinpath(*package.split("."))
        target.mkdir(parents=True, exist_ok=True)
        for entry in sorted((ROOT / folder).iterdir()):
            if entry.name != "__pycache__":
                (target / entry.name).symlink_to(os.path.relpath(entry, target))


def extensions() -> list[Extension]:
    """One extension per .pyx below the mapped folders; none where the Makefile compiles them in a step of its own."""
    if os.environ.get("SPEEDDATA_NO_EXTENSIONS"):
        return []
    # Arm multiplies and adds in one rounding where it may: sums would differ from those of other machines in their last digit.
    flags = ["-O3", "-g1", "-fwrapv", "-ffp-contract=off", "-Wall", "-Wno-unused-function"]
    flags += os.environ.get("SPEEDDATA_CFLAGS", "").split()
    link = os.environ.get("SPEEDDATA_LDFLAGS", "").split()
    return [
        Extension(
            f"{package}.{source.stem}",
            [str(source.relative_to(ROOT))],
            include_dirs=["lib"],
            depends=["lib/crc32c.h", "lib/sha256.h"],
            extra_compile_args=flags,
            extra_link_args=link,
        )
        for package, folder in PACKAGES.items()
        for source in sorted((ROOT / folder).glob("*.pyx"))
    ]


class BuildExtensions(build_ext):
    """Translates to C what is about to be compiled, and nothing for commands that compile nothing."""

    def build_extensions(self) -> None:
        made = cythonize(
            self.extensions,
            include_path=[str(TREE)],
            build_dir="build/cython",
            compiler_directives={"language_level": 3},
            nthreads=os.cpu_count() or 1,
        )
        for extension, translated in zip(self.extensions, made, strict=True):
            assert extension.name == translated.name
            extension.sources, extension.depends = translated.sources, translated.depends
        super().build_extensions()


os.chdir(ROOT)
link_tree()
setup(
    package_dir=PACKAGES,
    packages=list(PACKAGES),
    include_package_data=False,
    package_data={
        "speeddata": ["py.typed", "*.pyi", "*.pxd"],
        "speeddata.relay": ["*.pyi", "*.pxd"],
        "speeddata.registry": ["*.sql", "openapi.yaml", "pages/*", "pages/*/*"],
        "speeddata.stripchart": ["static/*", "static/*/*"],
        "speeddata.pivot": ["pages/*"],
        "speeddata.config": ["*.yaml", "agents/*.avsc"],
        "speeddata.examples": ["*.py", "*/*.py", "*/*.ipynb", "pages/*"],
    },
    exclude_package_data={"speeddata.config": ["local.yaml"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildExtensions},
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
