"""The files by which systemd runs SpeedData: the unit, and the drop-ins beside it. Text from a plan; nothing is read or written.

Why a protection is there, or cannot be, stands in docs/adr/0041-sandboxed-and-outliving.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from speeddata.kernel_buffers import DEFAULT_BUFFER, SEND_BUFFER

__all__ = ["MARK", "USER", "Plan", "ServiceFile", "quoted", "service_files"]

MARK = "# Written by `speeddata service install`"
USER = "speeddata"
STATE = Path("/var/lib")
# Longer than `speeddata stop` takes at worst, on a disk that hangs.
STOP_LIMIT_S = 180

UNIT = """\
{mark}, which see for changes; local ones belong to `systemctl {scope}edit speeddata`.
[Unit]
Description=SpeedData: records telemetry, shows it live, hands it out
{after}
RequiresMountsFor={data}
# Ten failed starts in five minutes, and systemd gives up.
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
ExecStart={command} run {arguments}
# Begins anew in place, after an upgrade or a change of settings; recording goes on.
ExecReload={command} restart --data {data}
ExecStop={command} stop --data {data}
# Relays and their keeper outlive the orchestrator, and the next one finds them. ExecStop ends them, in order.
KillMode=process
Restart=on-failure
RestartSec=1
# Settings that are wrong do not become right by another start.
RestartPreventExitStatus=2
WatchdogSec=10
TimeoutStartSec=120
TimeoutStopSec={stop_limit}
# A relay that the kernel kills for want of memory is started again by its keeper: no reason to stop the others.
OOMPolicy=continue
# A channel takes four threads, five descriptors, and memory that is locked.
TasksMax=infinity
LimitNOFILE=1024:524288
{lock}UMask=0077
{own}
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
# AF_NETLINK: the interfaces of this machine are asked for.
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
# What is refused fails, instead of killing a relay.
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged

[Install]
WantedBy={target}
"""
# Only the system's own manager can do these; in a user's they would need a user namespace, across which nothing is adopted.
SYSTEM_OWN = """\

User={user}
Group={user}
{state}
CapabilityBoundingSet=
AmbientCapabilities=
PrivateMounts=yes
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RemoveIPC=yes"""
SYSCTL = """\
{mark}: as large as the buffers are that relays ask for, so that no burst is lost; and room for subscribers that ask for none.
net.core.rmem_max = {receive}
net.core.rmem_default = {default}
net.core.wmem_max = {send}
"""
SYSUSERS = """\
{mark}: the user that SpeedData runs as.
u {user} - "SpeedData" {home} /usr/sbin/nologin
"""
TMPFILES = """\
{mark}: the data folder, where it is not below /var/lib.
d {data} 0700 {user} {user} -
"""


@dataclass(frozen=True)
class Plan:
    """What is to be run, and for whom."""

    python: Path
    arguments: Sequence[str]  # of `speeddata run`
    data: Path
    user: bool = False  # by a user's own manager, instead of the system's
    folder: Path = Path("/etc/systemd/system")
    home: bool = False  # something that is needed lies in somebody's home
    receive_buffer: int = 64 << 20
    send_buffer: int = SEND_BUFFER
    default_buffer: int = DEFAULT_BUFFER  # to receive by


@dataclass(frozen=True)
class ServiceFile:
    """A file and what is to be in it."""

    path: Path
    text: str


def service_files(plan: Plan) -> list[ServiceFile]:
    """All files of a plan, the unit first."""
    files = [ServiceFile(plan.folder / "speeddata.service", unit(plan))]
    if plan.user:
        return files
    etc = Path("/etc")
    sysctl = SYSCTL.format(
        mark=MARK, receive=plan.receive_buffer, default=plan.default_buffer, send=plan.send_buffer
    )
    sysusers = SYSUSERS.format(mark=MARK, user=USER, home=quoted(str(plan.data)))
    files.append(ServiceFile(etc / "sysctl.d" / "90-speeddata.conf", sysctl))
    files.append(ServiceFile(etc / "sysusers.d" / "speeddata.conf", sysusers))
    if not below_state(plan.data):
        tmpfiles = TMPFILES.format(mark=MARK, data=quoted(str(plan.data)), user=USER)
        files.append(ServiceFile(etc / "tmpfiles.d" / "speeddata.conf", tmpfiles))
    return files


def unit(plan: Plan) -> str:
    """The unit."""
    data = quoted(str(plan.data))
    after = "After=network-online.target\nWants=network-online.target"
    return UNIT.format(
        mark=MARK,
        scope="--user " if plan.user else "",
        after="# A user's manager begins when the network is there." if plan.user else after,
        data=data,
        command=f"{quoted(str(plan.python))} -P -m speeddata",
        arguments=" ".join(quoted(one, dollar=True) for one in plan.arguments),
        stop_limit=STOP_LIMIT_S,
        # A user may not raise it.
        lock="" if plan.user else "LimitMEMLOCK=infinity\n",
        own="" if plan.user else system_own(plan, data),
        target="default.target" if plan.user else "multi-user.target",
    )


def system_own(plan: Plan, data: str) -> str:
    """What only the system's manager does."""
    if below_state(plan.data):
        state = f"StateDirectory={quoted(str(plan.data.relative_to(STATE)))}\nStateDirectoryMode=0700"
    else:
        state = f"ReadWritePaths={data}"
    return SYSTEM_OWN.format(user=USER, state=state, home="read-only" if plan.home else "yes")


def below_state(data: Path) -> bool:
    """Whether systemd can make the data folder itself."""
    return STATE in data.parents


def quoted(word: str, *, dollar: bool = False) -> str:
    """A word as systemd's files have it: quoted where it must be, `%` doubled, and `$` in arguments of commands."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if dollar:
        escaped = escaped.replace("$", "$$")
    return f'"{escaped}"' if not word or set(word) & set(" \t\"'\\;#") else escaped
