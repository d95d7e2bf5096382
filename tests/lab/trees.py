"""Whole server trees from other Debian suites, unpacked once into the cache (places.cache) and run from there.

A tree is only read, never entered with chroot: programs run with the tree's own loader and libraries, so a lab needs no rights of root, mounts nothing
and writes nothing into it. Only the unpacking (debootstrap) needs root or sudo.
"""
import fcntl
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

from . import places
from .process import LabError

# name -> suite, packages. Suites forky and sid move: packages are asked for without a version, `version()` says what came.
TREES = {
    "asterisk-22": ("forky", ["asterisk"]),      # PJSIP; no chan_sip
    "asterisk-16": ("bullseye", ["asterisk"]),   # chan_sip and app_macro: what older sites run
    "mysql-sid": ("sid", ["mysql-server-core"]),
}
TRIPLET = f"{platform.machine()}-linux-gnu"
LIBRARIES = (f"lib/{TRIPLET}", f"usr/lib/{TRIPLET}", "usr/lib", "usr/lib/mysql/private")


class Unavailable(LabError):
    """The tree cannot be had on this machine, for the reason given."""


def mirror(folder: pathlib.Path = pathlib.Path("/etc/apt"), codename: str = "") -> str:
    """The Debian mirror this machine's apt already uses; read at run time, written nowhere."""
    found = []
    for file in [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]:
        if file.is_file():
            for line in file.read_text(errors="replace").splitlines():
                match = re.match(r"\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
                if match:
                    found.append((match[1], match[2].split(), match[3].split()))
    for file in sorted(folder.glob("sources.list.d/*.sources")):
        for paragraph in re.split(r"\n\s*\n", file.read_text(errors="replace")):
            field = {}
            key = None
            for line in paragraph.splitlines():
                if line.startswith("#"):
                    continue
                if line[:1].isspace() and key:
                    field[key] += " " + line.strip()
                elif ":" in line:
                    key, value = line.split(":", 1)
                    key = key.strip().lower()
                    field[key] = value.strip()
            if field.get("enabled", "yes").lower() in ("no", "false") or "deb" not in field.get("types", "").split():
                continue
            for uri in field.get("uris", "").split():
                found.append((uri, field.get("suites", "").split(), field.get("components", "").split()))
    if not codename:
        codename = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.M))["VERSION_CODENAME"]
    # The security archive and -updates have no base system: only the entry of the release itself will do.
    for uri, suites, components in found:
        if codename in suites and "main" in components and "security" not in uri:
            return uri.rstrip("/")
    raise Unavailable(f"apt's sources name no mirror with '{codename} main', so no other suite can be unpacked")


def _as_root() -> list:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    raise Unavailable("unpacking needs root (or sudo without a password) once")


def tree(name: str) -> pathlib.Path:
    """The folder of a tree, unpacked now if no clone has done so before. Two at the same time are no harm: one waits for the other."""
    folder = places.cache() / name
    if folder.is_dir():
        return folder
    suite, packages = TREES[name]
    places.cache().mkdir(parents=True, exist_ok=True)
    with open(places.cache() / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        root, source = _as_root(), mirror()
        bootstrap = shutil.which("debootstrap") or "/usr/sbin/debootstrap"
        if not os.path.exists(bootstrap):
            raise Unavailable("debootstrap is not installed (see tests/packages)")
        unpacking = places.cache() / f"{name}.unpacking"
        log = places.cache() / f"{name}.log"
        subprocess.run([*root, "rm", "-rf", "--one-file-system", str(unpacking)], check=True)
        scripts = pathlib.Path("/usr/share/debootstrap/scripts")
        script = [] if (scripts / suite).exists() else [str(scripts / "sid")]
        print(f"lab: unpacking {name} (Debian {suite}) into {folder}, once", file=sys.stderr, flush=True)
        with open(log, "wb") as out:
            done = subprocess.run([*root, bootstrap, "--variant=minbase", "--include=" + ",".join(packages), suite,
                                   str(unpacking), source, *script], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        if done.returncode != 0:
            end = " / ".join(log.read_text(errors="replace").splitlines()[-3:])
            subprocess.run([*root, "rm", "-rf", "--one-file-system", str(unpacking)])
            raise Unavailable(f"debootstrap of Debian {suite} failed: {end}")
        subprocess.run([*root, "sh", "-c", 'rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/var/lib/apt/lists/*', "sh", str(unpacking)],
                       check=True)
        subprocess.run([*root, "mv", "-T", str(unpacking), str(folder)], check=True)
    return folder


def version(name: str, package: str) -> str:
    status = (tree(name) / "var/lib/dpkg/status").read_text(errors="replace")
    match = re.search(rf"^Package: {re.escape(package)}\n(?:.+\n)*?Version: (\S+)", status, re.M)
    return match[1] if match else "unknown"


def command(name: str, program: str) -> list:
    """How to run a program of the tree: its own loader, its own libraries."""
    root = tree(name)
    loader = next((root / "lib" / TRIPLET).glob("ld-linux-*.so.*"))     # lib64/… is an absolute link in some suites
    return [str(loader), "--library-path", ":".join(str(root / lib) for lib in LIBRARIES), str(root / program)]


def main(names):
    failed = False
    for name in names or TREES:
        try:
            print(f"{name}: {tree(name)}")
        except Unavailable as error:
            print(f"{name}: unavailable: {error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0
