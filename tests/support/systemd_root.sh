#!/bin/sh
# systemd_root.sh BASE SITE PACKAGE PYTHON OPTIONS...: in namespaces of its own, a root of which nothing is written to the real one, SpeedData
# installed in it as a service with these options, then systemd as process 1. What systemd does when it starts, as emptying
# /tmp, must never reach the machine: so the last thing before it is to look whether that is so.
set -eu
[ "$$" = 1 ] || { echo "to be run as process 1 of namespaces of its own (tests/proof/proof_service.py)" >&2; exit 1; }
base=$1 site=$2 package=$3 python=$4
shift 4
mount --make-rprivate /
mount -t tmpfs -o size=2g tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root"
root=$base/root
for folder in tmp run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
chmod 1777 "$root/tmp"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for node in null,3 zero,5 full,7 random,8 urandom,9; do mknod -m 666 "$root/dev/${node%,*}" c 1 "${node#*,}"; done
mknod -m 666 "$root/dev/tty" c 5 0
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
mkdir -p "$root/dev/shm" "$root/dev/pts" "$root/opt/site" "$root/old"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
mount --bind "$site" "$root/opt/site"
mount -o remount,bind,ro "$root/opt/site"
cp -rL "$package" "$root/opt/package"
cd "$root"
pivot_root . old
cd /
umount -l /old
if [ "$(stat -f -c %T /)" != overlayfs ] || [ "$(stat -f -c %T /tmp)" != tmpfs ] || [ -n "$(ls -A /tmp)$(ls -A /old)" ]; then
    echo "the machine is still within reach: systemd is not started" >&2
    exit 1
fi
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up
ip route add 224.0.0.0/4 dev lo
folder=$(realpath "$python")
while [ "$folder" != / ]; do chmod o+rx "$folder"; folder=$(dirname "$folder"); done
"$python" -m venv --without-pip /opt/speeddata
packages=$(/opt/speeddata/bin/python -P -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mv /opt/package "$packages/speeddata"
echo /opt/site > "$packages/site.pth"
/opt/speeddata/bin/python -P -m speeddata service install "$@"
systemd-sysusers /etc/sysusers.d/speeddata.conf
# The system itself is of no interest, but for the journal.
for unit in /lib/systemd/system/*.service; do
    case ${unit##*/} in
        systemd-journald.service | *@.service) ;;
        *) ln -sf /dev/null "/etc/systemd/system/${unit##*/}" ;;
    esac
done
rm -rf /var/log/journal
exec env -i container=other PATH="$PATH" setpriv --bounding-set -sys_time,-sys_module,-sys_rawio,-sys_boot \
    /lib/systemd/systemd --system --unit=basic.target --log-target=journal --show-status=no
