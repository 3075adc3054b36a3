#!/bin/sh
# runtime-root.sh PACKAGE...: turns the Debian slim system it runs in into the root of a runtime image
#
# Installs the packages, then takes away what only a system that is installed and administered needs: apt, dpkg, perl,
# accounts, disks, and the libraries that nothing left depends on. Packages go through dpkg, so that its database, which stays for
# scanners, lists what is there and nothing else.
set -eu
export DEBIAN_FRONTEND=noninteractive

apt-get update
apt-get install -y --no-install-recommends "$@"

# The order matters: scripts of the first ones are run by the last ones.
unneeded="e2fsprogs logsave util-linux-extra util-linux mount login passwd adduser bsdutils sysvinit-utils
  libpam-runtime libpam-modules libpam-modules-bin openssl init-system-helpers
  apt gpgv debian-archive-keyring usr-is-merged debconf perl-base"
for package in $unneeded; do
  case " $* " in *" $package "*) continue ;; esac
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || continue
  dpkg --purge --force-depends --force-remove-essential --force-remove-protected "$package"
done

# A library that another package depends on refuses to go, and that is the whole test.
gone=some
while [ -n "$gone" ]; do
  gone=
  for package in $(dpkg-query -W -f '${binary:Package}:${Section}\n' | sed -n 's/:\(libs\|oldlibs\)$//p'); do
    case " $* " in *" ${package%%:*} "*) continue ;; esac
    if dpkg --purge "$package" >/dev/null 2>&1; then gone="$gone $package"; fi
  done
done
dpkg --purge --force-depends --force-remove-essential dpkg

# What no package owns, and what only its package's scripts read.
rm -rf /etc/apt /etc/cron.* /etc/dpkg /etc/logrotate.d /etc/default /etc/init.d /etc/rc?.d /etc/pam.d /etc/security \
  /etc/shadow* /etc/gshadow* /etc/passwd- /etc/group- /etc/subuid* /etc/subgid* /etc/.pwd.lock \
  /var/lib/apt /var/lib/pam /var/lib/systemd /var/lib/dpkg/alternatives /var/lib/dpkg/triggers /var/lib/dpkg/updates \
  /var/lib/dpkg/*-old /var/lib/dpkg/lock* /var/cache/* /var/log/* /var/backups/* \
  /usr/share/bug /usr/share/debconf /usr/share/doc-base /usr/share/info /usr/share/lintian /usr/share/locale \
  /usr/share/man /usr/share/menu /etc/systemd /etc/update-motd.d /usr/share/pam* /usr/share/applications /usr/share/pixmaps /usr/share/bash-completion
find /var/lib/dpkg/info -type f ! -name '*.list' ! -name '*.md5sums' -delete
find /usr/share/doc ! -type d ! -name copyright -delete
find /usr/share/doc -depth -type d -empty -delete
find / -xdev -name __pycache__ -prune -exec rm -rf {} +
find / -xdev \( -type f -o -type d \) -perm /6000 -exec chmod a-s {} +

echo 'app:x:10001:10001::/nonexistent:/bin/false' >> /etc/passwd
echo 'app:x:10001:' >> /etc/group
find /tmp /var/tmp /run /root -mindepth 1 -delete 2>/dev/null || true
rm -f "$0"
