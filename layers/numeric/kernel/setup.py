"""Compiles the library for the platform that is asked for, and packs it into a wheel.

TRADING_KERNEL_TARGET names the target as zig does; by default it is Linux with the machine's
processor and a C library of version 2.17, which manylinux2014 means and Lambda has. Without zig
this machine's own compiler is taken; without either the wheel holds no library, and backtests run
on the reference gear.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

LINUX = f"{platform.machine()}-linux-gnu.2.17"
TARGET = os.environ.get("TRADING_KERNEL_TARGET") or (LINUX if sys.platform == "linux" else "")
SOURCES = ["trading_kernel/simulate.c", "trading_kernel/figures.c"]
FLAGS = ["-O3", "-shared", "-fPIC", "-fvisibility=default", "-ffp-contract=off", "-s"]


def compilers() -> list[list[str]]:
    """Commands that may compile, the preferred one first."""
    found = []
    if importlib.util.find_spec("ziglang"):
        aimed = ["-target", TARGET] if TARGET else []
        found.append([sys.executable, "-m", "ziglang", "cc", *aimed])
    return found + [[path] for name in ("cc", "gcc", "clang") if (path := shutil.which(name))]


class Compile(build_py):
    """Puts the library beside the package's modules."""

    def run(self) -> None:
        """Build the package, then the library."""
        super().run()
        folder = Path(self.build_lib) / "trading_kernel"
        for command in compilers():
            out = folder / "simulate.so"
            line = [*command, *FLAGS, "-o", str(out), *SOURCES]
            if subprocess.run(line, check=False).returncode == 0:
                return
        sys.stderr.write("no compiler: backtests will run on the reference gear\n")


class Tagged(bdist_wheel):
    """A wheel for any Python of one platform: the library knows nothing of Python."""

    def finalize_options(self) -> None:
        """The wheel is not pure."""
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self) -> tuple[str, str, str]:
        """Interpreter, ABI and platform of the wheel's name."""
        _, _, built_for = super().get_tag()
        if TARGET.endswith("-linux-gnu.2.17"):
            built_for = f"manylinux2014_{TARGET.partition('-')[0]}"
        return "py3", "none", built_for


setup(cmdclass={"build_py": Compile, "bdist_wheel": Tagged})
