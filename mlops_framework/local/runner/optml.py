"""Show a job its own folder as /opt/ml, as in a SageMaker container, without a container.

Several jobs run at once, so the machine's real /opt/ml cannot be any job's. On Linux a process may
have its own view of the file system (a mount namespace): the job's folder is bound to /opt/ml in
that view alone. A view needs root, or unprivileged user namespaces; where neither is allowed, the
job keeps its real folder, its environment and arguments name that folder, and a script that
hard-codes /opt/ml does not find it. `enter` says which of the two it is.

The machine's own /opt is never written to: when it holds no `ml` folder, the view gets an empty
/opt in memory with the machine's entries bound back into it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path

OPT_ML = Path("/opt/ml")

# <linux/sched.h> and <linux/mount.h>; the standard library has them from Python 3.12 on only.
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000


@dataclass(frozen=True)
class View:
    """Where the running job sees its folder.

    Attributes:
        base: `/opt/ml`, or the real folder where the kernel allows no view.
        refusal: why there is no private view; empty when there is one.
    """

    base: Path
    refusal: str = ""

    @property
    def private(self) -> bool:
        """Whether the job sees /opt/ml."""
        return not self.refusal

    def explain(self, reason: str) -> str:
        """Add to a job's failure that /opt/ml could not be shown, if that may be the cause.

        Args:
            reason: the failure as it stands.

        Returns:
            The same, or with a sentence on /opt/ml when it names that path and has no view of it.
        """
        if self.private or str(OPT_ML) not in reason:
            return reason
        return (
            f"{reason}\n(This machine cannot show a job its folder as {OPT_ML}: {self.refusal}. "
            f"Take paths from the arguments or the SM_* variables, or allow user namespaces.)"
        )


def enter(folder: Path) -> View:
    """Move this process into a view of the file system in which `folder` is /opt/ml.

    It has to be called before the process starts a thread (the kernel's rule), and holds for every
    process started afterwards.

    Args:
        folder: the job's folder; absolute or relative.

    Returns:
        The view; its `refusal` is set, and nothing has changed, where the kernel does not allow it.
    """
    folder = folder.resolve()
    if os.environ.get("MLOPS_NO_OPT_ML"):
        return View(folder, "MLOPS_NO_OPT_ML is set")
    if not sys.platform.startswith("linux"):
        return View(folder, f"{sys.platform} has no mount namespaces")
    refusal = _rehearse(folder)
    if refusal:
        return View(folder, refusal)
    _bind(folder)
    return View(OPT_ML)


def _rehearse(folder: Path) -> str:
    """Try it in a child first: a half-made view cannot be taken back."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _bind(folder)
            os.write(writer, b"")
        except OSError as error:
            os.write(writer, str(error).encode())
        except BaseException:
            os.write(writer, traceback.format_exc().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        refusal = pipe.read().decode()
    os.waitpid(child, 0)
    return refusal


def _bind(folder: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _unshare(libc)
    _mount(libc, "none", "/", flags=MS_REC | MS_PRIVATE)
    # Opened before /opt is covered, so that a folder below it is still reached; and after the
    # move, because a descriptor from the machine's own namespace cannot be mounted in this one.
    source = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        if not OPT_ML.is_dir():
            _cover_opt(libc)
        _mount(libc, f"/proc/self/fd/{source}", str(OPT_ML), flags=MS_BIND | MS_REC)
    finally:
        os.close(source)


def _unshare(libc: ctypes.CDLL) -> None:
    """Leave the machine's mount namespace: as root directly, else through a user namespace."""
    if libc.unshare(CLONE_NEWNS) == 0:
        return
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
        raise _failure("unshare(CLONE_NEWUSER | CLONE_NEWNS)")
    # The same ids inside as outside, so that the job's files stay its user's.
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _cover_opt(libc: ctypes.CDLL) -> None:
    """Lay an /opt in memory over the machine's, with the machine's entries in it and an `ml`."""
    opt = OPT_ML.parent
    below = os.open(opt, os.O_PATH | os.O_DIRECTORY)
    try:
        _mount(libc, "tmpfs", str(opt), kind="tmpfs", flags=MS_NOSUID | MS_NODEV, data="mode=755")
        for entry in os.scandir(f"/proc/self/fd/{below}"):
            target = opt / entry.name
            if entry.is_symlink():
                target.symlink_to(Path(entry.path).readlink())
                continue
            if entry.is_dir():
                target.mkdir()
            else:
                target.touch()
            _mount(libc, entry.path, str(target), flags=MS_BIND | MS_REC)
        OPT_ML.mkdir()
    finally:
        os.close(below)


def _mount(
    libc: ctypes.CDLL, source: str, target: str, *, flags: int, kind: str = "", data: str = ""
) -> None:
    done = libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    if done != 0:
        raise _failure(f"mount {source} on {target}")


def _failure(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")
